//! The two cookies. Their prefix makes browsers insist: sent by this very host, over TLS, for all of
//! it. No script can read them.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

/// What the browser has instead of tokens. It never comes along with a request from another site.
pub(crate) const SESSION: &str = "__Host-session";
/// State and PKCE verifier of a login on its way. It has to come along when the authorization server
/// sends the browser back.
pub(crate) const LOGIN: &str = "__Host-login";

pub(crate) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let fields = headers.get_all(COOKIE).iter().filter_map(|field| field.to_str().ok());
    let mut pairs =
        fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
}

pub(crate) fn session(id: &str) -> HeaderValue {
    set(SESSION, id, "SameSite=Strict")
}

pub(crate) fn login(value: &str) -> HeaderValue {
    set(LOGIN, value, "SameSite=Lax; Max-Age=600")
}

pub(crate) fn gone(name: &str) -> HeaderValue {
    set(name, "", "Max-Age=0")
}

fn set(name: &str, value: &str, more: &str) -> HeaderValue {
    let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; {more}");
    HeaderValue::try_from(cookie).expect("values are base64url, or nothing")
}
