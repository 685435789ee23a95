//! The keys of an authority through time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand;
use serde_json::Value;

use super::signing_key::{CryptoFailure, SigningKey, family};
use crate::jose::{Algorithm, base64url};

/// Keys by generation, the newest last. A key is made when it is first needed, so a new authority
/// costs nothing.
pub(super) struct KeyRing(Mutex<Ring>);

struct Ring {
    generations: Vec<Generation>,
    /// Generations before this one are retired. Their keys are kept from serving anybody else.
    first_published: usize,
}

struct Generation {
    /// In every `kid`, so that generations and authorities never have one in common.
    mark: String,
    keys: HashMap<Algorithm, Arc<SigningKey>>,
}

impl KeyRing {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Ring { generations: Vec::new(), first_published: 0 }))
    }

    /// The key to sign with now, and its name.
    pub(super) fn current(
        &self,
        algorithm: Algorithm,
    ) -> Result<(Arc<SigningKey>, String), CryptoFailure> {
        let mut ring = self.lock();
        let generation = ring.newest()?;
        Ok((generation.key(algorithm)?, generation.kid(algorithm)))
    }

    /// Tokens are signed with new keys from now on; the old ones stay published.
    pub(super) fn rotate(&self) -> Result<(), CryptoFailure> {
        let mut ring = self.lock();
        // Even if nobody saw the first generation: two rotations leave two old ones.
        ring.newest()?;
        ring.generations.push(Generation::new()?);
        Ok(())
    }

    /// Keys other than the newest are published no longer.
    pub(super) fn retire_old(&self) {
        let mut ring = self.lock();
        ring.first_published = ring.generations.len().saturating_sub(1);
    }

    /// The public keys for these algorithms as JWKs (RFC 7517 §4), newest first. With `lazy_rsa`
    /// there are RSA keys among them only if one was used before.
    pub(super) fn public_jwks(
        &self,
        algorithms: &[Algorithm],
        lazy_rsa: bool,
    ) -> Result<Vec<Value>, CryptoFailure> {
        let mut ring = self.lock();
        let rsa_is_used =
            ring.generations.iter().any(|old| old.keys.contains_key(&Algorithm::RS256));
        let newest = ring.newest()?;
        for &algorithm in algorithms {
            if rsa_is_used || !lazy_rsa || !algorithm.is_rsa() {
                newest.key(algorithm)?;
            }
        }
        let published = ring.generations.iter().skip(ring.first_published).rev();
        Ok(published.flat_map(|generation| generation.jwks(algorithms)).collect())
    }

    /// The newest secrets for HS256, HS384 and HS512 as JWKs (RFC 7518 §6.4).
    pub(super) fn secret_jwks(&self) -> Result<Vec<Value>, CryptoFailure> {
        let secrets: Vec<_> = Algorithm::all().filter(|one| one.is_symmetric()).collect();
        let mut ring = self.lock();
        let newest = ring.newest()?;
        for &algorithm in &secrets {
            newest.key(algorithm)?;
        }
        Ok(newest.jwks(&secrets))
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn newest(&mut self) -> Result<&mut Generation, CryptoFailure> {
        if self.generations.is_empty() {
            self.generations.push(Generation::new()?);
        }
        self.generations.last_mut().ok_or(CryptoFailure)
    }
}

impl Generation {
    fn new() -> Result<Self, CryptoFailure> {
        let mut mark = [0; 6];
        rand::fill(&mut mark)?;
        Ok(Self { mark: base64url::encode(mark), keys: HashMap::new() })
    }

    fn key(&mut self, algorithm: Algorithm) -> Result<Arc<SigningKey>, CryptoFailure> {
        if let Some(key) = self.keys.get(&family(algorithm)) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(SigningKey::generate(algorithm)?);
        self.keys.insert(family(algorithm), Arc::clone(&key));
        Ok(key)
    }

    /// Two names of one algorithm have one key and one name for it.
    fn kid(&self, algorithm: Algorithm) -> String {
        let name = if algorithm == Algorithm::EdDSA { Algorithm::Ed25519 } else { algorithm };
        format!("{name}-{}", self.mark)
    }

    /// One entry per algorithm whose key there is: each `kid` has exactly one (RFC 8725 §3.1).
    fn jwks(&self, algorithms: &[Algorithm]) -> Vec<Value> {
        let mut kids = Vec::new();
        let mut jwks = Vec::new();
        for &algorithm in algorithms {
            let kid = self.kid(algorithm);
            if let Some(key) = self.keys.get(&family(algorithm)).filter(|_| !kids.contains(&kid)) {
                jwks.push(key.jwk(algorithm, &kid));
                kids.push(kid);
            }
        }
        jwks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kids(keys: &KeyRing, algorithms: &[Algorithm]) -> Vec<String> {
        let jwks = keys.public_jwks(algorithms, true).unwrap();
        jwks.iter().map(|jwk| jwk["kid"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_published_set_does_not_depend_on_what_was_signed_before() {
        let keys = KeyRing::new();
        let before = kids(&keys, &[Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]);
        keys.current(Algorithm::ES384).unwrap();
        keys.current(Algorithm::HS256).unwrap();
        assert_eq!(before, kids(&keys, &[Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]));
        assert_eq!(before.len(), 3);
    }

    #[test]
    fn lazy_rsa_keys_appear_with_their_first_use_and_then_all_of_them() {
        let keys = KeyRing::new();
        let algorithms = [Algorithm::ES256, Algorithm::RS256, Algorithm::PS256];
        assert_eq!(kids(&keys, &algorithms).len(), 1);
        let (_, kid) = keys.current(Algorithm::PS256).unwrap();
        let published = kids(&keys, &algorithms);
        assert_eq!(published.len(), 3);
        assert!(published.contains(&kid));
        keys.rotate().unwrap();
        assert_eq!(kids(&keys, &algorithms).len(), 6);
    }

    #[test]
    fn both_names_of_ed25519_share_one_entry() {
        let keys = KeyRing::new();
        assert_eq!(kids(&keys, &[Algorithm::EdDSA, Algorithm::Ed25519]).len(), 1);
        let (_, one) = keys.current(Algorithm::EdDSA).unwrap();
        let (_, other) = keys.current(Algorithm::Ed25519).unwrap();
        assert_eq!(one, other);
    }

    #[test]
    fn rotation_keeps_old_keys_until_they_are_retired() {
        let keys = KeyRing::new();
        let algorithms = [Algorithm::ES256];
        let first = kids(&keys, &algorithms);
        keys.rotate().unwrap();
        let both = kids(&keys, &algorithms);
        assert_eq!(both.len(), 2);
        assert_eq!(both.last(), first.last());
        keys.retire_old();
        assert_eq!(kids(&keys, &algorithms), both[..1]);
    }

    #[test]
    fn secrets_are_never_published() {
        let keys = KeyRing::new();
        keys.secret_jwks().unwrap();
        let all: Vec<_> = Algorithm::all().filter(|one| !one.is_symmetric()).collect();
        let published = keys.public_jwks(&all, false).unwrap();
        assert!(published.iter().all(|jwk| jwk["kty"] != "oct" && jwk.get("d").is_none()));
        assert_eq!(keys.secret_jwks().unwrap().len(), 3);
    }
}
