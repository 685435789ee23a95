//! The resource server: all of the above put together, with no framework in it.

mod builder;
mod gate;
mod metadata;

use std::fmt;
use std::sync::Arc;

use crate::access_token::AccessToken;
use crate::authentication::{Authenticator, IssuerFamily, TrustedIssuer};
use crate::authorization::Requirement;
use crate::challenge::{ChallengeSettings, Challenges};
use crate::client_certificate::ClientCertificate;
use crate::credentials::QueryToken;
use crate::keys::{KeyStatus, KeyStore};
use crate::rejection::{RefusalBody, Rejection};
use crate::rejection_kind::RejectionKind;
use crate::token_cache::TokenCacheStatus;

pub use builder::{DangerousBuilder, Preflight, ResourceServerBuilder};
pub(crate) use gate::{Decision, Gate};
#[cfg(feature = "env")]
pub(crate) use metadata::ResourceIdentifier;
pub use metadata::ResourceMetadata;

/// An OAuth 2.0 resource server: decides whether an access token may make a request.
///
/// Built once and shared; a clone is a pointer. Building does no network I/O: keys are fetched
/// when the first token arrives, or ahead of it by [`load_keys`](Self::load_keys).
#[derive(Clone)]
pub struct ResourceServer(Arc<Inner>);

struct Inner {
    authenticator: Authenticator,
    challenge: Arc<ChallengeSettings>,
    /// For requests that no route has anything to add to.
    challenges: Arc<Challenges>,
    required: Arc<Requirement>,
    query_token: QueryToken,
    preflight: Preflight,
    body: Option<RefusalBody>,
    metadata: Option<ResourceMetadata>,
}

impl ResourceServer {
    /// Starts a configuration.
    pub fn builder() -> ResourceServerBuilder {
        ResourceServerBuilder::default()
    }

    /// Verifies a token that came by another way than the `Authorization` field, for example in
    /// the first message of a websocket. What every request
    /// [needs](ResourceServerBuilder::required) is judged, what a route needs is not. Without a
    /// request there is no [tenant](crate::tenant) of its path or host, so where one is needed no
    /// token passes.
    ///
    /// A token that is bound to a client certificate is refused; see
    /// [`verify_with_certificate`](Self::verify_with_certificate).
    ///
    /// # Errors
    /// The reason why the token is not accepted. Waits at most two seconds for keys.
    pub async fn verify(&self, token: &str) -> Result<AccessToken, Rejection> {
        Gate::plain(self).verify(token.as_bytes(), None).await
    }

    /// As [`verify`](Self::verify), for a client that has shown this certificate: a token that is bound
    /// to it is good, too (RFC 8705 §3).
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub async fn verify_with_certificate(
        &self,
        token: &str,
        certificate: &ClientCertificate,
    ) -> Result<AccessToken, Rejection> {
        Gate::plain(self).verify(token.as_bytes(), Some(certificate)).await
    }

    /// A rejection to answer with when a handler finds out by itself that a request must be
    /// refused, most often as [`RejectionKind::Forbidden`].
    pub fn reject(&self, kind: RejectionKind) -> Rejection {
        self.0.challenges.reject(kind)
    }

    /// Fetches the keys of all issuers now, those of patterns aside, so that the first request finds them.
    ///
    /// # Errors
    /// Names the issuers whose keys could not be had and says why. The server is usable all the
    /// same: it tries again when tokens arrive.
    pub async fn load_keys(&self) -> Result<(), KeysUnavailable> {
        let stores = self.0.authenticator.issuers().map(TrustedIssuer::keys);
        // All of them are on their way before the first is waited for.
        let loads: Vec<_> = stores.map(|keys| (keys.issuer(), keys.load())).collect();
        let mut failed = Vec::new();
        for (issuer, load) in loads {
            if let Err(error) = load.await {
                failed.push(format!("{issuer}: {error}"));
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(KeysUnavailable(failed)) }
    }

    /// The keys of every issuer as they are now, for readiness checks and status pages. The order
    /// is that of the issuers' names. The issuers of a [pattern](crate::Issuer::matching) are one
    /// entry.
    ///
    /// Nothing is fetched for it. Where readiness depends on it, call
    /// [`load_keys`](Self::load_keys) at the start: keys are fetched from then on, and otherwise
    /// from the first request on, which readiness would keep away.
    pub fn keys(&self) -> Vec<KeyStatus> {
        let stores = self.0.authenticator.issuers().map(TrustedIssuer::keys);
        let families = self.0.authenticator.families().iter().map(IssuerFamily::status);
        let mut status: Vec<_> = stores.map(KeyStore::status).chain(families).collect();
        status.sort_by(|one, other| one.issuer.cmp(&other.issuer));
        status
    }

    /// How many tokens are remembered and how often that has helped, for status pages and metrics;
    /// `None` where [remembering](ResourceServerBuilder::token_cache) is switched off.
    ///
    /// The counts of all threads are summed up here, so that counting costs requests nothing:
    /// between those of two threads, a request may have come.
    pub fn token_cache(&self) -> Option<TokenCacheStatus> {
        self.0.authenticator.token_cache()
    }

    /// The metadata document (RFC 9728); `None` where no
    /// [`resource`](ResourceServerBuilder::resource) is configured.
    pub fn metadata(&self) -> Option<&ResourceMetadata> {
        self.0.metadata.as_ref()
    }

    /// What tokens are authenticated by, for those who explain it.
    #[cfg(feature = "sidecar")]
    pub(crate) fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }

    /// What every request needs.
    #[cfg(feature = "sidecar")]
    pub(crate) fn required(&self) -> &Requirement {
        &self.0.required
    }

    pub(crate) fn preflight(&self) -> Preflight {
        self.0.preflight
    }
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> =
            self.0.authenticator.issuers().map(|issuer| issuer.keys().issuer()).collect();
        let families = self.0.authenticator.families().iter().map(IssuerFamily::text);
        let issuers: Vec<_> = issuers.into_iter().chain(families).collect();
        f.debug_struct("ResourceServer").field("issuers", &issuers).finish_non_exhaustive()
    }
}

/// Keys that could not be fetched.
///
/// `Display` has one line per issuer, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysUnavailable(Vec<String>);

impl fmt::Display for KeysUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for KeysUnavailable {}
