//! The claims, check by check.

use std::iter;
use std::time::SystemTime;

use super::report::{Check, Line};
use super::{lifetime, values};
use crate::authentication::{ClaimCheck, ForeignSign, IssuerPolicy, Profile, TrustedIssuer};
use crate::clock::NumericDate;
use crate::jose::json::{Json, Members};
use crate::rejection_kind::RejectionKind;
use crate::sidecar::words::{enumerate, list, shown};

const DETAILS: &str = "authorization_details";

pub(super) fn lines(
    issuer: &TrustedIssuer,
    claims: &Members<'_>,
    typ: Option<&str>,
    date: NumericDate,
    now: SystemTime,
) -> Vec<Line> {
    let policy = issuer.policy();
    let line = |check| {
        let result = issuer.check(check, claims, typ, date);
        match check {
            ClaimCheck::Presence => profile(&policy, claims, result),
            ClaimCheck::Lifetime => lifetime::line(&policy, claims, now, result),
            ClaimCheck::Audience => audience(&policy, claims, result),
            ClaimCheck::Identity => identity(&policy, claims, result),
            ClaimCheck::Scope => scope(issuer, claims, result),
            ClaimCheck::Details => details(claims, result),
            ClaimCheck::Kind => kind(issuer.foreign_sign(claims, typ), claims, result),
            ClaimCheck::Binding => binding(claims, result),
            ClaimCheck::Required => required(&policy, claims, result),
        }
    };
    // Few tokens have it, and of those that have not there is nothing to say.
    let is_about_something =
        |check: &ClaimCheck| *check != ClaimCheck::Details || claims.contains(DETAILS);
    ClaimCheck::ALL.into_iter().filter(is_about_something).map(line).collect()
}

type Checked = Result<(), RejectionKind>;

fn profile(policy: &IssuerPolicy<'_>, claims: &Members<'_>, result: Checked) -> Line {
    let wanted = policy.profile_claims;
    let missing: Vec<_> = wanted.iter().copied().filter(|name| !claims.contains(name)).collect();
    let found = if missing.is_empty() {
        "no claim is missing".to_owned()
    } else {
        format!("{} missing", enumerate(missing.into_iter().map(str::to_owned), ", "))
    };
    let expected = match policy.profile {
        Profile::Compatible => "the profile compatible asks for iss, exp and aud alone".to_owned(),
        Profile::Rfc9068 => format!("the profile rfc9068 asks for {} too", wanted.join(", ")),
    };
    Line::new(Check::Profile, result, found, expected)
}

fn audience(policy: &IssuerPolicy<'_>, claims: &Members<'_>, result: Checked) -> Line {
    let name = policy.audience_claim;
    let found = match claims.get(name) {
        // A list of one looks like a list of several, as which it is compared.
        Some(Json::String(audience)) => format!("{name} is {}", list([audience.as_ref()])),
        _ => values::member(claims, name),
    };
    let expected = match policy.audiences {
        Some([only]) => format!("this API accepts {}", shown(only)),
        Some(many) => {
            format!("this API accepts one of {}", list(many.iter().map(AsRef::as_ref)))
        }
        None => "this API accepts any, even none".to_owned(),
    };
    Line::new(Check::Audience, result, found, expected)
}

fn identity(policy: &IssuerPolicy<'_>, claims: &Members<'_>, result: Checked) -> Line {
    let client_claims = policy.client_claims.iter().map(AsRef::as_ref);
    let who: Vec<&str> = iter::once("sub").chain(client_claims).collect();
    let is_good = |name: &&str| {
        claims.get(name).is_none_or(|value| value.as_str().is_some_and(|text| !text.is_empty()))
    };
    let found = match who.iter().copied().chain(["jti"]).find(|name| !is_good(name)) {
        Some(name) if result.is_err() => values::member(claims, name),
        None if result.is_err() => "act is no chain of parties with a sub".to_owned(),
        _ => {
            let told: Vec<_> = who.iter().filter(|name| claims.contains(name)).collect();
            match told.as_slice() {
                [] => format!("{} are missing", enumerate_names(&who)),
                names => {
                    let texts = names.iter().map(|name| values::short_member(claims, name));
                    texts.collect::<Vec<_>>().join(", ")
                }
            }
        }
    };
    Line::new(Check::Identity, result, found, "strings that are not empty, if they are there")
}

