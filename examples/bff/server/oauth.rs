//! The client of the authorization server: authorization code with PKCE (RFC 7636), client secret,
//! refresh, revocation (RFC 7009).
//!
//! The ID token is not used and not kept: who is calling is for the API to say.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::{digest, rand};
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Response, redirect};
use serde::Deserialize;
use url::form_urlencoded;

use super::Settings;

/// No `profile`, no `email`: ask for them where you use them. `offline_access` brings the refresh
/// token.
const SCOPE: &str = "openid offline_access";

pub(crate) struct OAuth {
    settings: Settings,
    metadata: Metadata,
    http: reqwest::Client,
}

/// OpenID Connect Discovery §3, as far as it is of use here.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Not `Debug`, so that nobody can log them.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    /// Seconds.
    #[serde(default)]
    pub(crate) expires_in: u64,
}

/// The secrets of one login, which the browser keeps meanwhile.
pub(crate) struct Login {
    pub(crate) state: String,
    pub(crate) verifier: String,
}

#[derive(Debug)]
pub(crate) enum Error {
    /// The authorization server says no: the login or the session is over.
    Refused,
    /// It says nothing of use: try again later.
    Unavailable,
    /// It is another one than the settings say.
    WrongIssuer,
}

impl OAuth {
    pub(crate) async fn discover(settings: Settings, http: reqwest::Client) -> Result<Self, Error> {
        let issuer = settings.issuer.strip_suffix('/').unwrap_or(&settings.issuer);
        let address = format!("{issuer}/.well-known/openid-configuration");
        let metadata: Metadata = read(http.get(address).send().await?).await?;
        if metadata.issuer != settings.issuer {
            return Err(Error::WrongIssuer);
        }
        Ok(Self { settings, metadata, http })
    }

    /// Where the browser goes to sign in.
    pub(crate) fn login_url(&self, login: &Login) -> String {
        let challenge = digest::digest(&digest::SHA256, login.verifier.as_bytes());
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.redirect_uri()),
            ("audience", &self.settings.audience),
            ("scope", SCOPE),
            ("state", &login.state),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256"),
        ]);
        format!("{}?{query}", self.metadata.authorization_endpoint)
    }

    /// Where the browser goes to sign out; `None` where the authorization server does not say.
    ///
    /// There is no `id_token_hint`: that would be a token in an address. So it may ask the person.
    pub(crate) fn logout_url(&self) -> Option<String> {
        let query = form(&[
            ("client_id", &self.settings.client_id),
            ("post_logout_redirect_uri", &format!("{}/", self.settings.public_url)),
        ]);
        Some(format!("{}?{query}", self.metadata.end_session_endpoint.as_deref()?))
    }

    /// Whether this is the server that sent the browser back (RFC 9207).
    pub(crate) fn is_issuer(&self, iss: Option<&str>) -> bool {
        match iss {
            Some(iss) => iss == self.metadata.issuer,
            None => !self.metadata.authorization_response_iss_parameter_supported,
        }
    }

    pub(crate) async fn redeem(&self, code: &str, login: &Login) -> Result<Tokens, Error> {
        let redirect_uri = self.redirect_uri();
        self.tokens(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", &login.verifier),
            ("redirect_uri", &redirect_uri),
        ])
        .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<Tokens, Error> {
        self.tokens(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Whether or not it works, this server has forgotten the token.
    pub(crate) async fn revoke(&self, token: &str) {
        if let Some(endpoint) = &self.metadata.revocation_endpoint {
            let form = [("token", token), ("token_type_hint", "refresh_token")];
            let _ = self.post(endpoint, &form).await;
        }
    }

    fn redirect_uri(&self) -> String {
        format!("{}/callback", self.settings.public_url)
    }

    async fn tokens(&self, form: &[(&str, &str)]) -> Result<Tokens, Error> {
        read(self.post(&self.metadata.token_endpoint, form).await?).await
    }

    /// With `client_secret_post`, which is what Auth0 expects of a new application.
    async fn post(&self, endpoint: &str, pairs: &[(&str, &str)]) -> Result<Response, Error> {
        let client = [
            ("client_id", self.settings.client_id.as_str()),
            ("client_secret", &self.settings.client_secret),
        ];
        let request = self.http.post(endpoint);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        Ok(request.body(form(&[pairs, &client].concat())).send().await?)
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl Login {
    pub(crate) fn new() -> Self {
        Self { state: random(), verifier: random() }
    }
}

pub(crate) fn client() -> Result<reqwest::Client, Error> {
    let builder = reqwest::Client::builder().redirect(redirect::Policy::none());
    Ok(builder.timeout(Duration::from_secs(10)).build()?)
}

/// 256 bits, in characters that cookies and addresses take as they are.
pub(crate) fn random() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system has random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A 4xx is about what was sent (`invalid_grant`); everything else is the server's own trouble.
async fn read<T: for<'de> Deserialize<'de>>(response: Response) -> Result<T, Error> {
    match response.status() {
        status if status.is_success() => {
            serde_json::from_slice(&response.bytes().await?).map_err(|_| Error::Unavailable)
        }
        status if status.is_client_error() && status.as_u16() != 429 => Err(Error::Refused),
        _ => Err(Error::Unavailable),
    }
}

impl From<reqwest::Error> for Error {
    fn from(_: reqwest::Error) -> Self {
        Self::Unavailable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the authorization server refuses",
            Self::Unavailable => "the authorization server cannot be asked",
            Self::WrongIssuer => "the authorization server calls itself by another name",
        })
    }
}

impl std::error::Error for Error {}
