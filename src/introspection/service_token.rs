//! An access token of our own, by client credentials (RFC 6749 §4.4).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::Instant;
use url::Url;

use super::client_auth::field;
use super::fault::{Fault, Reason, Step};
use super::flights::{Boarding, Flights};
use crate::fetch::{self, Form, HttpClient};
use crate::jose::json;

/// A token response is small. Bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Where the server does not say how long the token lives.
const USUAL: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Renewed so much ahead of its end, but not before half its life is over.
const AHEAD: Duration = Duration::from_secs(30);

/// Where the token comes from, and the one that is there.
pub(super) struct ServiceToken {
    client: HttpClient,
    address: Url,
    authorization: HeaderValue,
    /// What is posted.
    form: String,
    held: ArcSwapOption<Held>,
    flights: Arc<Flights<(), Fetched>>,
    fetched: AtomicU64,
}

type Fetched = Result<Arc<Held>, Arc<Fault>>;

/// A token.
pub(super) struct Held {
    /// The `Authorization` field.
    pub(super) field: HeaderValue,
    /// Tells it from those before it.
    pub(super) number: u64,
    until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

impl ServiceToken {
    pub(super) fn new(
        client: HttpClient,
        address: Url,
        authorization: HeaderValue,
        scope: &str,
    ) -> Self {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !scope.is_empty() {
            form.append_pair("scope", scope);
        }
        Self {
            client,
            address,
            authorization,
            form: form.finish(),
            held: ArcSwapOption::empty(),
            flights: Arc::new(Flights::new(1)),
            fetched: AtomicU64::new(0),
        }
    }

    /// A token that is not the one `refused`: the one that is there, or a new one, for which all who
    /// need it wait.
    pub(super) async fn get(self: &Arc<Self>, refused: Option<u64>) -> Fetched {
        let usable = || {
            let held = self.held.load_full()?;
            let is_good = Instant::now() < held.until && refused != Some(held.number);
            is_good.then_some(held)
        };
        if let Some(held) = usable() {
            return Ok(held);
        }
        let nobody = || Arc::new(Self::fault(Reason::Late));
        let runtime = Handle::try_current().map_err(|_| nobody())?;
        let boarding = self.flights.board(
            &runtime,
            (),
            || usable().map(Ok),
            || {
                let this = Arc::clone(self);
                async move { this.fetch().await.map_err(Arc::new) }
            },
        );
        match boarding {
            Boarding::Wait(seat) => seat.landed().await.unwrap_or_else(|| Err(nobody())),
            Boarding::There(fetched) => fetched,
            Boarding::Full => Err(nobody()),
        }
    }

    async fn fetch(&self) -> Result<Arc<Held>, Fault> {
        let form = Form {
            accept: "application/json",
            authorization: Some(self.authorization.clone()),
            body: self.form.clone(),
        };
        let answer = fetch::post(&self.client, &self.address, form, MAX_BYTES).await;
        let held = self.read(&answer.map_err(|error| Self::fault(Reason::Fetch(error)))?)?;
        let held = Arc::new(held);
        self.held.store(Some(Arc::clone(&held)));
        Ok(held)
    }

    /// RFC 6749 §5.
    fn read(&self, response: &Response<Bytes>) -> Result<Held, Fault> {
        match response.status() {
            StatusCode::OK => {}
            // RFC 6749 §5.2: the client or what it asks for is refused.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(Self::fault(Reason::Credentials));
            }
            status => return Err(Self::fault(Reason::Status(status))),
        }
        let unusable = || Self::fault(Reason::Answer("answered without a usable bearer token"));
        let answer: Answer = json::document(response.body()).map_err(|_| unusable())?;
        let is_bearer = |kind: &String| kind.eq_ignore_ascii_case("bearer");
        if answer.access_token.is_empty() || !answer.token_type.as_ref().is_none_or(is_bearer) {
            return Err(unusable());
        }
        Ok(Held {
            field: field("Bearer", &answer.access_token).ok_or_else(unusable)?,
            number: self.fetched.fetch_add(1, Ordering::Relaxed),
            until: Instant::now() + kept(answer.expires_in.as_ref().and_then(Value::as_f64)),
        })
    }

    fn fault(reason: Reason) -> Fault {
        Fault { step: Step::OwnToken, reason }
    }
}

fn kept(expires_in: Option<f64>) -> Duration {
    let lifetime = expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let lifetime = lifetime.unwrap_or(USUAL).min(LONGEST);
    lifetime - AHEAD.min(lifetime / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_ahead_of_its_end() {
        for (expires_in, seconds) in [
            (Some(3599.0), 3569.0),
            (Some(30.0), 15.0),
            (Some(0.0), 0.0),
            (Some(-1.0), 270.0),
            (Some(f64::INFINITY), 270.0),
            (Some(1e9), 86370.0),
            (None, 270.0),
        ] {
            assert_eq!(kept(expires_in).as_secs_f64(), seconds, "{expires_in:?}");
        }
    }
}
