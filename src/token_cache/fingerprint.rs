//! What a token is known by: a keyed hash of its whole text, which gives nothing of it away.
//!
//! GMAC (NIST SP 800-38D) under a key that never leaves the process. Whoever wants to be taken for
//! somebody else has to meet the fingerprint of a token that he does not have, and sees none; what he
//! would get are the claims of that token, never those of the one that he has made up. For texts
//! that are chosen without the key, the chance that two of them meet is 1,025 in 2^128: GHASH is a
//! polynomial with as many terms as the longest token has blocks, over a field of 2^128 elements.
//! For ten thousand tokens and 10^15 attempts that makes 3 in 10^17.

use std::hash::{BuildHasher, Hash, Hasher};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// The fingerprint of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// Spread evenly, also where texts differ in little: what GMAC does is linear, so a few bits of
    /// it may be the same for all of them.
    pub(super) fn bits(self) -> u64 {
        const ODD: u128 = 0x9E37_79B9_7F4A_7C15;
        let product = u128::from(self.0[0] ^ self.0[1].rotate_left(32)) * ODD;
        (product >> 64) as u64 ^ product as u64
    }

    #[cfg(test)]
    pub(super) fn bits_that_differ(all: &[Self]) -> u32 {
        let differs = |word: usize| {
            all.iter().fold(0, |bits, one| bits | (one.0[word] ^ all[0].0[word])).count_ones()
        };
        differs(0) + differs(1)
    }
}

/// The secret that makes fingerprints.
pub(crate) struct Fingerprints(LessSafeKey);

impl Fingerprints {
    pub(crate) fn new() -> Option<Self> {
        let mut key = [0; 16];
        // The system's numbers, as aws-lc's own take 20 ms to begin with.
        getrandom::fill(&mut key).ok()?;
        UnboundKey::new(&AES_128_GCM, &key).ok().map(LessSafeKey::new).map(Self)
    }

    pub(crate) fn of(&self, token: &[u8]) -> Option<Fingerprint> {
        // Always the same one: nothing is encrypted, and nobody sees the tags, so the nonce only
        // adds a constant to them.
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let aad = Aad::from(token);
        let tag = self.0.seal_in_place_separate_tag(nonce, aad, &mut []).ok()?;
        let tag: [u8; 16] = tag.as_ref().try_into().ok()?;
        let tag = u128::from_ne_bytes(tag);
        Some(Fingerprint([tag as u64, (tag >> 64) as u64]))
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.bits());
    }
}

/// For tables of fingerprints, which are hashes already.
#[derive(Clone)]
pub(super) struct Unhashed;

impl BuildHasher for Unhashed {
    type Hasher = Bits;

    fn build_hasher(&self) -> Bits {
        Bits(0)
    }
}

pub(super) struct Bits(u64);

impl Hasher for Bits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }
}
