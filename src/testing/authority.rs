//! The authority as users hold it.

use std::fmt;
use std::io;
use std::sync::Arc;

use serde_json::json;

use super::builder::AuthorityBuilder;
use super::client::Client;
use super::clock::ManualClock;
use super::in_process::InProcessClient;
use super::misuse::expect_sound;
use super::serve::Server;
use super::state::{Outage, State};
use super::token::TokenBuilder;
use crate::authentication::Issuer;
use crate::config_error::ConfigError;
use crate::jose::Algorithm;
use crate::resource_server::{ResourceServer, ResourceServerBuilder};

/// An authorization server for tests, in this process: metadata (RFC 8414), keys, a token endpoint
/// for client credentials, an introspection endpoint, and any token at will.
///
/// Cheap to make and to clone; clones are the same authority. See the [module](super) for an
/// example.
#[derive(Clone)]
pub struct Authority {
    state: Arc<State>,
    /// On a socket until the last handle is gone.
    server: Option<Arc<Server>>,
}

impl Authority {
    /// An authority without a socket, `https://authority.example`, for the audience
    /// `https://api.example.com`. [`http_service`](Self::http_service) is the way to reach it.
    pub fn new() -> Self {
        // The builder's own defaults have no faults.
        expect_sound(Self::builder().build())
    }

    /// An authority on a free port of 127.0.0.1, otherwise as [`new`](Self::new) makes it.
    ///
    /// # Errors
    /// When no socket can be had.
    pub async fn bind() -> io::Result<Self> {
        Self::builder().serve().await
    }

    /// Another issuer, audience, clock …
    pub fn builder() -> AuthorityBuilder {
        AuthorityBuilder::default()
    }

    pub(super) fn new_with(state: Arc<State>, server: Option<Server>) -> Self {
        Self { state, server: server.map(Arc::new) }
    }

    /// The issuer URL, as it stands in `iss`.
    pub fn issuer_url(&self) -> &str {
        self.state.addresses().issuer()
    }

    /// The default audience, as it stands in `aud`.
    pub fn audience(&self) -> &str {
        self.state.default_audience()
    }

    /// The address of the key set.
    pub fn jwks_uri(&self) -> String {
        self.state.addresses().jwks_uri()
    }

    /// The address of the token endpoint.
    pub fn token_endpoint(&self) -> String {
        self.state.addresses().token_endpoint()
    }

    /// The address of the introspection endpoint (RFC 7662), for
    /// [registered](Self::register) clients, by Basic or in the form, and for bearers of an access
    /// token with the scope `authorization.introspect`. Who wants a signed answer (RFC 9701) gets one.
    pub fn introspection_endpoint(&self) -> String {
        self.state.addresses().introspection_endpoint()
    }

    /// The clock by which tokens are dated. Clones of it show the same time.
    pub fn clock(&self) -> &ManualClock {
        self.state.clock()
    }

    /// This authority as a trusted issuer: keys by discovery, its audiences, its algorithms.
    pub fn issuer(&self) -> Issuer {
        self.described(Issuer::discover(self.issuer_url()))
            .algorithms(self.state.settings.algorithms.iter().copied())
    }

    /// As a trusted issuer of HS256, HS384 and HS512 tokens: it shares its secrets of now, and has
    /// no other keys.
    ///
    /// # Panics
    /// When the cryptographic library fails, which means that this machine has no randomness.
    #[track_caller]
    pub fn issuer_with_secrets(&self) -> Issuer {
        let secrets = json!({"keys": expect_sound(self.state.keys.secret_jwks())});
        self.described(Issuer::with_jwks(self.issuer_url(), secrets.to_string()))
            .algorithms(Algorithm::all().filter(|algorithm| algorithm.is_symmetric()))
    }

    fn described(&self, issuer: Issuer) -> Issuer {
        self.state.settings.audiences.iter().fold(issuer, Issuer::audience)
    }

    /// A resource server that trusts this authority, shares its clock and reaches it without a
    /// socket, to be built as it is or to be configured further.
    pub fn resource_server(&self) -> ResourceServerBuilder {
        ResourceServer::builder()
            .issuer(self.issuer())
            .clock(self.clock().clone())
            .http_client(self.http_service())
    }

    /// An HTTP client that reaches this authority without a socket, and nothing else.
    pub fn http_service(&self) -> InProcessClient {
        InProcessClient::new(Arc::clone(&self.state))
    }

    /// The key set as it is published now (RFC 7517 §5, JSON).
    ///
    /// # Panics
    /// When the cryptographic library fails, which means that this machine has no randomness.
    #[track_caller]
    pub fn jwks(&self) -> String {
        expect_sound(self.state.jwks())
    }

    /// A token to be made, good unless it is made bad.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self.clone())
    }

    /// Lets a client get tokens from the token endpoint.
    ///
    /// # Errors
    /// Every fault of the client, or that there is one of this id.
    pub fn register(&self, client: Client) -> Result<(), ConfigError> {
        self.state.register(client)
    }

    /// Signs with new keys from now on. The old ones stay published until they are
    /// [retired](Self::retire_old_keys).
    ///
    /// A resource server learns of them when it sees the first new token, at most once in ten
    /// seconds. A test that rotates more often has it
    /// [load the keys](crate::ResourceServer::load_keys).
    ///
    /// # Panics
    /// When the cryptographic library fails, which means that this machine has no randomness.
    #[track_caller]
    pub fn rotate_keys(&self) {
        expect_sound(self.state.keys.rotate());
    }

    /// Publishes the newest keys alone. After [`rotate_keys`](Self::rotate_keys): tokens from
    /// before are good no more once the resource server has fetched keys again.
    pub fn retire_old_keys(&self) {
        self.state.keys.retire_old();
    }

    /// Makes endpoints fail, or work again with [`Outage::None`].
    pub fn set_outage(&self, outage: Outage) {
        self.state.set_outage(outage);
    }

    /// How often the key set was asked for, answered or not.
    pub fn jwks_requests(&self) -> u64 {
        self.state.jwks_requests()
    }

    /// How often the introspection endpoint was asked, answered or not.
    pub fn introspection_requests(&self) -> u64 {
        self.state.introspection_requests()
    }

    /// The introspection endpoint says from now on that this token is not active.
    pub fn revoke(&self, token: &str) {
        self.state.revoke(token);
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn shared_state(&self) -> &Arc<State> {
        &self.state
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("issuer", &self.issuer_url())
            .field("on_a_socket", &self.server.is_some())
            .finish_non_exhaustive()
    }
}
