//! Sender constraint (RFC 7800 `cnf`): a bound token is never accepted as a plain bearer token.

use crate::jose::json::{Json, Members};
use crate::rejection_kind::RejectionKind;

/// Confirmation methods of RFC 9449 §6.1 and RFC 8705 §3.1.
const KNOWN: [&str; 2] = ["jkt", "x5t#S256"];

/// Refuses every token with `cnf`: presenting it as a bearer token proves possession of nothing.
///
/// A method that we do not know is refused too, although RFC 7800 §3.1 would let us ignore it:
/// that would turn a bound token into a bearer token.
pub(super) fn check_unbound(claims: &Members<'_>) -> Result<(), RejectionKind> {
    let Some(confirmation) = claims.get("cnf") else { return Ok(()) };
    let Json::Object(methods) = confirmation else { return Err(RejectionKind::MalformedClaim) };
    let well_formed = KNOWN
        .iter()
        .filter_map(|name| methods.get(name))
        .all(|method| method.as_str().is_some_and(|value| !value.is_empty()));
    let known = KNOWN.iter().any(|name| methods.contains(name));
    Err(if known && well_formed {
        RejectionKind::SenderConstrained
    } else {
        RejectionKind::MalformedClaim
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::json;

    fn judge(claims: &str) -> Result<(), RejectionKind> {
        check_unbound(&json::members(claims).unwrap())
    }

    #[test]
    fn f53_f56_bound_tokens_are_refused_as_bearer() {
        assert_eq!(judge("{}"), Ok(()));
        for cnf in [r#"{"jkt":"t"}"#, r#"{"x5t#S256":"t"}"#, r#"{"jkt":"t","x5t#S256":"t"}"#] {
            let claims = format!(r#"{{"cnf":{cnf}}}"#);
            assert_eq!(judge(&claims), Err(RejectionKind::SenderConstrained), "{cnf}");
        }
    }

    #[test]
    fn f58_malformed_or_unknown_confirmation_is_refused() {
        for cnf in [r#""x""#, "null", "{}", "[]", r#"{"jkt":7}"#, r#"{"jkt":""}"#, r#"{"jwk":{}}"#]
        {
            let claims = format!(r#"{{"cnf":{cnf}}}"#);
            assert_eq!(judge(&claims), Err(RejectionKind::MalformedClaim), "{cnf}");
        }
    }
}
