//! The request that a gateway asks about, taken from the attributes of a check.
//!
//! Envoy passes on the request that it has, and not the one that we have read. So there is none where
//! its attributes contradict each other, or where ours would be another one than Envoy's.

use std::mem;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, uri};
use prost::Message as _;

use super::certificate;
use super::messages::{CheckRequest, Field, HttpRequest, Peer};
use crate::sidecar::proxy::is_served;
use crate::sidecar::telemetry::BadRequest;

/// Bytes of a request's fields, and how many there may be: as many as the proxy takes.
const MAX_HEADER: usize = 64 * 1024;
const MAX_FIELDS: usize = 100;

/// A request, and who has sent it to the gateway.
pub(super) struct Asked {
    /// With the certificate that its client has shown, if any, among its extensions.
    pub(super) request: Request<()>,
    /// As the gateway sees it.
    pub(super) client: Option<IpAddr>,
}

impl Asked {
    /// Reads a `CheckRequest`.
    pub(super) fn read(message: Bytes) -> Result<Self, BadRequest> {
        let check = CheckRequest::decode(message).map_err(|_| BadRequest::OriginalMissing)?;
        let attributes = check.attributes.ok_or(BadRequest::OriginalMissing)?;
        let client = attributes.source.as_ref().and_then(address);
        let certificate = match &attributes.source {
            Some(source) => certificate::read(&source.certificate)?,
            None => None,
        };
        let http = attributes
            .request
            .and_then(|request| request.http)
            .ok_or(BadRequest::OriginalMissing)?;
        let mut request = request(http)?;
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        Ok(Self { request, client })
    }
}

/// `None` where it is no IP address: a socket of the file system, say.
fn address(peer: &Peer) -> Option<IpAddr> {
    let address = &peer.address.as_ref()?.socket.as_ref()?.address;
    std::str::from_utf8(address).ok()?.parse().ok()
}

fn request(mut http: HttpRequest) -> Result<Request<()>, BadRequest> {
    if !http.query.is_empty() || !http.fragment.is_empty() {
        return Err(BadRequest::OriginalContradictory);
    }
    let raw = http.header_map.take().filter(|raw| !raw.fields.is_empty());
    let fields = raw.map_or_else(|| mem::take(&mut http.headers), |raw| raw.fields);
    let size = |field: &Field| field.name.len() + field.value.len() + field.raw_value.len();
    if fields.len() > MAX_FIELDS || fields.iter().map(size).sum::<usize>() > MAX_HEADER {
        return Err(BadRequest::OriginalTooLarge);
    }
    let mut headers = HeaderMap::with_capacity(fields.len());
    for Field { name, value, raw_value } in fields {
        let value = if raw_value.is_empty() { value } else { raw_value };
        if let Some(pseudo) = name.strip_prefix(b":") {
            agree(&http, pseudo, &value)?;
            continue;
        }
        let name = HeaderName::from_bytes(&name).map_err(|_| BadRequest::OriginalMalformed)?;
        if name == HOST && !value.eq_ignore_ascii_case(&http.host) {
            return Err(BadRequest::OriginalContradictory);
        }
        let value =
            HeaderValue::from_maybe_shared(value).map_err(|_| BadRequest::OriginalMalformed)?;
        headers.append(name, value);
    }
    let mut request = Request::new(());
    *request.method_mut() = method(&http.method)?;
    *request.uri_mut() = target(http)?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// What a pseudo-field says (RFC 9113 §8.3.1), the attribute of the same meaning says too.
fn agree(http: &HttpRequest, pseudo: &[u8], value: &[u8]) -> Result<(), BadRequest> {
    let does = match pseudo {
        b"method" => value == http.method,
        b"path" => value == http.path,
        b"authority" => value == http.host,
        b"scheme" => value == http.scheme,
        // Of a tunnel for another protocol (RFC 8441), which is judged by its method.
        _ => true,
    };
    if does { Ok(()) } else { Err(BadRequest::OriginalContradictory) }
}

fn method(text: &[u8]) -> Result<Method, BadRequest> {
    Method::from_bytes(text).ok().filter(is_served).ok_or(BadRequest::Method)
}

fn target(http: HttpRequest) -> Result<Uri, BadRequest> {
    let fault = |_| BadRequest::OriginalMalformed;
    // What parsing would leave out, a fragment, the service may read.
    if http.path.first() != Some(&b'/') || http.path.contains(&b'#') || http.host.contains(&b'@') {
        return Err(BadRequest::OriginalMalformed);
    }
    let mut parts = uri::Parts::default();
    parts.scheme = Some(Scheme::try_from(&*http.scheme).map_err(fault)?);
    parts.authority = Some(Authority::from_maybe_shared(http.host).map_err(fault)?);
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(http.path).map_err(fault)?);
    Uri::from_parts(parts).map_err(|_| BadRequest::OriginalMalformed)
}
