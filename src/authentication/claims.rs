//! Registered claims by type (RFC 7519 §4.1): a claim of the wrong type is not a missing claim.

use crate::clock::NumericDate;
use crate::jose::json::{Json, Members};
use crate::rejection_kind::RejectionKind;

/// A string that is not empty.
pub(super) fn text<'a>(
    claims: &'a Members<'_>,
    name: &str,
) -> Result<Option<&'a str>, RejectionKind> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(RejectionKind::MalformedClaim),
    }
}

/// A JSON number of seconds, fractions allowed (RFC 7519 §2).
pub(super) fn date(claims: &Members<'_>, name: &str) -> Result<Option<NumericDate>, RejectionKind> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Number(number)) => number
            .as_f64()
            .and_then(NumericDate::new)
            .map(Some)
            .ok_or(RejectionKind::MalformedClaim),
        Some(_) => Err(RejectionKind::MalformedClaim),
    }
}

/// Whether `aud`, or the claim that stands for it, a string or an array of strings, holds one of
/// `accepted`. Exact comparison.
pub(super) fn audience_is_one_of(
    claims: &Members<'_>,
    name: &str,
    accepted: &[Box<str>],
) -> Result<bool, RejectionKind> {
    let is_ours = |audience: &str| accepted.iter().any(|ours| **ours == *audience);
    match claims.get(name) {
        None => Err(RejectionKind::MissingClaim),
        Some(Json::String(audience)) => Ok(is_ours(audience)),
        Some(Json::Array(audiences)) => {
            let mut found = false;
            for audience in audiences {
                found |= is_ours(audience.as_str().ok_or(RejectionKind::MalformedClaim)?);
            }
            Ok(found)
        }
        Some(_) => Err(RejectionKind::MalformedClaim),
    }
}

/// Whether `authorization_details`, where it is there, is an array of objects of which each says its
/// `type` (RFC 9396 §2). Nothing is granted by it here; but a list that nobody can read may have been
/// meant to narrow what the token is for.
pub(super) fn details(claims: &Members<'_>) -> Result<(), RejectionKind> {
    let Some(details) = claims.get("authorization_details") else { return Ok(()) };
    let is_typed = |detail: &Json<'_>| match detail {
        Json::Object(detail) => matches!(text(detail, "type"), Ok(Some(_))),
        _ => false,
    };
    match details {
        Json::Array(details) if details.iter().all(is_typed) => Ok(()),
        _ => Err(RejectionKind::MalformedClaim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::json;

    fn claims(text: &str) -> Members<'_> {
        json::members(text).unwrap()
    }

    #[test]
    fn jwt_05_dates_are_numbers() {
        assert_eq!(date(&claims("{}"), "exp"), Ok(None));
        assert!(date(&claims(r#"{"exp":1700000000.5}"#), "exp").unwrap().is_some());
        for value in ["\"1700000000\"", "null", "-1", "true", "[1]", "9007199254740994", "1e300"] {
            let object = format!(r#"{{"exp":{value}}}"#);
            let claims = claims(&object);
            assert_eq!(date(&claims, "exp"), Err(RejectionKind::MalformedClaim), "{value}");
        }
    }

    #[test]
    fn jwt_12_identifiers_are_strings_with_content() {
        assert_eq!(text(&claims(r#"{"sub":"u1"}"#), "sub"), Ok(Some("u1")));
        for value in ["7", "\"\"", "null", "[]", "{}"] {
            let object = format!(r#"{{"sub":{value}}}"#);
            let claims = claims(&object);
            assert_eq!(text(&claims, "sub"), Err(RejectionKind::MalformedClaim), "{value}");
        }
    }

    #[test]
    fn f66_rar_01_each_authorization_detail_says_its_type() {
        let judge = |value: &str| {
            let object = format!(r#"{{"authorization_details":{value}}}"#);
            details(&claims(&object))
        };
        assert_eq!(details(&claims("{}")), Ok(()));
        for good in [
            "[]",
            r#"[{"type":"payment_initiation"}]"#,
            r#"[{"type":"a","actions":["read"]},{"type":"a","x":{"type":7}}]"#,
        ] {
            assert_eq!(judge(good), Ok(()), "{good}");
        }
        for bad in [
            "{}",
            "[{}]",
            "null",
            "7",
            r#""[]""#,
            r#"{"type":"a"}"#,
            r#"["a"]"#,
            r#"[{"type":7}]"#,
            r#"[{"type":""}]"#,
            r#"[{"Type":"a"}]"#,
            r#"[[{"type":"a"}]]"#,
            r#"[{"type":"a"},{}]"#,
        ] {
            assert_eq!(judge(bad), Err(RejectionKind::MalformedClaim), "{bad}");
        }
    }

    #[test]
    fn jwt_10_res_02_audiences_are_compared_exactly() {
        let accepted = ["https://rs.example".into(), "api".into()];
        let judge = |aud: &str| {
            audience_is_one_of(&claims(&format!(r#"{{"aud":{aud}}}"#)), "aud", &accepted)
        };
        for ours in [r#""https://rs.example""#, r#"["x","https://rs.example"]"#, r#""api""#] {
            assert_eq!(judge(ours), Ok(true), "{ours}");
        }
        for other in
            ["[]", r#"["x"]"#, r#""https://rs.example/""#, r#""https://rs.example/x""#, r#""""#]
        {
            assert_eq!(judge(other), Ok(false), "{other}");
        }
        for malformed in [r#"["https://rs.example",1]"#, "{}", "7", "null", r#"[["api"]]"#] {
            assert_eq!(judge(malformed), Err(RejectionKind::MalformedClaim), "{malformed}");
        }
        let missing = audience_is_one_of(&claims(r#"{"aud":"api"}"#), "app_id", &accepted);
        assert_eq!(missing, Err(RejectionKind::MissingClaim));
    }
}
