//! The server that the browser talks to.

mod cookies;
mod csrf;
mod forward;
mod login;
mod oauth;
mod sessions;

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Router, extract::Request};

use oauth::OAuth;
use sessions::Sessions;

/// What differs from one installation to the next.
#[derive(Clone)]
pub(crate) struct Settings {
    /// With its trailing slash.
    pub(crate) issuer: String,
    /// The identifier of the API.
    pub(crate) audience: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// Where browsers find this server, without a slash at the end.
    pub(crate) public_url: String,
    /// Where this server finds the API, without a slash at the end.
    pub(crate) api_url: String,
}

/// What all handlers share.
struct Bff {
    settings: Settings,
    oauth: Arc<OAuth>,
    sessions: Sessions,
    http: reqwest::Client,
}

const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGE: [(axum::http::HeaderName, &str); 1] = [(CONTENT_TYPE, "text/html; charset=utf-8")];
const SCRIPT: [(axum::http::HeaderName, &str); 1] =
    [(CONTENT_TYPE, "text/javascript; charset=utf-8")];

/// Asks the authorization server for its addresses and opens shop.
///
/// # Errors
/// When there is no such authorization server.
pub(crate) async fn router(settings: Settings) -> Result<Router, oauth::Error> {
    let http = oauth::client()?;
    let oauth = Arc::new(OAuth::discover(settings.clone(), http.clone()).await?);
    let bff = Arc::new(Bff { settings, oauth, sessions: Sessions::default(), http });
    let with_session = Router::new()
        .route("/api/{*path}", any(forward::forward))
        .route("/logout", post(login::logout))
        .route_layer(middleware::from_fn(csrf::refuse_other_sites));
    Ok(Router::new()
        .route("/", get((PAGE, include_str!("page.html"))))
        .route("/page.js", get((SCRIPT, include_str!("page.js"))))
        .route("/login", get(login::login))
        .route("/callback", get(login::callback))
        .merge(with_session)
        .layer(middleware::from_fn(careful))
        .with_state(bff))
}

/// Nothing here is for caches, frames or the scripts of others, and no address (of which one holds
/// an authorization code) for the `Referer` of the next request.
async fn careful(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fields = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fields {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
