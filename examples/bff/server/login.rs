//! Signing in and out.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use url::form_urlencoded;

use super::oauth::{Error, Login};
use super::{Bff, cookies};

/// Off to the authorization server.
pub(crate) async fn login(State(bff): State<Arc<Bff>>) -> Response {
    let login = Login::new();
    let cookie = cookies::login(&format!("{}.{}", login.state, login.verifier));
    redirect(&bff.oauth.login_url(&login), [cookie])
}

/// And back from there, with a code.
pub(crate) async fn callback(
    State(bff): State<Arc<Bff>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match open_session(&bff, query.as_deref().unwrap_or_default(), &headers).await {
        Ok(id) => redirect("/", [cookies::session(&id), cookies::gone(cookies::LOGIN)]),
        Err(Error::Unavailable) => (StatusCode::BAD_GATEWAY, "try again later\n").into_response(),
        Err(_) => (StatusCode::BAD_REQUEST, "this login is not good\n").into_response(),
    }
}

async fn open_session(bff: &Bff, query: &str, headers: &HeaderMap) -> Result<String, Error> {
    let answer: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    let answer = |name| answer.get(name).map(|value| value.as_ref());
    // Without the cookie, it is not this browser that began.
    let kept = cookies::get(headers, cookies::LOGIN).and_then(|login| login.split_once('.'));
    let (state, verifier) = kept.ok_or(Error::Refused)?;
    if answer("state") != Some(state) || !bff.oauth.is_issuer(answer("iss")) {
        return Err(Error::Refused);
    }
    let login = Login { state: state.to_owned(), verifier: verifier.to_owned() };
    let tokens = bff.oauth.redeem(answer("code").ok_or(Error::Refused)?, &login).await?;
    Ok(bff.sessions.open(tokens))
}

/// Ends the session here, and says where the browser goes to end the one there.
pub(crate) async fn logout(State(bff): State<Arc<Bff>>, headers: HeaderMap) -> Response {
    let Some(session) = bff.sessions.close(&headers) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    if let Some(token) = session.refresh_token().await {
        bff.oauth.revoke(&token).await;
    }
    let next = bff.oauth.logout_url().unwrap_or_else(|| "/".to_owned());
    ([(SET_COOKIE, cookies::gone(cookies::SESSION))], Json(json!({ "next": next }))).into_response()
}

fn redirect<const N: usize>(to: &str, cookies: [HeaderValue; N]) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response();
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
