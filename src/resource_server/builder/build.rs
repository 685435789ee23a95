//! From a configuration to a resource server: every check, every fault.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::ResourceServerBuilder;
use crate::access_token::ServerMark;
use crate::authentication::{
    Authenticator, Compiled, Issuer, IssuerFamily, SharedSettings, TrustedIssuer,
};
use crate::challenge::{ChallengeSettings, Challenges};
use crate::clock::{Clock, SystemClock};
use crate::config_error::{ConfigError, Faults, Setting};
use crate::fetch::{Chain, HttpClient};
use crate::keys::LastGoodFile;
use crate::origin::Origin;
use crate::resource_server::metadata::Checked;
use crate::resource_server::{Inner, ResourceServer};

const DEFAULT_REALM: &str = "resource";
const DEFAULT_TOKEN_CACHE: usize = 10_000;
const DEFAULT_MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

impl ResourceServerBuilder {
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
