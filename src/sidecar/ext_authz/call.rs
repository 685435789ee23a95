//! A call of gRPC with one message each way, over HTTP/2.
//!
//! Here is as much of the protocol as Envoy uses, on the connections that the sidecar has anyway, with
//! their limits: no streams, no compression, and no server beside the workers.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use prost::Message;

use super::messages::CheckResponse;
use crate::sidecar::telemetry::BadRequest;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Of a message. The header of a request and a certificate, which have their limits, and what Envoy adds.
const MAX_MESSAGE: usize = 128 * 1024;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const OK: HeaderValue = HeaderValue::from_static("0");
const UNIMPLEMENTED: HeaderValue = HeaderValue::from_static("12");

/// Why a request is no call of `Check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoCheck {
    /// Another method, or another service, health among them: that is for the admin port to tell.
    OtherMethod,
    /// No gRPC.
    OtherProtocol,
}

pub(super) fn expect_check<B>(request: &Request<B>) -> Result<(), NoCheck> {
    let is_grpc = request.method() == Method::POST
        && request.version() == Version::HTTP_2
        && is_grpc(request.headers());
    match request.uri().path() {
        _ if !is_grpc => Err(NoCheck::OtherProtocol),
        CHECK => Ok(()),
        _ => Err(NoCheck::OtherMethod),
    }
}

/// Whether fields are those of a gRPC request, as Envoy tells it.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    content_type.split_at_checked(GRPC.len()).is_some_and(|(kind, rest)| {
        kind.eq_ignore_ascii_case(GRPC.as_bytes())
            && rest.first().is_none_or(|next| matches!(next, b'+' | b';' | b' '))
    })
}

/// The one message of a call.
pub(super) async fn message<B>(body: B) -> Result<Bytes, BadRequest>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static>,
{
    let whole = Limited::new(body, PREFIX + MAX_MESSAGE).collect().await;
    let whole = whole.map_err(|error| {
        if error.is::<LengthLimitError>() {
            BadRequest::OriginalTooLarge
        } else {
            BadRequest::OriginalMissing
        }
    })?;
    let whole = whole.to_bytes();
    match whole.split_first_chunk::<PREFIX>() {
        Some(([0, length @ ..], message))
            if usize::try_from(u32::from_be_bytes(*length)) == Ok(message.len()) =>
        {
            Ok(whole.slice(PREFIX..))
        }
        _ => Err(BadRequest::OriginalMissing),
    }
}

/// A message as it goes over the wire.
pub(super) fn framed(message: &CheckResponse) -> Bytes {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(PREFIX + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // There is room enough, which is all that can go wrong.
    message.encode_raw(&mut framed);
    framed.freeze()
}

/// The head of an answer.
pub(super) fn answered<B>(body: B) -> Response<B> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// The trailers of an answer that has a message.
pub(super) fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(STATUS, OK)])
}

/// An answer without a message: `UNIMPLEMENTED`.
pub(super) fn unimplemented() -> Response<Bytes> {
    let mut response = answered(Bytes::new());
    let text = HeaderValue::from_static("This port has envoy.service.auth.v3.Authorization alone");
    response.headers_mut().insert(STATUS, UNIMPLEMENTED);
    response.headers_mut().insert(MESSAGE, text);
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[test]
    fn only_the_one_method_is_called() {
        let request = |version: Version, method: &str, path: &str, kind: &str| {
            let request = Request::builder().version(version).method(method).uri(path);
            expect_check(&request.header(CONTENT_TYPE, kind).body(()).unwrap())
        };
        let h2 = Version::HTTP_2;
        for kind in ["application/grpc", "application/grpc+proto", "Application/gRPC;x=y"] {
            assert_eq!(request(h2, "POST", CHECK, kind), Ok(()), "{kind}");
        }
        for kind in ["application/grpc-web", "application/grpcs", "application/json", ""] {
            let answer = request(h2, "POST", CHECK, kind);
            assert_eq!(answer, Err(NoCheck::OtherProtocol), "{kind}");
        }
        let kind = "application/grpc";
        assert_eq!(request(h2, "GET", CHECK, kind), Err(NoCheck::OtherProtocol));
        assert_eq!(request(Version::HTTP_11, "POST", CHECK, kind), Err(NoCheck::OtherProtocol));
        for path in ["/", "/grpc.health.v1.Health/Check", "/envoy.service.auth.v3.Authorization/"] {
            assert_eq!(request(h2, "POST", path, kind), Err(NoCheck::OtherMethod), "{path}");
        }
    }

    #[tokio::test]
    async fn a_message_comes_whole_and_alone() {
        let read = async |bytes: &[u8]| message(Full::from(bytes.to_vec())).await;
        assert_eq!(read(b"\0\0\0\0\x03abc").await.unwrap(), "abc");
        assert_eq!(read(b"\0\0\0\0\0").await.unwrap(), "");
        for bad in [
            &b""[..],
            b"\0\0\0\0",
            b"\0\0\0\0\x03ab",
            b"\0\0\0\0\x03abcd",
            b"\x01\0\0\0\x03abc",
            b"\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(read(bad).await, Err(BadRequest::OriginalMissing), "{bad:?}");
        }
        let long = [&[0, 0, 2, 0, 1][..], &vec![0; MAX_MESSAGE + 1]].concat();
        assert_eq!(read(&long).await, Err(BadRequest::OriginalTooLarge));
        let longest = [&[0, 0, 2, 0, 0][..], &vec![0; MAX_MESSAGE]].concat();
        assert_eq!(read(&longest).await.unwrap().len(), MAX_MESSAGE);
    }
}
