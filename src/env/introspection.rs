//! What the variables say about asking the authorization server.

use super::keys::Keys;
use super::names::*;
#[cfg(feature = "introspection")]
use super::source::Read;
use super::source::Source;
use super::values;
use crate::authentication::{Issuer, Preset};
#[cfg(feature = "introspection")]
use crate::introspection::Introspection;

#[cfg(feature = "introspection")]
const BY_PRESET: &str = "PORTCULLIS_PRESET=mobilefirst";

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
    pub(super) fn read(
        source: &mut Source,
        _: &[String],
        _: &Keys,
        preset: Option<Preset>,
    ) -> Self {
        if preset == Some(Preset::MobileFirst) {
            source.fault(PRESET, "mobilefirst needs a build with the feature introspection");
        }
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

/// What counts where a variable is not set.
#[cfg(feature = "introspection")]
struct Defaults {
    auth: Auth,
    /// For faults: what a variable is required with.
    because: &'static str,
    audience_implied: bool,
    token_uri: Option<String>,
}

#[cfg(feature = "introspection")]
impl Introspected {
    pub(super) fn read(
        source: &mut Source,
        issuers: &[String],
        keys: &Keys,
        preset: Option<Preset>,
    ) -> Self {
        let by_preset = preset.and_then(|preset| by_preset(source, issuers, preset));
        let uri = source.read(INTROSPECTION_URI, values::word);
        let is_asked_at = !uri.is_unset();
        let introspection = match (uri, by_preset) {
            (Read::Unset, None) => {
                for variable in OTHERS {
                    if !matches!(source.origin(variable), Read::Unset) {
                        let problem = format!("has no use without {INTROSPECTION_URI}");
                        source.fault(variable, problem);
                    }
                }
                None
            }
            (Read::Unset, Some((uri, defaults))) => {
                // What is wrong with it is wrong with the issuer.
                source.follows_from_another(INTROSPECTION_URI);
                introspection_at(source, uri, keys, defaults)
            }
            (uri, by_preset) => {
                let defaults = by_preset.map_or_else(Defaults::usual, |(_, defaults)| defaults);
                introspection_at(source, uri.value().unwrap_or_default(), keys, defaults)
            }
        };
        if introspection.is_some() && is_asked_at && issuers.len() > 1 {
            let problem = format!("is for one issuer, and {ISSUER} has {}", issuers.len());
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

#[cfg(feature = "introspection")]
impl Defaults {
    fn usual() -> Self {
        Self {
            auth: Auth::Basic,
            because: INTROSPECTION_URI,
            audience_implied: false,
            token_uri: None,
        }
    }
}

/// Where a preset asks, and how; `None` where it does not, or cannot.
#[cfg(feature = "introspection")]
fn by_preset(
    source: &mut Source,
    issuers: &[String],
    preset: Preset,
) -> Option<(String, Defaults)> {
    let (Preset::MobileFirst, [issuer, others @ ..]) = (preset, issuers) else { return None };
    if !others.is_empty() || issuer.contains('*') {
        source.fault(PRESET, format!("mobilefirst asks one server, and {ISSUER} has more"));
    }
    let [uri, token_uri] = Preset::mobilefirst_endpoints(issuer);
    let defaults = Defaults {
        auth: Auth::Bearer,
        because: BY_PRESET,
        audience_implied: true,
        token_uri: Some(token_uri),
    };
    Some((uri, defaults))
}

/// `None` with a fault.
#[cfg(feature = "introspection")]
fn introspection_at(
    source: &mut Source,
    uri: String,
    keys: &Keys,
    defaults: Defaults,
) -> Option<Introspection> {
    let ways = [
        ("basic", Auth::Basic),
        ("post", Auth::Post),
        ("private_key_jwt", Auth::PrivateKeyJwt),
        ("bearer", Auth::Bearer),
    ];
    let way = match source.read(INTROSPECTION_AUTH, |text| values::choice(text, &ways)) {
        Read::Unset => Some(defaults.auth),
        Read::Unusable => None,
        Read::Value(way) => Some(way),
    };
    let id = needed(source, CLIENT_ID, defaults.because);
    let secret = needed(source, CLIENT_SECRET, defaults.because);
    let token_uri = match (way, source.origin(TOKEN_URI), defaults.token_uri) {
        (Some(Auth::Bearer), Read::Unset, Some(uri)) => {
            source.follows_from_another(TOKEN_URI);
            Some(uri)
        }
        (Some(Auth::Bearer), ..) => {
            needed(source, TOKEN_URI, "PORTCULLIS_INTROSPECTION_AUTH=bearer")
        }
        (None, ..) | (_, Read::Unset, _) => None,
        (Some(_), ..) => {
            source.fault(TOKEN_URI, "has no use but with PORTCULLIS_INTROSPECTION_AUTH=bearer");
            None
        }
    };
    let all = flag(source, INTROSPECTED_TOKENS, true, [("all", true), ("opaque", false)]);
    let signed = flag(source, INTROSPECTION_ANSWERS, false, [("json", false), ("jwt", true)]);
    let audience = [("required", false), ("implied", true)];
    let implied = flag(source, INTROSPECTION_AUDIENCE, defaults.audience_implied, audience);
    let unused = match keys {
        Keys::Discovery => None,
        Keys::Uri(_) => Some(JWKS_URI),
        Keys::Value(_) | Keys::File(_) => Some(JWKS),
    };
    if let Some(variable) = unused.filter(|_| (all, signed) == (Some(true), Some(false))) {
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
        if wanted == Some(true) {
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

/// `None` with a fault.
#[cfg(feature = "introspection")]
fn flag(
    source: &mut Source,
    variable: &'static str,
    default: bool,
    words: [(&str, bool); 2],
) -> Option<bool> {
    match source.read(variable, |text| values::choice(text, &words)) {
        Read::Unset => Some(default),
        read => read.value(),
    }
}
