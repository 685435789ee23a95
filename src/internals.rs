//! Doors for fuzz targets and conformance vectors: parsers that the public API does not show.
//!
//! Feature `__internals`. Not for users, and no promise that any of it stays.

use http::{HeaderMap, Uri};
use serde_json::{Map, Value};

use crate::authentication::Refused;
use crate::credentials::{self, QueryToken};
use crate::jose::{
    Algorithm, CompactJws, JoseHeader, JwkSet, JwsError, KeyOrigin, NotVerified, json,
};
use crate::rejection_kind::RejectionKind;

/// The bearer token of a request.
pub fn bearer_token<'a>(headers: &'a HeaderMap, uri: &Uri) -> Result<&'a [u8], RejectionKind> {
    let token = credentials::bearer_token(headers, uri, QueryToken::Refuse)?;
    credentials::check_alphabet(token).map(|()| token)
}

/// The decoded parts of a compact JWS.
#[derive(Debug)]
pub struct Jws {
    pub header: Vec<u8>,
    pub payload: Vec<u8>,
    pub signature: Vec<u8>,
}

pub fn compact_jws(token: &str) -> Result<Jws, RejectionKind> {
    let jws = CompactJws::parse(token.as_bytes()).map_err(refusal)?;
    let [header, payload, signature] =
        [jws.header(), jws.payload(), jws.signature()].map(<[u8]>::to_vec);
    Ok(Jws { header, payload, signature })
}

/// What matters in a JOSE header.
#[derive(Debug)]
pub struct Header {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    pub typ: Option<String>,
}

pub fn jose_header(bytes: &[u8]) -> Result<Header, RejectionKind> {
    let JoseHeader { algorithm, kid, typ } = JoseHeader::parse(bytes).map_err(refusal)?;
    let owned = std::borrow::Cow::into_owned;
    Ok(Header { algorithm, kid: kid.map(owned), typ: typ.map(owned) })
}

/// One strict JSON object, as claims are.
pub fn json_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    json::object(bytes).ok()
}

/// The usable keys of a JWK set.
#[derive(Debug)]
pub struct KeySet(JwkSet);

impl KeySet {
    /// A set from the network.
    pub fn fetched(document: &[u8], allowed: &[Algorithm]) -> Result<Self, String> {
        JwkSet::parse(document, allowed, KeyOrigin::Fetched).map(Self).map_err(|e| e.to_string())
    }

    /// A set in the configuration, where secrets are possible.
    pub fn configured(document: &[u8], allowed: &[Algorithm]) -> Result<Self, String> {
        JwkSet::parse(document, allowed, KeyOrigin::Static).map(Self).map_err(|e| e.to_string())
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.0.len()
    }

    /// How many entries were passed over.
    pub fn skipped(&self) -> usize {
        self.0.skipped().len()
    }

    /// Judges shape, header and signature of a token, as requests have them judged. The payload
    /// may be anything.
    pub fn verify(&self, token: &str) -> Result<(), RejectionKind> {
        let jws = CompactJws::parse(token.as_bytes()).map_err(refusal)?;
        let header = JoseHeader::parse(jws.header()).map_err(refusal)?;
        self.0.verify(&header, &jws).map_err(|error| match error {
            NotVerified::BadSignature => RejectionKind::BadSignature,
            NotVerified::NoKey { .. } => RejectionKind::UnknownKey,
        })
    }

    /// Whether a key for `algorithm` made this signature.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.0.candidates(None, algorithm).any(|key| key.verifies(message, signature))
    }
}

fn refusal(error: JwsError) -> RejectionKind {
    Refused::from(error).kind
}

/// The one form of a path that rules are asked about and services see, where there is one.
#[cfg(feature = "sidecar")]
pub fn canonical_path(path: &str) -> Option<String> {
    crate::sidecar::doors::canonical_path(path)
}

/// What a canonical path means.
#[cfg(feature = "sidecar")]
pub fn decoded_path(canonical: &str) -> String {
    crate::sidecar::doors::decoded_path(canonical)
}

/// The number of the rule that a request comes under, or what is wrong with the rules.
#[cfg(feature = "sidecar")]
pub fn rule_of(
    rules: &str,
    server: &crate::ResourceServer,
    method: &http::Method,
    canonical: &str,
) -> Result<Option<usize>, Vec<String>> {
    crate::sidecar::doors::rule_of(rules, server, method, canonical)
}
