//! One entry of a JWK set (RFC 7517 §4) becomes verification keys, or a reason why not.

use std::fmt;

use serde_json::Value;

use super::json::Object;
use super::key::KeyRefused;
use super::{Algorithm, KeyOrigin, VerificationKey, base64url, roca};

/// Why an entry is of no use. `Display` is for operators' logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    NotStrictJson,
    Member(&'static str),
    KeyType,
    Curve,
    Use,
    KeyOps,
    Private,
    Symmetric,
    RsaSize,
    RsaExponent,
    Roca,
    AlgorithmMismatch,
    AlgorithmNotAllowed,
    Refused,
    TooMany,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self {
            Self::NotStrictJson => {
                "not a JSON object, or one with duplicate members or deep nesting"
            }
            Self::Member(name) => return write!(f, "member \"{name}\" is missing or malformed"),
            Self::KeyType => "key type is not RSA, EC or OKP",
            Self::Curve => "curve is not P-256, P-384, P-521 or Ed25519",
            Self::Use => "\"use\" is not \"sig\"",
            Self::KeyOps => "\"key_ops\" does not allow verification alone",
            Self::Private => "holds a private key",
            Self::Symmetric => "is a symmetric key",
            Self::RsaSize => "RSA modulus is not within 2048 to 8192 bits",
            Self::RsaExponent => "RSA exponent is even, less than 3 or longer than 33 bits",
            Self::Roca => "RSA modulus can be factored (CVE-2017-15361)",
            Self::AlgorithmMismatch => "\"alg\" does not fit the key",
            Self::AlgorithmNotAllowed => "no allowed algorithm fits the key",
            Self::Refused => "the key is not valid on its curve or for its type",
            Self::TooMany => "beyond the number of keys that are read",
        };
        f.write_str(reason)
    }
}

/// RFC 7518 §6.2.2 and §6.3.2, and what DPoP and others would add.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];

/// The keys in `entry` for the `allowed` algorithms. Usually one; an Ed25519 key without `alg`
/// answers to two names.
pub(super) fn keys(
    entry: &Object,
    allowed: &[Algorithm],
    origin: KeyOrigin,
) -> Result<Vec<VerificationKey>, Unusable> {
    intended_for_verification(entry)?;
    let kid = optional_text(entry, "kid")?;
    let alg = optional_text(entry, "alg")?;
    let kty = text(entry, "kty")?;
    if kty != "oct" && PRIVATE_MEMBERS.iter().any(|name| entry.contains_key(*name)) {
        return Err(Unusable::Private);
    }
    let fitting = |algorithm: &Algorithm| alg.is_none_or(|alg| alg == algorithm.name());
    let chosen = |candidates: &[Algorithm]| -> Result<Vec<Algorithm>, Unusable> {
        let named: Vec<_> = candidates.iter().copied().filter(fitting).collect();
        if named.is_empty() {
            return Err(Unusable::AlgorithmMismatch);
        }
        let usable: Vec<_> = named.into_iter().filter(|named| allowed.contains(named)).collect();
        if usable.is_empty() { Err(Unusable::AlgorithmNotAllowed) } else { Ok(usable) }
    };
    match kty {
        "RSA" => {
            let candidates: Vec<_> = Algorithm::all().filter(|a| a.is_rsa()).collect();
            let usable = chosen(&candidates)?;
            // One key, one algorithm (RFC 8725 §3.1): without `alg`, the first that is allowed.
            let algorithm = allowed
                .iter()
                .find(|algorithm| usable.contains(algorithm))
                .ok_or(Unusable::AlgorithmNotAllowed)?;
            Ok(vec![rsa(entry, kid, *algorithm)?])
        }
        "EC" => {
            let (algorithm, coordinate) = match text(entry, "crv")? {
                "P-256" => (Algorithm::ES256, 32),
                "P-384" => (Algorithm::ES384, 48),
                "P-521" => (Algorithm::ES512, 66),
                _ => return Err(Unusable::Curve),
            };
            let point = point(entry, coordinate)?;
            each(&chosen(&[algorithm])?, |algorithm| VerificationKey::curve(kid, algorithm, &point))
        }
        "OKP" => {
            if text(entry, "crv")? != "Ed25519" {
                return Err(Unusable::Curve);
            }
            let x = bytes(entry, "x")?;
            let usable = chosen(&[Algorithm::EdDSA, Algorithm::Ed25519])?;
            each(&usable, |algorithm| VerificationKey::curve(kid, algorithm, &x))
        }
        "oct" => {
            // A secret in a document that was fetched is public knowledge (RFC 8725 §2.1).
            if origin == KeyOrigin::Fetched {
                return Err(Unusable::Symmetric);
            }
            let alg = alg.and_then(Algorithm::from_name).filter(|alg| alg.is_symmetric());
            let usable = chosen(&[alg.ok_or(Unusable::AlgorithmMismatch)?])?;
            let secret = bytes(entry, "k")?;
            each(&usable, |algorithm| VerificationKey::secret(kid, algorithm, &secret))
        }
        _ => Err(Unusable::KeyType),
    }
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3), alone and against each other.
fn intended_for_verification(entry: &Object) -> Result<(), Unusable> {
    if optional_text(entry, "use")?.is_some_and(|intended| intended != "sig") {
        return Err(Unusable::Use);
    }
    let Some(operations) = entry.get("key_ops") else { return Ok(()) };
    let operations = operations.as_array().ok_or(Unusable::KeyOps)?;
    let mut seen = Vec::with_capacity(operations.len());
    for operation in operations {
        let operation = operation.as_str().ok_or(Unusable::KeyOps)?;
        if seen.contains(&operation) || (entry.contains_key("use") && !is_signature(operation)) {
            return Err(Unusable::KeyOps);
        }
        seen.push(operation);
    }
    if seen.contains(&"verify") { Ok(()) } else { Err(Unusable::KeyOps) }
}

