//! Access tokens and nothing else: what `typ` and claims say about the kind of JWT
//! (RFC 8725 §3.11 and §3.12, RFC 9068 §4).

use crate::jose::json::{Json, Members};
use crate::rejection_kind::RejectionKind;

/// How closely tokens must follow RFC 9068.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// What deployed authorization servers send: `typ` absent, `JWT` or `at+jwt`; `iss`, `exp` and
    /// `aud` required; scope as a string or an array. Other kinds of JWT are refused all the same.
    #[default]
    Compatible,
    /// RFC 9068 to the letter: `typ` is `at+jwt`; `iss`, `exp`, `aud`, `sub`, `client_id`, `iat`
    /// and `jti` are required; scope is a string.
    Rfc9068,
}

impl Profile {
    fn accepts(self, typ: Option<&str>) -> bool {
        match self {
            Self::Compatible => matches!(typ, None | Some("jwt" | "at+jwt")),
            Self::Rfc9068 => typ == Some("at+jwt"),
        }
    }

    /// Claims that must be there besides `iss`, `exp` and `aud`.
    pub(super) fn required_claims(self) -> &'static [&'static str] {
        match self {
            Self::Compatible => &[],
            Self::Rfc9068 => &["sub", "client_id", "iat", "jti"],
        }
    }

    /// `typ` as the header parser returns it.
    pub(super) fn check(self, typ: Option<&str>) -> Result<(), RejectionKind> {
        if self.accepts(typ) { Ok(()) } else { Err(RejectionKind::WrongTokenType) }
    }
}

/// What no profile accepts, known before the issuer is.
pub(super) fn check_header(typ: Option<&str>) -> Result<(), RejectionKind> {
    Profile::Compatible.check(typ)
}

/// Claims that only other kinds of JWT have: ID tokens (OpenID Connect Core §2, §3.3.2.11; FAPI for
/// `s_hash`), logout and security event tokens (RFC 8417 §2.2), DPoP proofs (RFC 9449 §4.2),
/// introspection answers (RFC 9701 §5) and status lists.
fn is_foreign(claim: &str) -> bool {
    matches!(
        claim,
        "nonce"
            | "at_hash"
            | "c_hash"
            | "s_hash"
            | "events"
            | "htm"
            | "htu"
            | "token_introspection"
            | "status_list"
    )
}

/// Keycloak says the kind in a claim.
const FOREIGN_TYP_CLAIMS: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];

/// What shows that a JWT is made for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "sidecar"), allow(dead_code, reason = "only explanations say which"))]
pub(crate) enum ForeignSign<'a> {
    /// A claim that no access token has.
    Claim(&'a str),
    /// The kind, as the claim `typ` says it.
    TypClaim(&'a str),
    /// `iss` and `sub` are the same: a client assertion.
    SpeaksAboutItself,
    /// No scope, and the audience is the client itself: an ID token.
    ForItsOwnClient,
}

/// Refuses JWTs that are made for something else, whatever their header says.
pub(super) fn check_claims(
    claims: &Members<'_>,
    typ: Option<&str>,
    has_scope: bool,
) -> Result<(), RejectionKind> {
    match foreign_sign(claims, typ, has_scope) {
        Some(_) => Err(RejectionKind::WrongTokenType),
        None => Ok(()),
    }
}

pub(super) fn foreign_sign<'a>(
    claims: &'a Members<'_>,
    typ: Option<&str>,
    has_scope: bool,
) -> Option<ForeignSign<'a>> {
    if let Some(name) = claims.names().find(|name| is_foreign(name)) {
        return Some(ForeignSign::Claim(name));
    }
    if let Some(typ) = text(claims, "typ").filter(|typ| FOREIGN_TYP_CLAIMS.contains(typ)) {
        return Some(ForeignSign::TypClaim(typ));
    }
    if is_client_assertion(claims) {
        return Some(ForeignSign::SpeaksAboutItself);
    }
    let own = typ != Some("at+jwt") && !has_scope && is_for_its_own_client(claims);
    own.then_some(ForeignSign::ForItsOwnClient)
}

