//! The header, its algorithm and its type.

use super::report::{Check, Line, Outcome};
use super::values;
use crate::authentication::{Authenticator, Profile, TrustedIssuer, check_typ};
use crate::jose::json::{Json, Members, Object};
use crate::jose::{Algorithm, JoseHeader, JwsError};
use crate::rejection_kind::RejectionKind;

type Parsed<'a> = Result<JoseHeader<'a>, JwsError>;

/// `typ` as the engine reads it; `None` where it cannot be read.
pub(super) fn typ(raw: Option<&Members<'_>>, parsed: &Parsed<'_>) -> Option<Option<String>> {
    match parsed {
        Ok(header) => Some(header.typ.as_deref().map(str::to_owned)),
        Err(_) => {
            let sound = only(raw?, &["typ"]);
            let header = JoseHeader::parse(sound.as_bytes()).ok()?;
            Some(header.typ.map(std::borrow::Cow::into_owned))
        }
    }
}

pub(super) fn lines(
    authenticator: &Authenticator,
    issuer: Option<&TrustedIssuer>,
    raw: Option<&Members<'_>>,
    parsed: &Parsed<'_>,
    typ: &Option<Option<String>>,
) -> [Line; 3] {
    let Some(raw) = raw else {
        let found = "the first part is not one strict JSON object in UTF-8";
        let fault = Outcome::Fail(RejectionKind::MalformedToken);
        let why = "the header cannot be read";
        return [
            Line::new(Check::Header, fault, found, "names once each, 16 levels at most"),
            Line::skipped(Check::Algorithm, why),
            Line::skipped(Check::Type, why),
        ];
    };
    [
        header_line(raw, parsed),
        algorithm_line(authenticator, issuer, raw, parsed),
        match typ {
            Some(typ) => type_line(issuer, raw, typ.as_deref()),
            None => Line::skipped(Check::Type, "typ is no string"),
        },
    ]
}

/// What is wrong with the header apart from its algorithm.
fn header_line(raw: &Members<'_>, parsed: &Parsed<'_>) -> Line {
    let fail = |kind, found: &str, expected: &str| {
        Line::new(Check::Header, Outcome::Fail(kind), found, expected)
    };
    match parsed {
        Err(JwsError::Extension) => {
            let found = match ["crit", "b64"].into_iter().find(|name| raw.contains(name)) {
                Some(name) => format!("{name} is there"),
                None => "cty says that there is a JWT inside of the JWT".to_owned(),
            };
            fail(
                RejectionKind::UnsupportedExtension,
                &found,
                "no extension that must be understood",
            )
        }
        Err(JwsError::Malformed | JwsError::Encrypted) => {
            let is_text = |name: &&str| raw.get(name).is_none_or(|value| value.as_str().is_some());
            let found = match ["typ", "cty"].into_iter().find(|name| !is_text(name)) {
                Some(name) => values::member(raw, name),
                None => values::member(raw, "kid"),
            };
            fail(RejectionKind::MalformedToken, &found, "strings, kid of 1 to 256 bytes")
        }
        Err(JwsError::Algorithm) if JoseHeader::parse(with_algorithm(raw).as_bytes()).is_err() => {
            Line::skipped(Check::Header, "without a known alg it is not read on")
        }
        Ok(_) | Err(JwsError::Algorithm) => {
            Line::new(Check::Header, Outcome::Pass, "one JSON object, no critical extension", "")
        }
    }
}

/// Issuers of a sidecar allow the same algorithms. Where they do not, the engine looks at what any
/// of them allows before the type, and at what this one allows after it.
fn algorithm_line(
    authenticator: &Authenticator,
    issuer: Option<&TrustedIssuer>,
    raw: &Members<'_>,
    parsed: &Parsed<'_>,
) -> Line {
    let allowed = match issuer {
        Some(issuer) => issuer.policy().algorithms,
        None => authenticator.algorithms(),
    };
    let named = raw.get("alg").and_then(Json::as_str);
    let is_allowed = !matches!(parsed, Err(JwsError::Algorithm))
        && named.and_then(Algorithm::from_name).is_some_and(|named| allowed.contains(&named));
    let result = if is_allowed { Ok(()) } else { Err(RejectionKind::AlgorithmNotAllowed) };
    let found = match named {
        Some("none") => "alg is \"none\": the token is not signed".to_owned(),
        _ => values::member(raw, "alg"),
    };
    let names: Vec<_> = allowed.iter().map(|algorithm| algorithm.name()).collect();
    let expected = format!("this API accepts {}", names.join(" "));
    Line::new(Check::Algorithm, result, found, expected)
}

fn type_line(issuer: Option<&TrustedIssuer>, raw: &Members<'_>, typ: Option<&str>) -> Line {
    let expected = match issuer.map(|issuer| issuer.policy().profile) {
        Some(Profile::Rfc9068) => "this API accepts at+jwt",
        Some(Profile::Compatible) | None => "this API accepts at+jwt, JWT or none",
    };
    let result = check_typ(issuer, typ);
    Line::new(Check::Type, result, values::member(raw, "typ"), expected)
}

/// The header with an algorithm that is known.
fn with_algorithm(raw: &Members<'_>) -> String {
    let mut header = Object::from(raw.clone());
    header.insert("alg".to_owned(), Algorithm::RS256.name().into());
    serde_json::Value::Object(header).to_string()
}

/// A header with these members of `raw` and nothing wrong besides.
fn only(raw: &Members<'_>, names: &[&str]) -> String {
    let mut header = Object::from(raw.clone());
    header.retain(|name, _| names.contains(&name.as_str()));
    header.insert("alg".to_owned(), Algorithm::RS256.name().into());
    serde_json::Value::Object(header).to_string()
}
