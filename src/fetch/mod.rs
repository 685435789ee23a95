//! GET a small document over HTTP, or POST a form, distrusting whoever answers.
//!
//! 1. One deadline covers the whole exchange, from the connection to the last byte.
//! 2. Redirects are failures: the operator named one URL, and no other is contacted.
//! 3. The body is cut off at a limit while it arrives; a compressed one is refused, as it was not
//!    asked for and its size says nothing.
//! 4. `https` is required, except where configuration allows `http` ([`AllowHttp`]).
//! 5. What is there already need not be sent again: a request may name the version by its `ETag`
//!    (RFC 9110 §8.8.3).

mod client;
#[cfg(feature = "introspection")]
mod post;
mod shown;
mod url_policy;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, IF_NONE_MATCH, USER_AGENT,
};
use http::{HeaderValue, Request, StatusCode, response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use url::Url;

pub use client::HttpService;
pub(crate) use client::{BoxError, HttpClient};
#[cfg(feature = "introspection")]
pub(crate) use post::{Form, post};
pub(crate) use shown::shown;
pub(crate) use url_policy::AllowHttp;

/// For the whole exchange, answer included.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// Longer ones are not sent back. Bytes.
const MAX_ETAG: usize = 1024;

const AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// A complete answer with status 200, or 304 to somebody who has the document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) headers: HeaderMap,
    /// `None`: the version that was named is still the current one.
    pub(crate) body: Option<Bytes>,
}

impl Document {
    /// The version of this document, for asking whether there is another one.
    pub(crate) fn etag(&self) -> Option<HeaderValue> {
        self.headers.get(ETAG).filter(|etag| etag.len() <= MAX_ETAG).cloned()
    }
}

/// Why a document could not be had. `Display` is for operators: it says what happened, with the
/// causes that the HTTP client gave.
#[derive(Debug)]
pub(crate) enum FetchError {
    Timeout,
    Unreachable(BoxError),
    Redirect(StatusCode),
    Status(StatusCode),
    Compressed,
    TooLarge { limit: usize },
    Broken(BoxError),
}

impl FetchError {
    /// Of a client that got no head of an answer.
    fn no_answer(error: BoxError) -> Self {
        if client::has_connected(error.as_ref()) {
            Self::Broken(error)
        } else {
            Self::Unreachable(error)
        }
    }

    /// Whether the server did not answer at all, so that asking it for another path is pointless.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Timeout | Self::Unreachable(_))
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => write!(f, "no complete answer within {} s", TIMEOUT.as_secs()),
            Self::Unreachable(error) => write!(f, "unreachable: {}", Chain(error.as_ref())),
            Self::Redirect(status) => write!(
                f,
                "answered with a redirect ({}); redirects are not followed, configure the final URL",
                status.as_u16()
            ),
            Self::Status(status) => write!(f, "answered with status {}", status.as_u16()),
            Self::Compressed => {
                f.write_str("answered with a compressed body that was not asked for")
            }
            Self::TooLarge { limit } => write!(f, "the answer is larger than {limit} bytes"),
            Self::Broken(error) => write!(f, "no usable answer: {}", Chain(error.as_ref())),
        }
    }
}

/// An error with its causes, on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for FetchError {}

/// GETs `url`, unless its version is still `known`; anything but a complete 200 within `limit`
/// bytes, or a 304 to a known version, is an error.
pub(crate) async fn get(
    client: &HttpClient,
    url: &Url,
    limit: usize,
    known: Option<&HeaderValue>,
) -> Result<Document, FetchError> {
    tokio::time::timeout(TIMEOUT, exchange(client, url, limit, known))
        .await
        .unwrap_or(Err(FetchError::Timeout))
}

async fn exchange(
    client: &HttpClient,
    url: &Url,
    limit: usize,
    known: Option<&HeaderValue>,
) -> Result<Document, FetchError> {
    let mut request = Request::get(url.as_str())
        .header(ACCEPT, "application/json")
        .header(ACCEPT_ENCODING, "identity")
        .header(USER_AGENT, AGENT);
    if let Some(etag) = known {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let request = request
        .body(Full::<Bytes>::default())
        .map_err(|error| FetchError::Unreachable(error.into()))?;
    let response = client.send(request).await.map_err(FetchError::no_answer)?;
    let (head, body) = response.into_parts();
    if known.is_some() && head.status == StatusCode::NOT_MODIFIED {
        return Ok(Document { headers: head.headers, body: None });
    }
    refuse_redirect(&head)?;
    if head.status != StatusCode::OK {
        return Err(FetchError::Status(head.status));
    }
    refuse_compressed(&head)?;
    Ok(Document { body: Some(read(body, limit).await?), headers: head.headers })
}

async fn read(
    mut body: impl Body<Data = Bytes, Error = BoxError> + Unpin,
    limit: usize,
) -> Result<Bytes, FetchError> {
    let mut document = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(FetchError::Broken)?.into_data() else { continue };
        if document.len() + data.len() > limit {
            return Err(FetchError::TooLarge { limit });
        }
        document.extend_from_slice(&data);
    }
    Ok(document.into())
}

fn refuse_redirect(response: &response::Parts) -> Result<(), FetchError> {
    let status = response.status;
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        return Err(FetchError::Redirect(status));
    }
    Ok(())
}

fn refuse_compressed(response: &response::Parts) -> Result<(), FetchError> {
    let encoding = response.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Err(FetchError::Compressed);
    }
    Ok(())
}
