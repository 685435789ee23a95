//! The token endpoint: client credentials for an access token (RFC 6749 §4.4).

use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::Full;
use serde_json::{Value, json};

use super::client_authentication::authenticate;
use super::endpoints::{Answer, JSON};
use super::form::Form;
use super::mint::Recipe;
use super::state::State;
use super::token_error::TokenError;

/// What `expires_in` leaves out: the time until the client reads it.
const ON_THE_WAY: u64 = 1;

/// `body` is `None` where it was longer than anybody needs.
pub(super) fn answer(state: &State, headers: &HeaderMap, body: Option<&[u8]>) -> Answer {
    let mut answer = match grant(state, headers, body) {
        Ok(token) => Response::new(Full::from(token.to_string())),
        Err(error) => error.to_answer(),
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    // RFC 6749 §5.1.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    answer
}

fn grant(state: &State, headers: &HeaderMap, body: Option<&[u8]>) -> Result<Value, TokenError> {
    let body = body.ok_or(TokenError::request("the request is too large"))?;
    let form = Form::read(headers, body)?;
    let client = authenticate(state, headers, &form)?;
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(TokenError::grant_type()),
        None => return Err(TokenError::request("grant_type is missing")),
    }
    let audience = audience(state, &form)?;
    let scope = form.get("scope").unwrap_or_default();
    let scope = client.grant(scope).map_err(|_| TokenError::scope())?;
    let recipe = Recipe {
        lifetime: Some(state.settings.token_lifetime),
        claims: [
            ("aud", audience),
            ("sub", client.id().into()),
            ("client_id", client.id().into()),
            ("scope", scope.as_str().into()),
        ]
        .map(|(name, value)| (name.to_owned(), Some(value)))
        .into(),
        ..Recipe::default()
    };
    let token =
        if state.settings.opaque_tokens { recipe.opaque(state) } else { recipe.mint(state) };
    let token = token.map_err(|_| TokenError::server())?;
    Ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": state.settings.token_lifetime.as_secs().saturating_sub(ON_THE_WAY),
        "scope": scope,
    }))
}

/// Whom the token is for: what `resource` (RFC 8707) or `audience`, as some servers call it,
/// names, else the default.
fn audience(state: &State, form: &Form) -> Result<Value, TokenError> {
    let mut targets: Vec<&str> = Vec::new();
    for target in form.all("resource").chain(form.all("audience")) {
        if !state.settings.audiences.iter().any(|known| known == target) {
            return Err(TokenError::target());
        }
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Ok(match targets.as_slice() {
        [] => state.default_audience().into(),
        [only] => (*only).into(),
        several => several.into(),
    })
}

#[cfg(test)]
mod tests;