/// `a, b and c`.
fn enumerate_names(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

fn scope(issuer: &TrustedIssuer, claims: &Members<'_>, result: Checked) -> Line {
    let policy = issuer.policy();
    let names: Vec<_> = policy.scope_claims.iter().map(AsRef::as_ref).collect();
    let name = names.iter().copied().find(|name| claims.contains(name));
    let found = match (name, issuer.granted(claims)) {
        (None, _) => format!("there is no {}, so nothing is granted", names.join(" or ")),
        (Some(name), Ok(granted)) => format!("{} grants {}", shown(name), list(granted.iter())),
        (Some(name), Err(_)) if matches!(claims.get(name), Some(Json::String(_))) => {
            format!("{} is too long", shown(name))
        }
        (Some(name), Err(_)) => values::member(claims, name),
    };
    let expected = match policy.profile {
        Profile::Compatible => "a string or an array of strings, 8192 bytes and 256 scopes at most",
        Profile::Rfc9068 => "a string, 8192 bytes and 256 scopes at most",
    };
    Line::new(Check::ScopeClaim, result, found, expected)
}

fn details(claims: &Members<'_>, result: Checked) -> Line {
    let found = match claims.get(DETAILS) {
        Some(Json::Array(details)) => match details.iter().map(type_of).collect::<Option<Vec<_>>>()
        {
            Some(types) => {
                format!("{DETAILS} of the types {}, by which nothing is granted", list(types))
            }
            None => format!("{DETAILS} has an item that is no object with a type"),
        },
        _ => values::member(claims, DETAILS),
    };
    Line::new(
        Check::Details,
        result,
        found,
        "an array of objects, each with a type that is a string",
    )
}

fn type_of<'a>(detail: &'a Json<'_>) -> Option<&'a str> {
    let Json::Object(detail) = detail else { return None };
    detail.get("type")?.as_str().filter(|text| !text.is_empty())
}

fn kind(sign: Option<ForeignSign<'_>>, claims: &Members<'_>, result: Checked) -> Line {
    let found = match sign {
        None => "an access token, as far as its claims show".to_owned(),
        Some(ForeignSign::Claim(name)) => {
            format!("the claim {} shows that it is {}", shown(name), kind_with(name))
        }
        Some(ForeignSign::TypClaim(_)) => values::member(claims, "typ"),
        Some(ForeignSign::SpeaksAboutItself) => {
            "iss and sub are the same, so it is a client assertion".to_owned()
        }
        Some(ForeignSign::ForItsOwnClient) => {
            "aud is the client itself and there is no scope, so it is an ID token".to_owned()
        }
    };
    Line::new(Check::Kind, result, found, "an access token and no other kind of JWT")
}

/// What has such a claim.
fn kind_with(claim: &str) -> &'static str {
    match claim {
        "nonce" | "at_hash" | "c_hash" | "s_hash" => "an ID token",
        "events" => "a logout token or security event",
        "htm" | "htu" => "a DPoP proof",
        "token_introspection" => "an introspection answer",
        "status_list" => "a status list",
        _ => "another kind of JWT",
    }
}

fn binding(claims: &Members<'_>, result: Checked) -> Line {
    let found = match claims.get("cnf") {
        None => "it is bound to no key".to_owned(),
        Some(Json::Object(_)) if result.is_ok() => {
            "cnf binds it to a client certificate, with which it must be shown".to_owned()
        }
        Some(Json::Object(methods)) => {
            format!("cnf binds it to a key by {}", list(methods.names()))
        }
        Some(_) => values::member(claims, "cnf"),
    };
    let expected = "bound to nothing, or to a client certificate by x5t#S256, which is 32 bytes";
    Line::new(Check::Binding, result, found, expected)
}

fn required(policy: &IssuerPolicy<'_>, claims: &Members<'_>, result: Checked) -> Line {
    if policy.required_claims.is_empty() {
        return Line::new(Check::RequiredClaims, result, "none are required", "");
    }
    let holds =
        |name: &str, value: &str| claims.get(name).and_then(|claim| claim.as_str()) == Some(value);
    // Those that are not met, or all of them.
    let wanted = |all: bool| {
        policy.required_claims.iter().filter(move |(name, value)| all || !holds(name, value))
    };
    let all = result.is_ok();
    let found = wanted(all).map(|(name, _)| values::member(claims, name));
    let expected = wanted(all).map(|(name, value)| format!("{}={}", shown(name), shown(value)));
    Line::new(
        Check::RequiredClaims,
        result,
        enumerate(found, ", "),
        format!("this API requires {}", enumerate(expected, " ")),
    )
}
