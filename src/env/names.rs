//! The names of all variables, and what to say about a name that is none of them.

use super::nearest::nearest;

pub(super) const PREFIX: &str = "PORTCULLIS_";
const FILE: &str = "_FILE";

pub(super) const ISSUER: &str = "PORTCULLIS_ISSUER";
pub(super) const AUDIENCE: &str = "PORTCULLIS_AUDIENCE";
pub(super) const PRESET: &str = "PORTCULLIS_PRESET";
pub(super) const MAX_ISSUERS: &str = "PORTCULLIS_MAX_ISSUERS";
pub(super) const AUDIENCE_CLAIM: &str = "PORTCULLIS_AUDIENCE_CLAIM";
pub(super) const JWKS_URI: &str = "PORTCULLIS_JWKS_URI";
pub(super) const JWKS: &str = "PORTCULLIS_JWKS";
pub(super) const ALGORITHMS: &str = "PORTCULLIS_ALGORITHMS";
pub(super) const PROFILE: &str = "PORTCULLIS_PROFILE";
pub(super) const LEEWAY: &str = "PORTCULLIS_LEEWAY";
pub(super) const REQUIRED_SCOPES: &str = "PORTCULLIS_REQUIRED_SCOPES";
pub(super) const ALLOWED_SCOPES: &str = "PORTCULLIS_ALLOWED_SCOPES";
pub(super) const GRANTED_WILDCARDS: &str = "PORTCULLIS_GRANTED_WILDCARDS";
pub(super) const SCOPE_CLAIMS: &str = "PORTCULLIS_SCOPE_CLAIMS";
pub(super) const REQUIRED_CLAIMS: &str = "PORTCULLIS_REQUIRED_CLAIMS";
pub(super) const CALLER_TABLE: &str = "PORTCULLIS_CALLER_TABLE";
pub(super) const CLIENT_CLAIMS: &str = "PORTCULLIS_CLIENT_CLAIMS";
pub(crate) const FIRST_PARTY_CLIENTS: &str = "PORTCULLIS_FIRST_PARTY_CLIENTS";
pub(crate) const FIRST_PARTY_CLAIM: &str = "PORTCULLIS_FIRST_PARTY_CLAIM";
pub(super) const REALM: &str = "PORTCULLIS_REALM";
pub(super) const RESOURCE: &str = "PORTCULLIS_RESOURCE";
pub(super) const SCOPES_SUPPORTED: &str = "PORTCULLIS_SCOPES_SUPPORTED";
pub(super) const MCP: &str = "PORTCULLIS_MCP";
pub(super) const SKIP_AUDIENCE: &str = "PORTCULLIS_SKIP_AUDIENCE";
pub(super) const ALLOW_HTTP: &str = "PORTCULLIS_ALLOW_HTTP";
pub(super) const JWKS_MAX_STALE: &str = "PORTCULLIS_JWKS_MAX_STALE";
pub(super) const JWKS_SNAPSHOT: &str = "PORTCULLIS_JWKS_SNAPSHOT";
pub(super) const TOKEN_CACHE: &str = "PORTCULLIS_TOKEN_CACHE";
pub(super) const INTROSPECTION_URI: &str = "PORTCULLIS_INTROSPECTION_URI";
pub(super) const INTROSPECTION_AUTH: &str = "PORTCULLIS_INTROSPECTION_AUTH";
pub(super) const CLIENT_ID: &str = "PORTCULLIS_CLIENT_ID";
pub(super) const CLIENT_SECRET: &str = "PORTCULLIS_CLIENT_SECRET";
pub(super) const TOKEN_URI: &str = "PORTCULLIS_TOKEN_URI";
pub(super) const INTROSPECTED_TOKENS: &str = "PORTCULLIS_INTROSPECTED_TOKENS";
pub(super) const INTROSPECTION_ANSWERS: &str = "PORTCULLIS_INTROSPECTION_ANSWERS";
pub(super) const INTROSPECTION_AUDIENCE: &str = "PORTCULLIS_INTROSPECTION_AUDIENCE";

