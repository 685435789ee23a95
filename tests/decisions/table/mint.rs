//! The tokens of the table.

use std::time::{Duration, UNIX_EPOCH};

use portcullis::testing::Authority;
use portcullis::{ClientCertificate, Clock};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::spoken::Spoken;

/// A token, good unless something is said about it.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Token {
    scope: Option<String>,
    claims: Map<String, Value>,
    header: Map<String, Value>,
    /// Claims that are left out.
    without: Vec<String>,
    /// A certificate, as a request shows it.
    bound_to: Option<String>,
    valid: Valid,
    login: Option<Login>,
    signed_by: Signer,
    /// This in place of a token.
    text: Option<String>,
    /// So many characters in place of a token.
    text_of_length: Option<usize>,
    /// An opaque token, about which this is said.
    spoken: Option<Spoken>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Valid {
    #[default]
    Now,
    Past,
    Future,
}

/// When the person logged in: now, or ten minutes ago.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Login {
    Recent,
    Old,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Signer {
    #[default]
    Authority,
    /// Under the `kid` of the authority's key.
    Stranger,
    Nobody,
}

impl Token {
    pub(super) fn mint(&self, authority: &Authority, every_token: &Map<String, Value>) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        if let Some(length) = self.text_of_length {
            return "a".repeat(length);
        }
        if let Some(spoken) = &self.spoken {
            return spoken.token(every_token);
        }
        let mut token = authority.token();
        if let Some(scope) = &self.scope {
            token = token.scope(scope);
        }
        for (name, value) in every_token.iter().chain(&self.claims) {
            token = token.claim(name, value);
        }
        if let Some(certificate) = &self.bound_to {
            token = token.bound_to(&ClientCertificate::from_der(certificate));
        }
        if let Some(login) = self.login {
            let ago = Duration::from_secs(if login == Login::Old { 600 } else { 0 });
            let at = authority.clock().now().duration_since(UNIX_EPOCH).unwrap() - ago;
            token = token.claim("auth_time", at.as_secs());
        }
        token = self.header.iter().fold(token, |token, (name, value)| token.header(name, value));
        token = self.without.iter().fold(token, |token, claim| token.without(claim));
        token = match self.valid {
            Valid::Now => token,
            Valid::Past => token.expired(),
            Valid::Future => token.not_yet_valid(),
        };
        token = match self.signed_by {
            Signer::Authority => token,
            Signer::Stranger => token.signed_by_stranger(),
            Signer::Nobody => token.unsigned(),
        };
        token.mint()
    }
}
