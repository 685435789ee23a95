//! Configuration of a resource server: collected first, checked as a whole.

mod build;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;

use super::metadata::Advertised;
use crate::authentication::Issuer;
use crate::authorization::Requirement;
use crate::clock::Clock;
use crate::credentials::QueryToken;
use crate::fetch::{AllowHttp, HttpClient, HttpService};
use crate::rejection::{RefusalBody, Rejection};

/// What becomes of CORS preflight requests (`OPTIONS` with `Origin` and
/// `Access-Control-Request-Method`), which browsers send without credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Preflight {
    /// They reach the inner service as anonymous requests.
    #[default]
    Pass,
    /// They need a token like any other request.
    Authenticate,
}

/// Configures a [`ResourceServer`](crate::ResourceServer).
///
/// ```
/// use portcullis::{Issuer, ResourceServer};
///
/// let api = ResourceServer::builder()
///     .issuer(Issuer::discover("https://login.example.com"))
///     .resource("https://api.example.com")
///     .build()?;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Default)]
#[must_use]
pub struct ResourceServerBuilder {
    issuers: Vec<Issuer>,
    advertised: Advertised,
    realm: Option<String>,
    error_uri: Option<String>,
    scope_on_401: Option<bool>,
    required: Requirement,
    query_token: QueryToken,
    preflight: Preflight,
    body: Option<RefusalBody>,
    clock: Option<Arc<dyn Clock>>,
    client: Option<HttpClient>,
    roots: Vec<Vec<u8>>,
    allow_http: AllowHttp,
    max_stale: Option<Duration>,
    jwks_snapshot: Option<PathBuf>,
    token_cache: Option<usize>,
}

