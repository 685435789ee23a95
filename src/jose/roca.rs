//! RSA moduli whose factors can be computed (CVE-2017-15361, "ROCA").
//!
//! A flawed smart-card library built primes as `k·M + (65537^a mod M)`. Modulo every small prime
//! such a modulus is a power of 65537; a sound one is so by chance with probability 2^-27 or less.

const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// `modulus` is big-endian.
pub(super) fn is_vulnerable(modulus: &[u8]) -> bool {
    SMALL_PRIMES.iter().all(|&prime| is_power_of_65537(remainder(modulus, prime), prime))
}

fn remainder(modulus: &[u8], prime: u32) -> u32 {
    modulus.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % prime)
}

fn is_power_of_65537(value: u32, prime: u32) -> bool {
    let generator = 65_537 % prime;
    let mut power = 1;
    loop {
        if power == value {
            return true;
        }
        power = power * generator % prime;
        if power == 1 {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_65537_are_recognised() {
        assert!(is_vulnerable(&[1]));
        assert!(is_vulnerable(&65_537_u32.to_be_bytes()));
        assert!(is_vulnerable(&(65_537_u64 * 65_537).to_be_bytes()));
        assert!(!is_vulnerable(&[2]));
        assert!(!is_vulnerable(&[0]));
    }
}
