//! What the variables say about asking the authorization server.

use super::keys::Keys;
use super::names::*;
#[cfg(feature = "introspection")]
use super::source::Read;
use super::source::Source;
use super::values;
use crate::authentication::Issuer;
#[cfg(feature = "introspection")]
use crate::introspection::Introspection;

/// Everything that has no use without [`INTROSPECTION_URI`].
const OTHERS: [&str; 7] = [
    INTROSPECTION_AUTH,
    CLIENT_ID,
    CLIENT_SECRET,
    TOKEN_URI,
    INTROSPECTED_TOKENS,
    INTROSPECTION_ANSWERS,
    INTROSPECTION_AUDIENCE,
];

/// How the one issuer is asked, if at all.
pub(super) struct Introspected {
    #[cfg(feature = "introspection")]
    introspection: Option<Introspection>,
}

impl Introspected {
    #[cfg(not(feature = "introspection"))]
    pub(super) fn read(source: &mut Source, _: usize, _: &Keys) -> Self {
        for variable in [INTROSPECTION_URI].into_iter().chain(OTHERS) {
            if !source.read(variable, values::text).is_unset() {
                source.fault(variable, "needs a build with the feature introspection");
            }
        }
        Self {}
    }

    #[cfg(not(feature = "introspection"))]
    pub(super) fn apply(&self, issuer: Issuer) -> Issuer {
        issuer
    }
}

#[cfg(feature = "introspection")]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    Basic,
    Post,
    PrivateKeyJwt,
    Bearer,
}

#[cfg(feature = "introspection")]
impl Introspected {
    pub(super) fn read(source: &mut Source, issuers: usize, keys: &Keys) -> Self {
        let introspection = match source.read(INTROSPECTION_URI, values::word) {
            Read::Unset => {
                for variable in OTHERS {
                    if !matches!(source.origin(variable), Read::Unset) {
                        let problem = format!("has no use without {INTROSPECTION_URI}");
                        source.fault(variable, problem);
                    }
                }
                None
            }
            Read::Unusable => Some(String::new()),
            Read::Value(uri) => Some(uri),
        };
        let introspection = introspection.and_then(|uri| introspection_at(source, uri, keys));
        if introspection.is_some() && issuers > 1 {
            let problem = format!("is for one issuer, and {ISSUER} has {issuers}");
            source.fault(INTROSPECTION_URI, problem);
            return Self { introspection: None };
        }
        Self { introspection }
    }

    pub(super) fn apply(&self, issuer: Issuer) -> Issuer {
        match &self.introspection {
            Some(introspection) => issuer.introspect(introspection.clone()),
            None => issuer,
        }
    }
}

/// `None` with a fault.
#[cfg(feature = "introspection")]
fn introspection_at(source: &mut Source, uri: String, keys: &Keys) -> Option<Introspection> {
    let ways = [
        ("basic", Auth::Basic),
        ("post", Auth::Post),
        ("private_key_jwt", Auth::PrivateKeyJwt),
        ("bearer", Auth::Bearer),
    ];
    let way = match source.read(INTROSPECTION_AUTH, |text| values::choice(text, &ways)) {
        Read::Unset => Some(Auth::Basic),
        Read::Unusable => None,
        Read::Value(way) => Some(way),
    };
    let id = needed(source, CLIENT_ID, INTROSPECTION_URI);
    let secret = needed(source, CLIENT_SECRET, INTROSPECTION_URI);
    let token_uri = match (way, source.origin(TOKEN_URI)) {
        (Some(Auth::Bearer), _) => {
            needed(source, TOKEN_URI, "PORTCULLIS_INTROSPECTION_AUTH=bearer")
        }
        (None, _) | (_, Read::Unset) => None,
        (Some(_), _) => {
            source.fault(TOKEN_URI, "has no use but with PORTCULLIS_INTROSPECTION_AUTH=bearer");
            None
        }
    };
    let all = flag(source, INTROSPECTED_TOKENS, [("all", true), ("opaque", false)])?;
    let signed = flag(source, INTROSPECTION_ANSWERS, [("json", false), ("jwt", true)])?;
    let implied = flag(source, INTROSPECTION_AUDIENCE, [("required", false), ("implied", true)])?;
    let unused = match keys {
        Keys::Discovery => None,
        Keys::Uri(_) => Some(JWKS_URI),
        Keys::Value(_) | Keys::File(_) => Some(JWKS),
    };
    if let Some(variable) = unused.filter(|_| all && !signed) {
        let problem = "has no use where every token is introspected; \
             PORTCULLIS_INTROSPECTED_TOKENS=opaque has JWTs verified with these keys";
        source.fault(variable, problem);
    }
    let asked = Introspection::at(uri);
    let mut asked = match (way?, id?, secret?) {
        (Auth::Basic, id, secret) => asked.basic(id, secret),
        (Auth::Post, id, secret) => asked.post(id, secret),
        (Auth::PrivateKeyJwt, id, key) => asked.private_key_jwt(id, key),
        (Auth::Bearer, id, secret) => asked.bearer(id, secret, token_uri?),
    };
    for (wanted, setting) in [
        (all, Introspection::every_token as fn(Introspection) -> Introspection),
        (signed, Introspection::signed_answers),
        (implied, Introspection::audience_implied),
    ] {
        if wanted {
            asked = setting(asked);
        }
    }
    Some(asked)
}

/// `None` with a fault.
#[cfg(feature = "introspection")]
fn needed(source: &mut Source, variable: &'static str, because: &str) -> Option<String> {
    match source.read(variable, values::text) {
        Read::Unset => {
            source.missing(variable, format!("is required with {because}"));
            None
        }
        read => read.value(),
    }
}

/// The first of the two words is the default; `None` with a fault.
#[cfg(feature = "introspection")]
fn flag(source: &mut Source, variable: &'static str, words: [(&str, bool); 2]) -> Option<bool> {
    let [(_, default), _] = words;
    match source.read(variable, |text| values::choice(text, &words)) {
        Read::Unset => Some(default),
        read => read.value(),
    }
}
