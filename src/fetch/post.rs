//! POST a form and read a small answer.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use url::Url;

use super::{AGENT, FetchError, HttpClient, TIMEOUT, read, refuse_compressed, refuse_redirect};

/// What is posted. It may hold secrets.
pub(crate) struct Form {
    /// The media type that is wanted back.
    pub(crate) accept: &'static str,
    pub(crate) authorization: Option<HeaderValue>,
    /// Encoded as `application/x-www-form-urlencoded`.
    pub(crate) body: String,
}

/// POSTs a form to `url`. Every complete answer within `limit` bytes is one, whatever its status,
/// redirects excepted.
pub(crate) async fn post(
    client: &HttpClient,
    url: &Url,
    form: Form,
    limit: usize,
) -> Result<Response<Bytes>, FetchError> {
    tokio::time::timeout(TIMEOUT, exchange(client, url, form, limit))
        .await
        .unwrap_or(Err(FetchError::Timeout))
}

async fn exchange(
    client: &HttpClient,
    url: &Url,
    form: Form,
    limit: usize,
) -> Result<Response<Bytes>, FetchError> {
    let mut request = Request::post(url.as_str())
        .header(ACCEPT, form.accept)
        .header(ACCEPT_ENCODING, "identity")
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(authorization) = form.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let request = request
        .body(Full::from(form.body))
        .map_err(|error| FetchError::Unreachable(error.into()))?;
    let response = client.send(request).await.map_err(FetchError::no_answer)?;
    let (head, body) = response.into_parts();
    refuse_redirect(&head)?;
    refuse_compressed(&head)?;
    let body = read(body, limit).await?;
    Ok(Response::from_parts(head, body))
}
