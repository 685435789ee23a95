//! The fields of a request on its way to the upstream, and of the answer on its way back.
//!
//! 1. What the client has no say in goes first, under every spelling: fields for this hop and those
//!    that it names in `Connection`, our identity fields, and what proxies say, unless one that is
//!    trusted says it.
//! 2. Then ours are set. So nothing that the client sends can take one of them away or stand
//!    beside it.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, TE, TRANSFER_ENCODING,
    UPGRADE, VIA,
};
use http::request;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version};
use http_body::Body;

use super::head::Upgrade;
use super::{Peer, forwarded, request_id};
use crate::access_token::AccessToken;
use crate::sidecar::field_class::is_plainly_spelled;
use crate::sidecar::identity::IdentityFields;
use crate::sidecar::known_fields::{FieldKind, Mark, Present, kind};
use crate::sidecar::settings::Settings;

const DPOP: HeaderName = HeaderName::from_static("dpop");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// About as many fields as are set, so that the map grows once.
const OURS: usize = 12;

/// What is taken away and what is set; the same for every request.
pub(in crate::sidecar) struct FieldPolicy {
    identity: IdentityFields,
    forward_token: bool,
}

/// On whose behalf a request goes on.
pub(super) struct Admission<'a> {
    /// `None` on public routes.
    pub(super) token: Option<&'a AccessToken>,
    /// Whether rules may have looked at the method.
    pub(super) by_rules: bool,
}

/// What is put into the request besides.
pub(super) struct Hop<'a> {
    pub(super) host: &'a HeaderValue,
    /// In the client's request.
    pub(super) present: Present,
    pub(super) peer: &'a Peer,
    pub(super) request_id: &'a HeaderValue,
    pub(super) upgrade: Option<&'a Upgrade>,
    pub(super) to_http2: bool,
}

impl FieldPolicy {
    pub(in crate::sidecar) fn new(settings: &Settings) -> Self {
        Self {
            identity: IdentityFields::new(&settings.claim_headers),
            forward_token: settings.forward_token,
        }
    }

    pub(in crate::sidecar) fn identity(&self) -> &IdentityFields {
        &self.identity
    }

    /// Makes a client's request ours.
    pub(super) fn apply(
        &self,
        parts: &mut request::Parts,
        admission: &Admission<'_>,
        hop: &Hop<'_>,
    ) {
        let headers = &mut parts.headers;
        let present = hop.present;
        let wants_trailers = present.has(Mark::TE) && wants_trailers(headers);
        let via = via(headers, present, parts.version);
        self.remove(headers, admission, hop);
        if parts.version == Version::HTTP_2 {
            join_cookies(headers);
        }
        headers.reserve(OURS);
        if let Some(token) = admission.token {
            hop.peer.last_token.say(token, &self.identity, |name, value| {
                headers.insert(name.clone(), value);
            });
        }
        forwarded::set(headers, hop.host, hop.peer);
        headers.insert(VIA, via);
        headers.insert(request_id::NAME, hop.request_id.clone());
        if hop.to_http2 {
            headers.remove(HOST);
            headers.remove(TRANSFER_ENCODING);
        } else if parts.uri.authority().is_some() || hop.host.is_empty() {
            headers.insert(HOST, hop.host.clone());
        }
        if let Some(upgrade) = hop.upgrade {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, upgrade.protocol.clone());
        } else if wants_trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
            if !hop.to_http2 {
                headers.insert(CONNECTION, HeaderValue::from_static("te"));
            }
        }
    }

    /// Whether no client may send this field to the upstream. A token goes there if that was asked
    /// for, and never before it was verified.
    pub(in crate::sidecar) fn is_ours(&self, name: &HeaderName, is_verified: bool) -> bool {
        let is_credential = *name == AUTHORIZATION || *name == DPOP;
        self.identity.hold(name) || (is_credential && !self.forwards(is_verified))
    }

    /// Whether the upstream gets the client's credentials.
    pub(in crate::sidecar) fn forwards(&self, is_verified: bool) -> bool {
        self.forward_token && is_verified
    }

    /// A trailer may not say what the header could not.
    pub(super) fn clean_trailers(&self, trailers: &mut HeaderMap) {
        let is_forbidden =
            |name: &HeaderName| kind(name) != FieldKind::EndToEnd || self.identity.hold(name);
        let doomed: Vec<_> = trailers.keys().filter(|name| is_forbidden(name)).cloned().collect();
        for name in doomed {
            trailers.remove(name);
        }
    }

    fn remove(&self, headers: &mut HeaderMap, admission: &Admission<'_>, hop: &Hop<'_>) {
        let (present, trusted) = (hop.present, hop.peer.trusted);
        let is_verified = admission.token.is_some();
        let is_doubtful = present.has(Mark::DOUBTFUL);
        // Nearly every request has one, which needs no list.
        if !self.forwards(is_verified) {
            headers.remove(AUTHORIZATION);
        }
        let mut doomed = Vec::new();
        for name in headers.keys() {
            let goes = is_doubtful
                && match kind(name) {
                    FieldKind::EndToEnd => false,
                    FieldKind::Reserved => *name == EXPECT || !is_plainly_spelled(name),
                    FieldKind::HopByHop | FieldKind::Hearsay => true,
                    // A trusted proxy writes the names as they are; another spelling has come through it.
                    FieldKind::Told => !trusted || !is_plainly_spelled(name),
                    FieldKind::MethodOverride => admission.by_rules || !is_verified,
                };
            if goes || self.is_ours(name, is_verified) {
                doomed.push(name.clone());
            }
        }
        if present.has(Mark::CONNECTION) {
            doomed.extend(named_fields(headers));
        }
        for name in doomed {
            headers.remove(name);
        }
    }
}

