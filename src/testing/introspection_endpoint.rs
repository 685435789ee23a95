//! The introspection endpoint (RFC 7662), with signed answers for those who want them (RFC 9701).

use std::time::UNIX_EPOCH;

use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::client_authentication::authenticate;
use super::endpoints::{Answer, JSON, document, empty};
use super::form::Form;
use super::mint::Recipe;
use super::state::State;
use super::token_error::TokenError;
use crate::clock::Clock;
use crate::jose::{CompactJws, JoseHeader, JwkSet, KeyOrigin, json};

/// The scope of those who ask with an access token of their own.
const SCOPE: &str = "authorization.introspect";
const SIGNED: &str = "application/token-introspection+jwt";

/// `body` is `None` where it was longer than anybody needs.
pub(super) fn answer(state: &State, headers: &HeaderMap, body: Option<&[u8]>) -> Answer {
    let mut answer = match inspect(state, headers, body) {
        Ok(answer) => answer,
        Err(Refusal::Form(error)) => {
            let mut answer = error.to_answer();
            answer.headers_mut().insert(CONTENT_TYPE, JSON);
            answer
        }
        Err(Refusal::Bearer(status)) => empty(status),
    };
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

enum Refusal {
    Form(TokenError),
    /// Of the caller's own token.
    Bearer(StatusCode),
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::Form(error)
    }
}

fn inspect(state: &State, headers: &HeaderMap, body: Option<&[u8]>) -> Result<Answer, Refusal> {
    let body = body.ok_or(TokenError::request("the request is too large"))?;
    let form = Form::read(headers, body)?;
    let caller = match bearer(headers) {
        Some(token) => holder(state, token).map_err(Refusal::Bearer)?,
        None => authenticate(state, headers, &form)?.id().to_owned(),
    };
    let token = form.get("token").ok_or(TokenError::request("token is missing"))?;
    let answer = match claims_of_active(state, token) {
        Some(Value::Object(mut claims)) => {
            claims.insert("active".to_owned(), true.into());
            Value::Object(claims)
        }
        // RFC 7662 §2.2: nothing else is said about it.
        _ => json!({ "active": false }),
    };
    let wants_signed = headers.get(ACCEPT).is_some_and(|accept| accept == SIGNED);
    if !wants_signed {
        return Ok(document(JSON, answer.to_string()));
    }
    let now = state.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let signed = Recipe {
        header: [("typ".to_owned(), Some("token-introspection+jwt".into()))].into(),
        claims_text: Some(
            json!({
                "iss": state.addresses().issuer(),
                "aud": caller,
                "iat": now,
                "token_introspection": answer,
            })
            .to_string()
            .into_bytes(),
        ),
        ..Recipe::default()
    };
    let signed = signed.mint(state).map_err(|_| TokenError::server())?;
    Ok(document(HeaderValue::from_static(SIGNED), signed))
}

/// What a token stands for, if it is one of ours, not revoked, and within its time.
fn claims_of_active(state: &State, token: &str) -> Option<Value> {
    if state.is_revoked(token) {
        return None;
    }
    let claims = state.kept(token).or_else(|| signed_claims(state, token))?;
    let now = state.clock().now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
    let date = |name: &str| claims.get(name).and_then(Value::as_f64);
    let is_alive = date("exp").is_none_or(|end| now < end);
    let has_begun = date("nbf").is_none_or(|start| start <= now);
    (is_alive && has_begun).then_some(claims)
}

fn signed_claims(state: &State, token: &str) -> Option<Value> {
    let jws = CompactJws::parse(token.as_bytes()).ok()?;
    let header = JoseHeader::parse(jws.header()).ok()?;
    let keys = state.jwks().ok()?;
    let algorithms = &state.settings.algorithms;
    let keys = JwkSet::parse(keys.as_bytes(), algorithms, KeyOrigin::Fetched).ok()?;
    keys.verify(&header, &jws).ok()?;
    json::object(jws.payload()).ok().map(Value::Object)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The client whose token lets it ask.
fn holder(state: &State, token: &str) -> Result<String, StatusCode> {
    let claims = claims_of_active(state, token).ok_or(StatusCode::UNAUTHORIZED)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("scope").split(' ').any(|scope| scope == SCOPE) {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(text("client_id").to_owned())
}