/// What the floor above reads.
#[cfg_attr(
    not(feature = "sidecar"),
    allow(dead_code, unused_imports, reason = "known, and left alone")
)]
pub(crate) mod sidecar {
    pub(crate) use super::{FIRST_PARTY_CLAIM, FIRST_PARTY_CLIENTS};

    pub(crate) const UPSTREAM: &str = "PORTCULLIS_UPSTREAM";
    pub(crate) const LISTEN: &str = "PORTCULLIS_LISTEN";
    pub(crate) const ADMIN_LISTEN: &str = "PORTCULLIS_ADMIN_LISTEN";
    pub(crate) const MODE: &str = "PORTCULLIS_MODE";
    pub(crate) const RULES: &str = "PORTCULLIS_RULES";
    pub(crate) const FORWARD_TOKEN: &str = "PORTCULLIS_FORWARD_TOKEN";
    pub(crate) const CLAIM_HEADERS: &str = "PORTCULLIS_CLAIM_HEADERS";
    pub(crate) const TRUSTED_PROXIES: &str = "PORTCULLIS_TRUSTED_PROXIES";
    pub(crate) const TLS_CERT: &str = "PORTCULLIS_TLS_CERT";
    pub(crate) const TLS_KEY: &str = "PORTCULLIS_TLS_KEY";
    pub(crate) const DRAIN_TIMEOUT: &str = "PORTCULLIS_DRAIN_TIMEOUT";
    pub(crate) const LOG: &str = "PORTCULLIS_LOG";
    pub(crate) const LOG_FORMAT: &str = "PORTCULLIS_LOG_FORMAT";

    pub(crate) const JWKS: &str = super::JWKS;

    /// Whether the value is for nobody to see, or may be.
    pub(crate) fn is_secret(variable: &str) -> bool {
        [JWKS, super::CLIENT_SECRET, TLS_KEY].contains(&variable)
    }

    /// The engine's own.
    pub(crate) fn engine() -> impl Iterator<Item = &'static str> {
        super::KNOWN.into_iter().take_while(|name| *name != UPSTREAM)
    }
}

/// Every name there is, in the order in which faults are reported.
pub(crate) const KNOWN: [&str; 49] = [
    ISSUER,
    PRESET,
    MAX_ISSUERS,
    AUDIENCE,
    AUDIENCE_CLAIM,
    JWKS_URI,
    JWKS,
    ALGORITHMS,
    PROFILE,
    LEEWAY,
    REQUIRED_SCOPES,
    ALLOWED_SCOPES,
    GRANTED_WILDCARDS,
    SCOPE_CLAIMS,
    REQUIRED_CLAIMS,
    CALLER_TABLE,
    CLIENT_CLAIMS,
    FIRST_PARTY_CLIENTS,
    FIRST_PARTY_CLAIM,
    REALM,
    RESOURCE,
    SCOPES_SUPPORTED,
    MCP,
    SKIP_AUDIENCE,
    ALLOW_HTTP,
    JWKS_MAX_STALE,
    JWKS_SNAPSHOT,
    TOKEN_CACHE,
    INTROSPECTION_URI,
    INTROSPECTION_AUTH,
    CLIENT_ID,
    CLIENT_SECRET,
    TOKEN_URI,
    INTROSPECTED_TOKENS,
    INTROSPECTION_ANSWERS,
    INTROSPECTION_AUDIENCE,
    sidecar::UPSTREAM,
    sidecar::LISTEN,
    sidecar::ADMIN_LISTEN,
    sidecar::MODE,
    sidecar::RULES,
    sidecar::FORWARD_TOKEN,
    sidecar::CLAIM_HEADERS,
    sidecar::TRUSTED_PROXIES,
    sidecar::TLS_CERT,
    sidecar::TLS_KEY,
    sidecar::DRAIN_TIMEOUT,
    sidecar::LOG,
    sidecar::LOG_FORMAT,
];

/// How a variable is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `NAME`: the value itself.
    Value,
    /// `NAME_FILE`: the path of a file that holds it.
    File,
}

/// The variable that goes by this name.
pub(super) fn known(name: &str) -> Option<(&'static str, Form)> {
    let find = |name: &str| KNOWN.into_iter().find(|known| *known == name);
    match name.strip_suffix(FILE) {
        Some(stem) => find(stem).map(|known| (known, Form::File)),
        None => find(name).map(|known| (known, Form::Value)),
    }
}

