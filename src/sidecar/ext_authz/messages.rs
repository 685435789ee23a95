//! The messages of `envoy.service.auth.v3`, as far as they matter here; unknown fields are skipped.
//!
//! What the protocol calls `string` is `bytes` here, which is the same on the wire: nothing is copied
//! out of the message that came, and text that is not UTF-8 is refused like any other text that is
//! none, and not as a message that cannot be read. A map is a list of its entries, so that a name
//! that is there twice is seen twice.
//!
//! None of them shows what is in it: tokens are.

use std::fmt;

use bytes::Bytes;
use prost::Message;

macro_rules! say_nothing {
    ($($message:ident)*) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($message), "(…)"))
            }
        })*
    };
}

say_nothing!(CheckRequest Attributes Peer Address SocketAddress Request HttpRequest Fields Field);
say_nothing!(CheckResponse Status HttpStatus Denied Allowed FieldOption Flag);

#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<Attributes>,
}

/// `AttributeContext`.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Attributes {
    #[prost(message, optional, tag = "1")]
    pub(super) source: Option<Peer>,
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<Request>,
}

#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Peer {
    #[prost(message, optional, tag = "1")]
    pub(super) address: Option<Address>,
    /// What it has shown in TLS: PEM, percent-encoded. Only with `include_peer_certificate`.
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) certificate: Bytes,
}

#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Address {
    #[prost(message, optional, tag = "1")]
    pub(super) socket: Option<SocketAddress>,
}

#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct SocketAddress {
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) address: Bytes,
}

#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Request {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct HttpRequest {
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) method: Bytes,
    /// Fields of one name are joined.
    #[prost(message, repeated, tag = "3")]
    pub(super) headers: Vec<Field>,
    /// With the query.
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) path: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) host: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    pub(super) scheme: Bytes,
    /// Never used: the path has it.
    #[prost(bytes = "bytes", tag = "7")]
    pub(super) query: Bytes,
    /// Never used: no request has one.
    #[prost(bytes = "bytes", tag = "8")]
    pub(super) fragment: Bytes,
    /// In place of `headers` with `encode_raw_headers`: as they came.
    #[prost(message, optional, tag = "13")]
    pub(super) header_map: Option<Fields>,
}

/// `HeaderMap`.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Fields {
    #[prost(message, repeated, tag = "1")]
    pub(super) fields: Vec<Field>,
}

/// `HeaderValue`, and an entry of a map.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Field {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) name: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
    /// In place of `value`.
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) raw_value: Bytes,
}

#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    /// One of the two.
    #[prost(message, optional, tag = "2")]
    pub(super) denied: Option<Denied>,
    #[prost(message, optional, tag = "3")]
    pub(super) allowed: Option<Allowed>,
}

/// `google.rpc.Status`.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

/// `DeniedHttpResponse`.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Denied {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<FieldOption>,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) body: Bytes,
}

/// `OkHttpResponse`.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Allowed {
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<FieldOption>,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub(super) headers_to_remove: Vec<Bytes>,
}

/// `HeaderValueOption`.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct FieldOption {
    #[prost(message, optional, tag = "1")]
    pub(super) field: Option<Field>,
    #[prost(message, optional, tag = "2")]
    pub(super) append: Option<Flag>,
}

/// `google.protobuf.BoolValue`.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct Flag {
    #[prost(bool, tag = "1")]
    pub(super) value: bool,
}
