//! What the authority answers, whichever way the request came.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode, request};
use http_body_util::Full;
use serde_json::json;

use super::addresses::{Addresses, Endpoint};
use super::state::{Outage, State};
use super::{introspection_endpoint, token_endpoint};

pub(super) type Answer = Response<Full<Bytes>>;

/// Longer request bodies are refused. Bytes.
pub(super) const MAX_BODY: usize = 64 * 1024;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Answers a request whose body has arrived; `None` for one longer than [`MAX_BODY`].
pub(super) fn answer(state: &State, request: &request::Parts, body: Option<Bytes>) -> Answer {
    let Some(endpoint) = state.addresses().endpoint(request.uri.path()) else {
        return empty(StatusCode::NOT_FOUND);
    };
    match endpoint {
        Endpoint::Jwks => state.count_jwks_request(),
        Endpoint::Introspection => state.count_introspection_request(),
        Endpoint::Metadata | Endpoint::Token => {}
    }
    let works = match state.outage() {
        Outage::None => true,
        Outage::Keys => endpoint != Endpoint::Jwks,
        Outage::Everything => false,
    };
    if !works {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    }
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    match endpoint {
        Endpoint::Metadata if reads => document(JSON, metadata(state.addresses())),
        Endpoint::Jwks if reads => match state.jwks() {
            Ok(set) => document(HeaderValue::from_static("application/jwk-set+json"), set),
            Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
        },
        Endpoint::Token if request.method == Method::POST => {
            token_endpoint::answer(state, &request.headers, body.as_deref())
        }
        Endpoint::Introspection if request.method == Method::POST => {
            introspection_endpoint::answer(state, &request.headers, body.as_deref())
        }
        Endpoint::Metadata | Endpoint::Jwks => wrong_method("GET, HEAD"),
        Endpoint::Token | Endpoint::Introspection => wrong_method("POST"),
    }
}

/// RFC 8414 §2. There is no authorization endpoint, so there are no response types.
fn metadata(addresses: &Addresses) -> String {
    json!({
        "issuer": addresses.issuer(),
        "jwks_uri": addresses.jwks_uri(),
        "token_endpoint": addresses.token_endpoint(),
        "introspection_endpoint": addresses.introspection_endpoint(),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "Bearer"],
    })
    .to_string()
}

pub(super) fn document(content_type: HeaderValue, text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

fn wrong_method(allowed: &'static str) -> Answer {
    let mut answer = empty(StatusCode::METHOD_NOT_ALLOWED);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}
