//! One question and its answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{HeaderValue, Response, StatusCode};
use tokio::sync::Semaphore;
use url::Url;

use super::alarm::Alarm;
use super::answer::{self, Answer, Read};
use super::client_auth::ClientAuth;
use super::fault::{Fault, Reason, Step};
use super::signed::{self, Signed};
use crate::fetch::{self, Form, HttpClient, shown};
use crate::keys::KeyStore;

/// Questions that are on their way at once; others wait for their turn.
pub(super) const AT_ONCE: usize = 64;

/// For everything that a question may take: its turn, a token of our own, both once more.
const LIMIT: Duration = Duration::from_secs(10);

/// Nothing is known about a token.
#[derive(Debug)]
pub(crate) struct Unanswered;

/// The authorization server as it can be asked.
pub(crate) struct Introspector {
    pub(super) client: HttpClient,
    pub(super) address: Url,
    pub(super) auth: ClientAuth,
    /// Where answers have to be signed.
    pub(super) signed: Option<Signed>,
    pub(super) issuer: String,
    pub(super) turns: Semaphore,
    pub(super) alarm: Alarm,
}

impl Introspector {
    /// What the server says about a token. `Err` says nothing about it, and is told to the log. `keys`
    /// are the issuer's, for signed answers.
    pub(crate) async fn ask(&self, token: &str, keys: &KeyStore) -> Result<Answer, Unanswered> {
        let late = || Arc::new(Fault { step: Step::Introspection, reason: Reason::Late });
        let asked = tokio::time::timeout(LIMIT, self.question(token, keys)).await;
        let issuer = &*shown(&self.issuer);
        match asked.unwrap_or_else(|_| Err(late())) {
            Ok(answer) => {
                self.alarm.well(issuer);
                Ok(answer)
            }
            Err(fault) => {
                self.alarm.failed(issuer, &fault);
                Err(Unanswered)
            }
        }
    }

    /// Asks about what is no token, to see whether there is an answer. Not told to the log.
    #[cfg(feature = "sidecar")]
    pub(crate) async fn probe(&self, keys: &KeyStore) -> Result<(), String> {
        let asked = tokio::time::timeout(LIMIT, self.question("portcullis-check", keys)).await;
        match asked {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(fault)) => Err(fault.to_string()),
            Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
        }
    }

    async fn question(&self, token: &str, keys: &KeyStore) -> Result<Answer, Arc<Fault>> {
        // Nobody closes it.
        let _turn = self.turns.acquire().await;
        let response = match &self.auth {
            ClientAuth::Bearer(own) => {
                let held = own.get(None).await?;
                let response = self.post(token, Some(held.field.clone())).await?;
                if response.status() == StatusCode::UNAUTHORIZED {
                    let renewed = own.get(Some(held.number)).await?;
                    self.post(token, Some(renewed.field.clone())).await?
                } else {
                    response
                }
            }
            other => self.post(token, other.field()).await?,
        };
        match (answer::head(response)?, &self.signed) {
            (Read::Conflict(value), _) => Ok(Answer::Conflict(value)),
            (Read::Body(response), None) => Ok(answer::plain(&response)?),
            (Read::Body(response), Some(signed)) => Ok(signed.read(&response, keys).await?),
        }
    }

    /// RFC 7662 §2.1.
    async fn post(
        &self,
        token: &str,
        authorization: Option<HeaderValue>,
    ) -> Result<Response<Bytes>, Fault> {
        let fault = |reason| Fault { step: Step::Introspection, reason };
        let body = self.form(token).ok_or_else(|| fault(Reason::Signing))?;
        let accept = match self.signed {
            Some(_) => signed::MEDIA_TYPE,
            None => "application/json",
        };
        let form = Form { accept, authorization, body };
        fetch::post(&self.client, &self.address, form, answer::MAX_BYTES)
            .await
            .map_err(|error| fault(Reason::Fetch(error)))
    }

    fn form(&self, token: &str) -> Option<String> {
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        self.auth.sign(&mut form)?;
        Some(form.finish())
    }
}

/// Without credentials.
impl fmt::Display for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(self.address.as_str()))
    }
}