impl ResourceServerBuilder {
    /// Trusts an issuer. May be called several times.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// The resource identifier (RFC 9728 §1.2), an https URL; http to loopback, for development. It
    /// is the audience of issuers that name none, the default realm, and names the
    /// [metadata document](crate::ResourceServer::metadata) in challenges.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.advertised.resource = Some(resource.into());
        self
    }

    /// The resource is a server of the Model Context Protocol, and this its address. As
    /// [`resource`](Self::resource), and besides, as its authorization specification wants it:
    ///
    /// - scheme and host are taken in lower case and without a slash at the end, with a warning;
    /// - the metadata document is served at the root too, see
    ///   [`metadata_at_root`](Self::metadata_at_root);
    /// - `offline_access` is never advertised, as it is between client and authorization server;
    /// - no issuer may [grant patterns](Issuer::granted_wildcards).
    pub fn mcp_server(mut self, resource: impl Into<String>) -> Self {
        self.advertised.is_mcp = true;
        self.resource(resource)
    }

    /// Whether the metadata document of a resource with a path is also served where that of a
    /// resource without one would be, for clients that look there. Default: only for an
    /// [MCP server](Self::mcp_server). At one place there is one document, so switch it off where
    /// two resources share a host.
    pub fn metadata_at_root(mut self, on: bool) -> Self {
        self.advertised.at_root = Some(on);
        self
    }

    /// Scopes to list in the metadata document, separated by spaces. They need not be all that
    /// there are. Default: none are listed.
    pub fn scopes_supported(mut self, scopes: impl Into<String>) -> Self {
        self.advertised.scopes = scopes.into();
        self
    }

    /// The name of the resource for people, in the metadata document.
    pub fn resource_name(mut self, name: impl Into<String>) -> Self {
        self.advertised.name = Some(name.into());
        self
    }

    /// A page for developers who use the resource, in the metadata document: an https URL.
    pub fn resource_documentation(mut self, url: impl Into<String>) -> Self {
        self.advertised.documentation = Some(url.into());
        self
    }

    /// The realm in challenges (RFC 9110 §11.5), printable ASCII. Default: the resource
    /// identifier, else `resource`.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// A page about errors for people, named in challenges as `error_uri` (RFC 6750 §3).
    pub fn error_uri(mut self, uri: impl Into<String>) -> Self {
        self.error_uri = Some(uri.into());
        self
    }

    /// Whether a 401 names the scope that the request needs. Default: it does. A 403 always does,
    /// and so does a 401 that asks for another [login](crate::acr).
    pub fn scope_on_401(mut self, on: bool) -> Self {
        self.scope_on_401 = Some(on);
        self
    }

    /// What every request needs, besides what its route needs.
    pub fn required(mut self, requirement: impl Into<Requirement>) -> Self {
        self.required = self.required.and(requirement);
        self
    }

    /// What to do about a token in the query next to one in the header. Default: refuse.
    pub fn query_token(mut self, query_token: QueryToken) -> Self {
        self.query_token = query_token;
        self
    }

    /// What becomes of CORS preflight requests. Default: they pass.
    pub fn preflight(mut self, preflight: Preflight) -> Self {
        self.preflight = preflight;
        self
    }

    /// Writes the body of refusals instead of the problem document. `body` may set fields of its
    /// own; status, `WWW-Authenticate`, `Retry-After` and `Cache-Control` are set after it. It is
    /// not asked for gRPC calls, whose refusals have no body.
    pub fn refusal_body(
        mut self,
        body: impl Fn(&Rejection) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.body = Some(Arc::new(body));
        self
    }

    /// The clock to judge token lifetimes by. Default: [`SystemClock`](crate::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The HTTP client to fetch metadata and keys with: a tower service, see [`HttpService`].
    ///
    /// It must not follow redirects by itself. Deadlines and size limits are kept in any case.
    pub fn http_client(mut self, client: impl HttpService) -> Self {
        self.client = Some(HttpClient::new(client));
        self
    }

    /// Trusts the certificates in `pem` besides the platform's when keys are fetched. May be
    /// called several times. Has no effect on an [`http_client`](Self::http_client) of your own.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// How long good keys are used beyond their lifetime while the authorization server cannot be
    /// reached. Default: 24 hours.
    pub fn jwks_max_stale(mut self, max_stale: Duration) -> Self {
        self.max_stale = Some(max_stale);
        self
    }

    /// A file for the last good keys of each issuer that is asked for keys, so that a restart
    /// while the authorization server cannot be reached serves at once, as long as
    /// [`jwks_max_stale`](Self::jwks_max_stale) allows. Default: none.
    ///
    /// The file need not exist; its directory must, and the service must be allowed to make files
    /// there. It is replaced as a whole whenever keys were fetched, by one that its owner alone
    /// may read and write. One file is for one service, whose replicas may share it: entries of
    /// issuers that are not configured are dropped. Without an issuer that is asked for keys it
    /// has no effect.
    ///
    /// **Whoever can write the file, or make files in its directory, can supply keys and so make
    /// tokens**, as with the configuration. So protect it like the configuration: a directory of
    /// the service's own, not `/tmp`. The checksums in it find damage and carelessness; they are
    /// no seal. An entry counts for the issuer and the address of keys that it was written for
    /// alone. What is damaged, of another version, or may be written by every user is ignored
    /// with a warning, and keys are fetched as if it were not there. A file that is something
    /// else is not replaced either.
    pub fn jwks_snapshot(mut self, path: impl Into<PathBuf>) -> Self {
        self.jwks_snapshot = Some(path.into());
        self
    }

    /// Without the file of last good keys, for commands that only look: whoever runs them would
    /// own the file from then on.
    #[cfg(feature = "sidecar")]
    pub(crate) fn without_jwks_snapshot(mut self) -> Self {
        self.jwks_snapshot = None;
        self
    }

    #[cfg(feature = "sidecar")]
    pub(crate) fn is_mcp(&self) -> bool {
        self.advertised.is_mcp
    }

    /// How many verified tokens are remembered, so that the signature of a token that comes again is
    /// not checked again: that many, and an eighth more at most. 0 switches it off. Default: 10,000.
    ///
    /// Each time it comes, its lifetime, the keys in use, and what the route requires are judged
    /// anew. A token is known by a keyed hash and not kept itself; its claims are, until others take
    /// its place.
    ///
    /// Memory is bounded by 2 KiB for each of them, of which a usual token takes less than half;
    /// where they are larger on average, fewer are remembered. Besides, each thread keeps what it
    /// needs often at hand: 1,024 tokens at most, with 150 bytes each while they are shared, and
    /// 2 KiB each at most when others have taken their place in what is shared. That of a thread
    /// that has ended is used by the next one, and freed with the resource server.
    pub fn token_cache(mut self, tokens: usize) -> Self {
        self.token_cache = Some(tokens);
        self
    }

    /// Settings that weaken the checks.
    pub fn dangerous(self) -> DangerousBuilder {
        DangerousBuilder(self)
    }
}

impl fmt::Debug for ResourceServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Issuers may hold secret keys.
        f.debug_struct("ResourceServerBuilder").finish_non_exhaustive()
    }
}

/// Settings that weaken the checks, set apart so that a reader sees them.
#[derive(Debug)]
#[must_use]
pub struct DangerousBuilder(ResourceServerBuilder);

impl DangerousBuilder {
    /// Allows plain `http` to any host when metadata and keys are fetched, not to loopback alone.
    ///
    /// Whoever is on the path can then supply keys and so make tokens.
    pub fn allow_http(mut self) -> ResourceServerBuilder {
        self.0.allow_http = AllowHttp::Dangerously;
        self.0
    }
}