/// A client that speaks about itself (RFC 7523 §3).
fn is_client_assertion(claims: &Members<'_>) -> bool {
    text(claims, "iss").is_some_and(|iss| text(claims, "sub") == Some(iss))
}

/// An ID token's audience is the client it was issued to. An access token may look alike where an
/// application and its API share one registration; then it carries scope.
fn is_for_its_own_client(claims: &Members<'_>) -> bool {
    let is_client = |audience: &Json<'_>| {
        ["azp", "client_id"].iter().any(|name| {
            let client = text(claims, name);
            client.is_some() && client == audience.as_str()
        })
    };
    match claims.get("aud") {
        Some(Json::Array(audiences)) => !audiences.is_empty() && audiences.iter().all(is_client),
        Some(audience) => is_client(audience),
        None => false,
    }
}

fn text<'a>(claims: &'a Members<'_>, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::json;

    fn judge(claims: &str, typ: Option<&str>, has_scope: bool) -> bool {
        check_claims(&json::members(claims).unwrap(), typ, has_scope).is_ok()
    }

    #[test]
    fn at_01_at_10_typ_by_profile() {
        for (typ, compatible, strict) in [
            (None, true, false),
            (Some("jwt"), true, false),
            (Some("at+jwt"), true, true),
            (Some("id+jwt"), false, false),
            (Some("at+jwt; x=1"), false, false),
            (Some("dpop+jwt"), false, false),
            (Some("logout+jwt"), false, false),
            (Some("token-introspection+jwt"), false, false),
            (Some("statuslist+jwt"), false, false),
            (Some("secevent+jwt"), false, false),
            (Some("oauth-authz-req+jwt"), false, false),
            (Some("client-authentication+jwt"), false, false),
            (Some(""), false, false),
        ] {
            assert_eq!(Profile::Compatible.check(typ).is_ok(), compatible, "{typ:?}");
            assert_eq!(Profile::Rfc9068.check(typ).is_ok(), strict, "{typ:?}");
        }
    }

    #[test]
    fn at_08_other_kinds_are_known_by_their_claims() {
        for typ in [None, Some("jwt"), Some("at+jwt")] {
            for claims in [
                r#"{"nonce":"n"}"#,
                r#"{"at_hash":"h"}"#,
                r#"{"c_hash":"h"}"#,
                r#"{"s_hash":"h"}"#,
                r#"{"htm":"GET"}"#,
                r#"{"htu":"https://rs.example/"}"#,
                r#"{"token_introspection":{"active":true}}"#,
                r#"{"status_list":{"bits":1,"lst":"x"}}"#,
                r#"{"events":{}}"#,
                r#"{"nonce":null}"#,
                r#"{"typ":"ID"}"#,
                r#"{"typ":"Refresh"}"#,
                r#"{"typ":"Offline"}"#,
                r#"{"typ":"Logout"}"#,
                r#"{"iss":"c1","sub":"c1"}"#,
            ] {
                assert!(!judge(claims, typ, true), "{claims} {typ:?}");
            }
        }
        assert!(judge(r#"{"typ":"Bearer","iss":"i","sub":"s"}"#, Some("jwt"), false));
    }

    #[test]
    fn at_08_a_token_for_its_own_client_without_scope_is_an_id_token() {
        for claims in [
            r#"{"aud":"c1","azp":"c1"}"#,
            r#"{"aud":["c1"],"client_id":"c1"}"#,
            r#"{"aud":["c1","c1"],"client_id":"c1"}"#,
        ] {
            assert!(!judge(claims, Some("jwt"), false), "{claims}");
            assert!(!judge(claims, None, false), "{claims}");
            assert!(judge(claims, Some("jwt"), true), "{claims}");
            assert!(judge(claims, Some("at+jwt"), false), "{claims}");
        }
        assert!(judge(r#"{"aud":["c1","api"],"azp":"c1"}"#, Some("jwt"), false));
        assert!(judge(r#"{"aud":[],"azp":"c1"}"#, Some("jwt"), false));
        assert!(judge(r#"{"aud":"api","azp":"c1"}"#, Some("jwt"), false));
    }
}
