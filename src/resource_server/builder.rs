//! Configuration of a resource server: collected first, checked as a whole.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;

use super::metadata::{Advertised, Checked};
use super::{Inner, ResourceServer};
use crate::access_token::ServerMark;
use crate::authentication::{
    Authenticator, Compiled, Issuer, IssuerFamily, SharedSettings, TrustedIssuer,
};
use crate::authorization::Requirement;
use crate::challenge::{ChallengeSettings, Challenges};
use crate::clock::{Clock, SystemClock};
use crate::config_error::{ConfigError, Faults, Setting};
use crate::credentials::QueryToken;
use crate::fetch::{AllowHttp, Chain, HttpClient, HttpService};
use crate::keys::LastGoodFile;
use crate::origin::Origin;
use crate::rejection::{RefusalBody, Rejection};

const DEFAULT_REALM: &str = "resource";
const DEFAULT_TOKEN_CACHE: usize = 10_000;
const DEFAULT_MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

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

/// Configures a [`ResourceServer`].
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
    /// [metadata document](ResourceServer::metadata) in challenges.
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

    /// The clock to judge token lifetimes by. Default: [`SystemClock`].
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

    /// Checks the configuration. No network I/O; local key files and the
    /// [file of last good keys](Self::jwks_snapshot) are read.
    ///
    /// # Errors
    /// Every fault that was found.
    pub fn build(self) -> Result<ResourceServer, ConfigError> {
        let mut faults = Faults::default();
        let client = self.client(&mut faults);
        let advertised = self.advertised.read(&mut faults);
        let challenge = Arc::new(self.challenge_settings(&advertised, &mut faults));
        let last_good = self.check_snapshot(&mut faults).and_then(|path| self.last_good(path));
        let clock = self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock));
        let (trusted, families) =
            self.trusted_issuers(client, last_good, &clock, &advertised, &mut faults);
        let metadata = advertised.metadata(&self.issuers, &mut faults);
        faults.or(())?;
        advertised.warn();
        let challenges = Arc::new(Challenges::new(&challenge, &self.required, self.body.clone()));
        let required = Arc::new(self.required);
        let mark = ServerMark::new(Arc::new(Origin::new(&challenges, &required, &clock)));
        let cached = self.token_cache.unwrap_or(DEFAULT_TOKEN_CACHE);
        let authenticator = Authenticator::new(trusted, families, clock, mark, cached);
        Ok(ResourceServer(Arc::new(Inner {
            authenticator,
            challenge,
            challenges,
            required,
            query_token: self.query_token,
            preflight: self.preflight,
            body: self.body,
            metadata,
        })))
    }

    /// What [`build`](Self::build) would find wrong, the HTTP client aside, which is costly to
    /// make and may still be replaced. The file of last good keys is not read.
    #[cfg(feature = "env")]
    pub(crate) fn check(&self) -> Faults {
        let mut faults = Faults::default();
        let advertised = self.advertised.read(&mut faults);
        self.challenge_settings(&advertised, &mut faults);
        self.check_snapshot(&mut faults);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        self.trusted_issuers(None, None, &clock, &advertised, &mut faults);
        faults
    }

    fn trusted_issuers(
        &self,
        client: Option<HttpClient>,
        last_good: Option<Arc<LastGoodFile>>,
        clock: &Arc<dyn Clock>,
        advertised: &Checked,
        faults: &mut Faults,
    ) -> (Vec<TrustedIssuer>, Vec<IssuerFamily>) {
        if self.issuers.is_empty() {
            faults.add_about(Setting::Issuer, "issuer", "at least one issuer is needed");
        } else if advertised.is_mcp() && !self.issuers.iter().any(|one| one.address().is_some()) {
            let problem = "clients of an MCP server have to be told of at least one, by its URL; a \
                           pattern is none";
            faults.add_about(Setting::Issuer, "issuer", problem);
        }
        let shared = SharedSettings {
            default_audience: advertised.resource().map(Into::into),
            allow_http: self.allow_http,
            max_stale: self.max_stale.unwrap_or(DEFAULT_MAX_STALE),
            client,
            clock: Arc::clone(clock),
            last_good,
        };
        let mut names = Vec::new();
        let (mut trusted, mut families) = (Vec::new(), Vec::new());
        for issuer in &self.issuers {
            if names.contains(&issuer.name()) {
                faults.add_about(
                    Setting::Issuer,
                    Issuer::label(issuer.name()),
                    "is configured twice",
                );
            }
            names.push(issuer.name());
            if advertised.is_mcp() && issuer.grants_wildcards() {
                faults.add_about(
                    Setting::GrantedWildcards,
                    Issuer::label(issuer.name()),
                    "cannot grant patterns to clients of an MCP server",
                );
            }
            match issuer.clone().trust(&shared, faults) {
                Some(Compiled::One(issuer)) => trusted.push(*issuer),
                Some(Compiled::Many(family)) => families.push(*family),
                None => {}
            }
        }
        #[cfg(feature = "introspection")]
        for issuer in self.issuers.iter().filter(|issuer| issuer.is_introspected()).skip(1) {
            faults.add_about(
                Setting::IntrospectionUri,
                Issuer::label(issuer.name()),
                "opaque tokens do not say whose they are: one issuer can be introspected",
            );
        }
        (trusted, families)
    }

    fn challenge_settings(&self, advertised: &Checked, faults: &mut Faults) -> ChallengeSettings {
        if let Some(realm) = self.realm.as_deref()
            && (realm.is_empty() || !realm.bytes().all(|byte| matches!(byte, b' '..=b'~')))
        {
            let problem = "must be one or more printable ASCII characters";
            faults.add_about(Setting::Realm, "realm", problem);
        }
        let realm = self.realm.as_deref().or(advertised.resource()).unwrap_or(DEFAULT_REALM);
        let uri_reference = |byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
        if let Some(uri) = self.error_uri.as_deref()
            && (uri.is_empty() || !uri.bytes().all(uri_reference))
        {
            faults.add("error_uri", "must be a URI in ASCII characters");
        }
        ChallengeSettings {
            realm: realm.to_owned(),
            resource_metadata: advertised.address(),
            without_offline_access: advertised.is_mcp(),
            error_uri: self.error_uri.clone(),
            scope_on_401: self.scope_on_401.unwrap_or(true),
        }
    }

    /// Where last good keys can be kept.
    fn check_snapshot(&self, faults: &mut Faults) -> Option<&Path> {
        let path = self.jwks_snapshot.as_deref()?;
        LastGoodFile::check_path(path)
            .map_err(|problem| faults.add_about(Setting::JwksSnapshot, "jwks_snapshot", problem))
            .ok()?;
        Some(path)
    }

    /// None is read where no issuer is asked for keys.
    fn last_good(&self, path: &Path) -> Option<Arc<LastGoodFile>> {
        let is_asked = |issuer: &&Issuer| issuer.needs_http() && !issuer.is_pattern();
        let asked: Vec<&str> = self.issuers.iter().filter(is_asked).map(Issuer::name).collect();
        if asked.is_empty() {
            return None;
        }
        let file = LastGoodFile::open(path.to_owned());
        file.keep_only(&asked);
        Some(Arc::new(file))
    }

    /// None is made where no issuer needs one: a machine without root certificates can still
    /// serve from static keys.
    fn client(&self, faults: &mut Faults) -> Option<HttpClient> {
        if self.client.is_some() || !self.issuers.iter().any(Issuer::needs_client) {
            return self.client.clone();
        }
        HttpClient::with_roots(&self.roots)
            .map_err(|error| faults.add("root certificate", Chain(error.as_ref()).to_string()))
            .ok()
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
