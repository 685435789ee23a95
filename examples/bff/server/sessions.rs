//! Who is signed in, and the tokens that are kept for them.
//!
//! In memory: they end with this process, and another one does not know them. A server that is more
//! than an example has a store for them, where tokens are encrypted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use tokio::sync::Mutex as AsyncMutex;

use super::cookies;
use super::oauth::{Error, OAuth, Tokens, random};

const LONGEST: Duration = Duration::from_secs(8 * 60 * 60);
/// A token has to live as long as the request that takes it to the API.
const EARLY: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

#[derive(Clone)]
pub(crate) struct Session {
    /// Whoever waits here waits for the one refresh: a refresh token serves once.
    held: Arc<AsyncMutex<Held>>,
    ends: Instant,
}

struct Held {
    tokens: Tokens,
    good_until: Instant,
}

impl Sessions {
    /// What the cookie shall say.
    pub(crate) fn open(&self, tokens: Tokens) -> String {
        let (id, now) = (random(), Instant::now());
        let session =
            Session { held: Arc::new(AsyncMutex::new(Held::new(tokens))), ends: now + LONGEST };
        let mut sessions = self.0.lock().expect("nobody panics while holding it");
        sessions.retain(|_, session| session.ends > now);
        sessions.insert(id.clone(), session);
        id
    }

    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<Session> {
        let id = cookies::get(headers, cookies::SESSION)?;
        let sessions = self.0.lock().expect("nobody panics while holding it");
        sessions.get(id).filter(|session| session.ends > Instant::now()).cloned()
    }

    pub(crate) fn close(&self, headers: &HeaderMap) -> Option<Session> {
        let id = cookies::get(headers, cookies::SESSION)?;
        self.0.lock().expect("nobody panics while holding it").remove(id)
    }
}

impl Session {
    /// A token with some life left in it.
    ///
    /// # Errors
    /// When a new one was needed and could not be had.
    pub(crate) async fn access_token(&self, oauth: &Arc<OAuth>) -> Result<String, Error> {
        let mut held = Arc::clone(&self.held).lock_owned().await;
        if held.good_until > Instant::now() {
            return Ok(held.tokens.access_token.clone());
        }
        let oauth = Arc::clone(oauth);
        // In a task of its own, as the browser may hang up: by then the old refresh token may have
        // served, and the new one must not be lost.
        let refresh = tokio::spawn(async move {
            let old = held.tokens.refresh_token.clone().ok_or(Error::Refused)?;
            let mut new = oauth.refresh(&old).await?;
            // Where refresh tokens serve more than once, no new one comes.
            new.refresh_token.get_or_insert(old);
            *held = Held::new(new);
            Ok(held.tokens.access_token.clone())
        });
        refresh.await.map_err(|_| Error::Unavailable)?
    }

    pub(crate) async fn refresh_token(&self) -> Option<String> {
        self.held.lock().await.tokens.refresh_token.clone()
    }
}

impl Held {
    fn new(tokens: Tokens) -> Self {
        let life = Duration::from_secs(tokens.expires_in).saturating_sub(EARLY);
        Self { tokens, good_until: Instant::now() + life.min(LONGEST) }
    }
}