/// The fields that `Connection` names.
fn named_fields(headers: &HeaderMap) -> Vec<HeaderName> {
    // As nearly every service says it.
    if headers.get_all(CONNECTION).iter().eq(["keep-alive"]) {
        return Vec::new();
    }
    let lines = headers.get_all(CONNECTION).iter();
    let options = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    options.filter_map(|option| named_field(option.trim_ascii())).collect()
}

/// A field that `Connection` names, which is then for this hop alone. Where the body ends, and for
/// whom the request is, is not for it to say; hyper and we see to that.
fn named_field(option: &[u8]) -> Option<HeaderName> {
    let usual = [&b"close"[..], b"keep-alive", b"upgrade", b"te"];
    if usual.iter().any(|usual| option.eq_ignore_ascii_case(usual)) {
        return None;
    }
    HeaderName::from_bytes(option).ok().filter(|name| *name != HOST && *name != CONTENT_LENGTH)
}

fn wants_trailers(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(TE).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// RFC 9110 §7.6.3: every proxy adds itself, at the end.
fn via(headers: &HeaderMap, present: Present, version: Version) -> HeaderValue {
    let ours = match version {
        Version::HTTP_2 => "2 portcullis",
        Version::HTTP_10 => "1.0 portcullis",
        _ => "1.1 portcullis",
    };
    if !present.has(Mark::VIA) || !headers.contains_key(VIA) {
        return HeaderValue::from_static(ours);
    }
    let mut list = Vec::new();
    for line in headers.get_all(VIA) {
        list.extend_from_slice(line.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(ours.as_bytes());
    HeaderValue::from_bytes(&list).unwrap_or_else(|_| HeaderValue::from_static(ours))
}

/// RFC 9113 §8.2.3: HTTP/2 may split it, HTTP/1.1 has one.
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let mut joined = Vec::new();
    for line in headers.get_all(COOKIE) {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(line.as_bytes());
    }
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        headers.insert(COOKIE, joined);
    }
}

/// The target as the upstream has to see it.
pub(super) fn set_target(parts: &mut request::Parts, host: &HeaderValue, to_http2: bool) {
    if !to_http2 {
        parts.version = Version::HTTP_11;
        if parts.uri.authority().is_some() {
            let path = parts.uri.path_and_query().cloned();
            parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        }
        return;
    }
    parts.version = Version::HTTP_2;
    let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    // Without a host (HTTP/1.0), HTTP/2 still wants an authority.
    let host = host.to_str().ok().filter(|host| !host.is_empty()).unwrap_or("localhost");
    if let Ok(uri) = Uri::builder().scheme("http").authority(host).path_and_query(path).build() {
        parts.uri = uri;
    }
}

/// Says of a body whose length is not known that it comes in chunks. hyper would do so by itself, but
/// for the body of a GET, which it leaves out.
pub(super) fn set_framing(headers: &mut HeaderMap, body: &impl Body, to_http2: bool) {
    if !to_http2 && body.size_hint().exact().is_none() {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// Whether an answer has no coding but `chunked`, which hyper takes off. It takes off no other, and
/// the client would not learn of it.
pub(super) fn is_framed_plainly(headers: &HeaderMap, present: Present) -> bool {
    if !present.has(Mark::TRANSFER_ENCODING) {
        return true;
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

/// Takes away what the upstream says to this hop alone.
pub(super) fn clean_answer(headers: &mut HeaderMap, present: Present, request_id: &HeaderValue) {
    if present.has(Mark::CONNECTION) {
        for name in named_fields(headers) {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    // RFC 9112 §6.3: a coding overrides a length, which then must not go on.
    if present.has(Mark::TRANSFER_ENCODING) && headers.remove(TRANSFER_ENCODING).is_some() {
        headers.remove(CONTENT_LENGTH);
    }
    for (mark, name) in
        [(Mark::KEEP_ALIVE, KEEP_ALIVE), (Mark::FAMILY, PROXY_CONNECTION), (Mark::UPGRADE, UPGRADE)]
    {
        if present.has(mark) {
            headers.remove(name);
        }
    }
    if !present.has(Mark::X_REQUEST_ID) || !has_one(headers, &request_id::NAME) {
        headers.insert(request_id::NAME, request_id.clone());
    }
}

/// Of several, nobody could say which is meant.
fn has_one(headers: &HeaderMap, name: &HeaderName) -> bool {
    let mut lines = headers.get_all(name).iter();
    matches!((lines.next(), lines.next()), (Some(_), None))
}