/// The name of a variable in this form.
pub(super) fn in_form(variable: &str, form: Form) -> String {
    match form {
        Form::Value => variable.to_owned(),
        Form::File => format!("{variable}{FILE}"),
    }
}

/// The place of a variable in the order of reports.
pub(super) fn position(variable: &str) -> usize {
    KNOWN.iter().position(|known| *known == variable).unwrap_or(KNOWN.len())
}

/// What `name` was probably meant to be.
pub(super) fn suggestion(name: &str) -> Option<String> {
    let name = name.strip_prefix(PREFIX)?;
    let names = KNOWN.iter().filter_map(|known| known.strip_prefix(PREFIX)).map(str::to_owned);
    let known = match name.strip_suffix(FILE) {
        // The ending is right and must not make up for the rest.
        Some(stem) => nearest(stem, names)? + FILE,
        None => nearest(name, names.flat_map(|known| [known.clone(), known + FILE]))?,
    };
    Some(format!("{PREFIX}{known}"))
}

#[cfg(test)]
mod tests {
    use super::super::kubernetes;
    use super::*;

    #[test]
    fn every_name_is_known_in_both_forms() {
        for name in KNOWN {
            assert_eq!(known(name), Some((name, Form::Value)));
            assert_eq!(known(&format!("{name}_FILE")), Some((name, Form::File)));
            assert_eq!(known(&format!("{name}_FILE_FILE")), None);
            assert_eq!(known(&name.to_lowercase()), None);
        }
        for name in ["PORTCULLIS_", "PORTCULLIS__FILE", "_FILE", "", "ISSUER"] {
            assert_eq!(known(name), None, "{name}");
        }
    }

    #[test]
    fn no_known_name_looks_like_a_service_link() {
        for name in KNOWN {
            for form in [Form::Value, Form::File] {
                let name = in_form(name, form);
                assert!(!kubernetes::is_service_link(&name, "tcp://10.0.0.1:80".as_ref()));
            }
        }
    }

    #[test]
    fn the_nearest_name_is_suggested_when_it_is_near_enough() {
        for (name, expected) in [
            ("PORTCULLIS_ISSUERS", Some("PORTCULLIS_ISSUER")),
            ("PORTCULLIS_ISUER_FILE", Some("PORTCULLIS_ISSUER_FILE")),
            ("PORTCULLIS_ISSUER_FIEL", Some("PORTCULLIS_ISSUER_FILE")),
            ("PORTCULLIS_AUDIENCES", Some("PORTCULLIS_AUDIENCE")),
            ("PORTCULLIS_AUDEINCE", Some("PORTCULLIS_AUDIENCE")),
            ("PORTCULLIS_JWKS_URL", Some("PORTCULLIS_JWKS_URI")),
            ("PORTCULLIS_JWK", Some("PORTCULLIS_JWKS")),
            ("PORTCULLIS_JWKS_SNAPSHOTS", Some("PORTCULLIS_JWKS_SNAPSHOT")),
            ("PORTCULLIS_REQUIRED_SCOPE", Some("PORTCULLIS_REQUIRED_SCOPES")),
            ("PORTCULLIS_REQUIRED_CLAIM", Some("PORTCULLIS_REQUIRED_CLAIMS")),
            ("PORTCULLIS_UPSTEAM", Some("PORTCULLIS_UPSTREAM")),
            ("PORTCULLIS_leeway", Some("PORTCULLIS_LEEWAY")),
            ("PORTCULLIS_LEWAY_FILE", Some("PORTCULLIS_LEEWAY_FILE")),
            ("PORTCULLIS_JWKS_FILE_FILE", None),
            ("PORTCULLIS__FILE", None),
            ("PORTCULLIS_", None),
            ("PORTCULLIS_X", None),
            ("PORTCULLIS_SOMETHING_ELSE_ENTIRELY", None),
        ] {
            assert_eq!(suggestion(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_manual_names_every_variable_that_is_read_here() {
        let manual = include_str!("mod.rs");
        for name in sidecar::engine() {
            assert!(manual.contains(&format!("//! | `{name}` |")), "{name}");
        }
    }
}
