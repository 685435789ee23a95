//! `/api/…`: the request of a session goes to the API with that session's token.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::oauth::Error;
use super::{Bff, cookies};

/// Lists of what passes, so that the cookie never gets to the API, and no cookie or CORS field of
/// the API to the browser.
const THERE: [HeaderName; 5] = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH];
/// With the challenge: a page can read from it which permission is missing.
const BACK: [HeaderName; 4] = [CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE];

/// Bodies are gathered, up to 2 MB on the way there. An API with large ones wants streams here.
pub(crate) async fn forward(
    State(bff): State<Arc<Bff>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(session) = bff.sessions.find(&headers) else { return signed_out() };
    let token = match session.access_token(&bff.oauth).await {
        Ok(token) => token,
        Err(Error::Unavailable) => {
            return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response();
        }
        Err(_) => {
            bff.sessions.close(&headers);
            return signed_out();
        }
    };
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let target = target.strip_prefix("/api").unwrap_or(target);
    let request = bff
        .http
        .request(method, format!("{}{target}", bff.settings.api_url))
        .headers(only(&headers, &THERE))
        .bearer_auth(token)
        .body(body);
    match ask(request).await {
        Ok(response) => response,
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn ask(request: reqwest::RequestBuilder) -> Result<Response, reqwest::Error> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), only(answer.headers(), &BACK));
    let body = Body::from(answer.bytes().await?);
    Ok((status, headers, body).into_response())
}

/// Without a challenge: a browser has no token to present. The page offers to sign in.
fn signed_out() -> Response {
    let gone = [(axum::http::header::SET_COOKIE, cookies::gone(cookies::SESSION))];
    (StatusCode::UNAUTHORIZED, gone, "sign in first\n").into_response()
}

fn only(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let found =
        names.iter().flat_map(|name| headers.get_all(name).iter().map(move |value| (name, value)));
    found.map(|(name, value)| (name.clone(), value.clone())).collect()
}
