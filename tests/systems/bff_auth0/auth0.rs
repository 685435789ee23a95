//! The authorization server, `tests/oidc-provider/auth0.mjs`.

use std::collections::HashMap;

use serde::Deserialize;
use tokio::process::Child;
use url::Url;

use crate::support::oidc_provider::{body, client, post_form, start_script};

pub(crate) const CLIENT: (&str, &str) = ("bff", "the-secret-of-the-bff");
const WORKER: (&str, &str) = ("worker", "the-secret-of-the-worker");

/// Dropping it ends it.
pub(crate) struct Auth0 {
    _server: Child,
    issuer: String,
    control: String,
}

#[derive(Deserialize)]
struct Ready {
    issuer: String,
    control: String,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
}

/// What it has issued up to now.
#[derive(Deserialize)]
pub(crate) struct Issued {
    /// Access, refresh and ID tokens.
    pub(crate) tokens: Vec<String>,
    /// How often each type of grant.
    grants: HashMap<String, usize>,
    /// How often it was asked for tokens, good requests and bad ones.
    pub(crate) asked: usize,
}

impl Issued {
    pub(crate) fn grants(&self, of: &str) -> usize {
        self.grants.get(of).copied().unwrap_or_default()
    }
}

impl Auth0 {
    /// For the application that is at home there. `None` where it cannot be, see [`start_script`].
    pub(crate) async fn start(application: &str) -> Option<Self> {
        let (server, line) = start_script("auth0.mjs", &[application]).await?;
        let Ready { issuer, control } = serde_json::from_str(&line).expect("the ready line");
        Some(Self { _server: server, issuer, control })
    }

    /// With its trailing slash.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) async fn issued(&self) -> Issued {
        let request = client().get(format!("{}/issued", self.control));
        serde_json::from_str(&body(request).await).expect("what was issued")
    }

    /// Seconds that the next access tokens live; negative ones have expired when they are issued.
    pub(crate) async fn lifetimes(&self, seconds: &'static str) {
        self.command("lifetimes", seconds).await;
    }

    /// Whether the token endpoint answers.
    pub(crate) async fn down(&self, down: bool) {
        self.command(if down { "down" } else { "up" }, "").await;
    }

    /// The next answer of the token endpoint is held back.
    pub(crate) async fn hold(&self) {
        self.command("hold", "").await;
    }

    /// Returns when there is one.
    pub(crate) async fn held(&self) {
        self.command("held", "").await;
    }

    pub(crate) async fn release(&self) {
        self.command("release", "").await;
    }

    async fn command(&self, name: &str, argument: &'static str) {
        body(client().post(format!("{}/{name}", self.control)).body(argument)).await;
    }

    /// A token by client credentials.
    pub(crate) async fn machine_token(&self, audience: &str) -> String {
        let (id, secret) = WORKER;
        let form = [
            ("grant_type", "client_credentials"),
            ("audience", audience),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let answer = body(post_form(&client(), self.at("oauth/token"), &form)).await;
        serde_json::from_str::<TokenResponse>(&answer).expect("a token response").access_token
    }

    /// Whether it still takes that refresh token.
    pub(crate) async fn refreshes(&self, token: &str) -> bool {
        let (id, secret) = CLIENT;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let answer = post_form(&client(), self.at("oauth/token"), &form).send().await.unwrap();
        answer.status().is_success()
    }

    fn at(&self, path: &str) -> Url {
        Url::parse(&self.issuer).unwrap().join(path).unwrap()
    }
}