fn is_signature(operation: &str) -> bool {
    matches!(operation, "sign" | "verify")
}

fn rsa(
    entry: &Object,
    kid: Option<&str>,
    algorithm: Algorithm,
) -> Result<VerificationKey, Unusable> {
    let (n, e) = (bytes(entry, "n")?, bytes(entry, "e")?);
    let (n, e) = (without_leading_zeros(&n), without_leading_zeros(&e));
    if !(2048..=8192).contains(&bits(n)) {
        return Err(Unusable::RsaSize);
    }
    // The library looks at these when it verifies, so a useless key would count as a good one.
    if !is_odd(e) || e == [1] || bits(e) > 33 {
        return Err(Unusable::RsaExponent);
    }
    if !is_odd(n) {
        return Err(Unusable::Refused);
    }
    if roca::is_vulnerable(n) {
        return Err(Unusable::Roca);
    }
    VerificationKey::rsa(kid, algorithm, n, e).map_err(|KeyRefused| Unusable::Refused)
}

/// The uncompressed form of the point (SEC 1 §2.3.3); coordinates have the curve's full length
/// (RFC 7518 §6.2.1.2).
fn point(entry: &Object, coordinate: usize) -> Result<Vec<u8>, Unusable> {
    let (x, y) = (bytes(entry, "x")?, bytes(entry, "y")?);
    if x.len() != coordinate {
        return Err(Unusable::Member("x"));
    }
    if y.len() != coordinate {
        return Err(Unusable::Member("y"));
    }
    Ok([&[4], x.as_slice(), y.as_slice()].concat())
}

fn each(
    algorithms: &[Algorithm],
    key: impl Fn(Algorithm) -> Result<VerificationKey, KeyRefused>,
) -> Result<Vec<VerificationKey>, Unusable> {
    algorithms.iter().map(|&a| key(a).map_err(|KeyRefused| Unusable::Refused)).collect()
}

fn optional_text<'a>(entry: &'a Object, name: &'static str) -> Result<Option<&'a str>, Unusable> {
    match entry.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Unusable::Member(name)),
    }
}

fn text<'a>(entry: &'a Object, name: &'static str) -> Result<&'a str, Unusable> {
    optional_text(entry, name)?.ok_or(Unusable::Member(name))
}

fn bytes(entry: &Object, name: &'static str) -> Result<Vec<u8>, Unusable> {
    base64url::decode(text(entry, name)?).ok_or(Unusable::Member(name))
}

fn without_leading_zeros(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros..).unwrap_or_default()
}

fn is_odd(integer: &[u8]) -> bool {
    integer.last().is_some_and(|last| last % 2 == 1)
}

fn bits(integer: &[u8]) -> usize {
    let unused = integer.first().map_or(0, |first| first.leading_zeros() as usize);
    integer.len() * 8 - unused
}
