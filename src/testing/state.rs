//! What an authority knows, shared by its handles, its in-process client and its socket.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use serde_json::{Value, json};

use super::addresses::Addresses;
use super::client::{Client, RegisteredClient};
use super::clock::ManualClock;
use super::keys::KeyRing;
use super::signing_key::CryptoFailure;
use crate::config_error::{ConfigError, Faults};
use crate::jose::{Algorithm, base64url};

/// Which endpoints of an [`Authority`](super::Authority) answer 503 instead of doing their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Outage {
    /// None: everything works.
    #[default]
    None,
    /// The key set. Metadata and tokens can still be had.
    Keys,
    /// All of them.
    Everything,
}

pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) keys: KeyRing,
    clients: Mutex<Vec<Arc<RegisteredClient>>>,
    outage: Mutex<Outage>,
    jwks_requests: AtomicU64,
    introspection_requests: AtomicU64,
    /// Opaque tokens and what they stand for.
    opaque: Mutex<HashMap<String, Value>>,
    revoked: Mutex<HashSet<String>>,
}

/// What never changes.
pub(super) struct Settings {
    pub(super) addresses: Addresses,
    /// At least one.
    pub(super) audiences: Vec<String>,
    /// At least one; none of them symmetric.
    pub(super) algorithms: Vec<Algorithm>,
    /// Whether RSA keys, which take long to make, can wait until somebody wants one.
    pub(super) lazy_rsa: bool,
    pub(super) clock: ManualClock,
    /// Of tokens from the token endpoint.
    pub(super) token_lifetime: Duration,
    /// Whether they are opaque.
    pub(super) opaque_tokens: bool,
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            keys: KeyRing::new(),
            clients: Mutex::default(),
            outage: Mutex::default(),
            jwks_requests: AtomicU64::new(0),
            introspection_requests: AtomicU64::new(0),
            opaque: Mutex::default(),
            revoked: Mutex::default(),
        }
    }

    pub(super) fn addresses(&self) -> &Addresses {
        &self.settings.addresses
    }

    pub(super) fn clock(&self) -> &ManualClock {
        &self.settings.clock
    }

    pub(super) fn default_audience(&self) -> &str {
        self.settings.audiences.first().map_or("", String::as_str)
    }

    pub(super) fn default_algorithm(&self) -> Algorithm {
        self.settings.algorithms.first().copied().unwrap_or(Algorithm::ES256)
    }

    /// The JWK set (RFC 7517 §5) as it is published.
    pub(super) fn jwks(&self) -> Result<String, CryptoFailure> {
        let keys = self.keys.public_jwks(&self.settings.algorithms, self.settings.lazy_rsa)?;
        Ok(json!({"keys": keys}).to_string())
    }

    pub(super) fn register(&self, client: Client) -> Result<(), ConfigError> {
        let mut faults = Faults::default();
        let Some(client) = client.compile(&mut faults) else { return faults.or(()) };
        let mut clients = lock(&self.clients);
        if clients.iter().any(|known| known.id() == client.id()) {
            faults.add(format!("client {:?}", client.id()), "is registered already");
        }
        faults.or(())?;
        clients.push(Arc::new(client));
        Ok(())
    }

    pub(super) fn client(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        lock(&self.clients).iter().find(|client| client.id() == id).cloned()
    }

    pub(super) fn outage(&self) -> Outage {
        *lock(&self.outage)
    }

    pub(super) fn set_outage(&self, outage: Outage) {
        *lock(&self.outage) = outage;
    }

    pub(super) fn count_jwks_request(&self) {
        self.jwks_requests.fetch_add(1, Ordering::Relaxed);
    }

    /// An opaque token that stands for these claims.
    pub(super) fn keep(&self, claims: Value) -> Result<String, CryptoFailure> {
        let mut text = [0; 24];
        rand::fill(&mut text)?;
        let text = base64url::encode(text);
        lock(&self.opaque).insert(text.clone(), claims);
        Ok(text)
    }

    pub(super) fn kept(&self, token: &str) -> Option<Value> {
        lock(&self.opaque).get(token).cloned()
    }

    pub(super) fn revoke(&self, token: &str) {
        lock(&self.revoked).insert(token.to_owned());
    }

    pub(super) fn is_revoked(&self, token: &str) -> bool {
        lock(&self.revoked).contains(token)
    }

    pub(super) fn count_introspection_request(&self) {
        self.introspection_requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn introspection_requests(&self) -> u64 {
        self.introspection_requests.load(Ordering::Relaxed)
    }

    pub(super) fn jwks_requests(&self) -> u64 {
        self.jwks_requests.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
