//! `X-Request-Id`: kept where the client's is of use, made where it is not.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::sidecar::known_fields::{Mark, Present};

pub(super) const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Characters of the longest one that is kept.
const LONGEST: usize = 128;

/// The request's own, or a new one.
pub(super) fn of(headers: &HeaderMap, present: Present) -> HeaderValue {
    if !present.has(Mark::X_REQUEST_ID) {
        return new();
    }
    let mut given = headers.get_all(NAME).iter();
    match (given.next(), given.next()) {
        (Some(id), None) if is_fit(id.as_bytes()) => id.clone(),
        _ => new(),
    }
}

/// What can stand in any log without harm.
fn is_fit(id: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/+=@".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(allowed)
}

/// 32 hexadecimal digits: half of them are the process, half of them the request. They need not be
/// hard to guess.
fn new() -> HeaderValue {
    static PROCESS: LazyLock<[u8; 16]> =
        LazyLock::new(|| digits(getrandom::u64().unwrap_or_default()));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut text = [0; 32];
    let (process, request) = text.split_at_mut(16);
    process.copy_from_slice(&*PROCESS);
    request.copy_from_slice(&digits(NEXT.fetch_add(1, Ordering::Relaxed)));
    HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// All eight bytes at once: each gets a byte of its own for each of its halves.
fn digits(number: u64) -> [u8; 16] {
    const LOW: u128 = 0x0F0F_0F0F_0F0F_0F0F_0F0F_0F0F_0F0F_0F0F;
    const ONES: u128 = LOW / 15;
    let mut spread = u128::from(number);
    for (shift, mask) in [
        (32, 0x0000_0000_FFFF_FFFF_0000_0000_FFFF_FFFF),
        (16, 0x0000_FFFF_0000_FFFF_0000_FFFF_0000_FFFF),
        (8, 0x00FF_00FF_00FF_00FF_00FF_00FF_00FF_00FF),
        (4, LOW),
    ] {
        spread = (spread | spread << shift) & mask;
    }
    // 16 where the digit is a letter.
    let is_letter = (spread + ONES * 6) >> 4 & ONES;
    (spread + ONES * u128::from(b'0') + is_letter * u128::from(b'a' - b'0' - 10)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_given(given: &[&str]) -> HeaderValue {
        let headers = given.iter().map(|id| (NAME, HeaderValue::from_str(id).unwrap())).collect();
        of(&headers, Present::of(&headers))
    }

    #[test]
    fn new_ones_differ_and_have_32_digits() {
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        for id in [one, other] {
            let id = id.to_str().unwrap();
            assert_eq!(id.len(), 32);
            assert!(id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{id}");
        }
    }

    #[test]
    fn digits_are_hexadecimal() {
        for number in (0..64).flat_map(|shift| [1, 9, 10, 15].map(|digit| digit << shift)) {
            assert_eq!(digits(number), *format!("{number:016x}").as_bytes(), "{number}");
        }
    }

    #[test]
    fn a_fit_one_is_kept() {
        assert_eq!(of_given(&["7f-9_a.B~c:d/e+f=@"]), "7f-9_a.B~c:d/e+f=@");
        for unfit in [&[][..], &[""], &["a b"], &["a\"b"], &["a", "b"], &["a,b"]] {
            assert_eq!(of_given(unfit).len(), 32, "{unfit:?}");
        }
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(of_given(&[&long]).len(), 32);
    }
}
