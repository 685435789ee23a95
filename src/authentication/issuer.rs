//! Configuration of one trusted issuer, as a user writes it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::Profile;
use super::callers::{CallerTable, FirstParty};
use super::preset::Preset;
#[cfg(feature = "introspection")]
use crate::introspection::Introspection;
use crate::jose::Algorithm;

/// An authorization server whose tokens are trusted, and how far.
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Algorithm, Issuer};
///
/// let issuer = Issuer::discover("https://login.example.com")
///     .audience("https://api.example.com")
///     .algorithms([Algorithm::ES256])
///     .leeway(Duration::from_secs(30));
/// ```
///
/// Nothing is checked here; [`ResourceServerBuilder::build`](crate::ResourceServerBuilder::build)
/// reports every fault at once.
#[derive(Debug, Clone)]
#[must_use]
pub struct Issuer {
    pub(super) name: String,
    /// Whether the name is a pattern.
    pub(super) is_pattern: bool,
    pub(super) max_live: Option<usize>,
    pub(super) preset: Option<Preset>,
    pub(super) keys: Keys,
    pub(super) audiences: Vec<String>,
    pub(super) skip_audience: bool,
    pub(super) audience_claim: String,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) profile: Profile,
    pub(super) leeway: Duration,
    pub(super) scope_claims: Vec<String>,
    pub(super) required_claims: Vec<(String, String)>,
    pub(super) wildcards: Option<WildcardMatch>,
    pub(super) allowed_scopes: Option<String>,
    pub(super) implied: Vec<(String, String)>,
    #[cfg(feature = "introspection")]
    pub(super) introspection: Option<Introspection>,
    pub(super) client_claims: Vec<String>,
    pub(super) callers: CallerTable,
    pub(super) first_party: FirstParty,
}

/// Where the keys are, before it is checked.
#[derive(Debug, Clone)]
pub(super) enum Keys {
    Discovery,
    Uri(String),
    /// The issuer, and this after it.
    Below(String),
    Value(StaticKeys),
    File(PathBuf),
}

/// A key set as text, which may hold secrets.
#[derive(Clone)]
pub(super) struct StaticKeys(pub(super) String);

impl fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How a pattern in a token answers a pattern in a requirement. A pattern stands for all the
/// scopes that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WildcardMatch {
    /// The two have a scope in common: a wider grant never loses access.
    #[default]
    Overlap,
    /// The grant holds everything that the requirement names.
    Cover,
}

impl Issuer {
    /// An issuer that is asked for its metadata (RFC 8414, OpenID Connect Discovery) to find its
    /// keys.
    ///
    /// `issuer` is compared with `iss` code point by code point: a trailing slash matters.
    pub fn discover(issuer: impl Into<String>) -> Self {
        Self::new(issuer.into(), Keys::Discovery)
    }

    /// All issuers of one form, in which `*` stands for a whole label of the host or a whole segment
    /// of the path: `https://*.id.example.com`, `https://login.example.com/*/v2.0`. Needs
    /// [`max_live`](Self::max_live).
    ///
    /// The keys of each are fetched when a first token of it comes. No issuer that the pattern does
    /// not match is ever asked for anything. What is said of one is said of all of them; so this is
    /// for systems whose issuers are run by one party, which alone can make new ones. Whoever can get
    /// a name below the domain can make tokens.
    ///
    /// Keys of such issuers are not kept in the file of
    /// [last good keys](crate::ResourceServerBuilder::jwks_snapshot).
    pub fn matching(pattern: impl Into<String>) -> Self {
        Self { is_pattern: true, ..Self::new(pattern.into(), Keys::Discovery) }
    }

    /// How many issuers of a [pattern](Self::matching) are known at a time, at most; those that are
    /// idle make room for others. A quarter of them may be issuers that have not yet shown a token
    /// with a good signature.
    pub fn max_live(mut self, issuers: usize) -> Self {
        self.max_live = Some(issuers);
        self
    }

    /// Takes the keys from the address that is the issuer with this path after it, as in
    /// `/api/v1/oauth2/jwks`, instead of asking for metadata.
    pub fn jwks_path(mut self, path: impl Into<String>) -> Self {
        self.keys = Keys::Below(path.into());
        self
    }

    /// An issuer whose keys are at a known address; nothing else is asked.
    pub fn with_jwks_uri(issuer: impl Into<String>, jwks_uri: impl Into<String>) -> Self {
        Self::new(issuer.into(), Keys::Uri(jwks_uri.into()))
    }

    /// An issuer whose key set (RFC 7517 §5, JSON) is part of the configuration.
    ///
    /// Such a set may hold secrets (`"kty":"oct"` with `alg`) for HS256, HS384 and HS512 when
    /// these are among the [`algorithms`](Self::algorithms) and it holds nothing else.
    pub fn with_jwks(issuer: impl Into<String>, jwks: impl Into<String>) -> Self {
        Self::new(issuer.into(), Keys::Value(StaticKeys(jwks.into())))
    }

    /// Like [`with_jwks`](Self::with_jwks), from a file. It is read by `build()` and again while
    /// requests come, so that a change counts within five seconds; a broken file keeps the last
    /// good keys.
    pub fn with_jwks_file(issuer: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::new(issuer.into(), Keys::File(path.into()))
    }

    fn new(name: String, keys: Keys) -> Self {
        Self {
            name,
            is_pattern: false,
            max_live: None,
            preset: None,
            keys,
            audiences: Vec::new(),
            skip_audience: false,
            audience_claim: "aud".to_owned(),
            algorithms: Algorithm::DEFAULT.to_vec(),
            profile: Profile::default(),
            leeway: Duration::from_secs(60),
            scope_claims: vec!["scope".to_owned(), "scp".to_owned()],
            required_claims: Vec::new(),
            wildcards: None,
            allowed_scopes: None,
            implied: Vec::new(),
            #[cfg(feature = "introspection")]
            introspection: None,
            client_claims: vec!["client_id".to_owned(), "azp".to_owned()],
            callers: CallerTable::default(),
            first_party: FirstParty::default(),
        }
    }

    /// An issuer that is asked about each of its tokens (RFC 7662) and whose keys are not needed,
    /// except for [signed answers](Introspection::signed_answers): then they are discovered.
    ///
    /// Without signed answers, `issuer` need not be a URL; it is what
    /// [`AccessToken::issuer`](crate::AccessToken::issuer) says, and has to be `iss` where an answer
    /// has one.
    #[cfg(feature = "introspection")]
    #[cfg_attr(docsrs, doc(cfg(feature = "introspection")))]
    pub fn introspected(issuer: impl Into<String>, introspection: Introspection) -> Self {
        Self::discover(issuer).introspect(introspection.every_token())
    }

    /// Asks this issuer about tokens that are no JWTs (RFC 7662), while JWTs are verified with its
    /// keys. What is a JWT is told by its shape: three parts, of which the first begins as JSON does.
    ///
    /// Opaque tokens do not say whose they are, so one issuer of a resource server can be asked.
    #[cfg(feature = "introspection")]
    #[cfg_attr(docsrs, doc(cfg(feature = "introspection")))]
    pub fn introspect(mut self, introspection: Introspection) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// Accepts tokens whose `aud` holds this exact string. May be called several times; one match
    /// is enough. Without any, the server's
    /// [`resource`](crate::ResourceServerBuilder::resource) is the audience.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The claim in which the accepted audiences are looked for, in place of `aud`: for systems whose
    /// access tokens name what they are for in another one, such as `client_id` or `app_id`.
    pub fn audience_claim(mut self, claim: impl Into<String>) -> Self {
        self.audience_claim = claim.into();
        self
    }

    /// The signature algorithms that this issuer may use; replaces [`Algorithm::DEFAULT`].
    ///
    /// An RSA key without `alg` serves the first RSA algorithm in this list.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How closely tokens must follow RFC 9068. Default: [`Profile::Compatible`].
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// How far clocks may differ when `exp`, `nbf` and `iat` are judged; 0 to 300 seconds.
    /// Default: 60 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The claims that may carry scope; the first one present counts. Default: `scope`, `scp`.
    pub fn scope_claims(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scope_claims = claims.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts only tokens in which the claim `name` is the string `value`. May be called several
    /// times; all must hold.
    pub fn required_claim(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.required_claims.push((name.into(), value.into()));
        self
    }

    /// Declares that `*` in this issuer's scopes is a pattern, not a character (RFC 6749 §3.3
    /// allows it as one). `how` says what two patterns have to do with each other.
    pub fn granted_wildcards(mut self, how: WildcardMatch) -> Self {
        self.wildcards = Some(how);
        self
    }

    /// A ceiling: granted scopes outside these patterns (separated by white space) do not count.
    pub fn allowed_scopes(mut self, patterns: impl Into<String>) -> Self {
        self.allowed_scopes = Some(patterns.into());
        self
    }

    /// Declares that whoever is granted `scope` is granted `implied` (separated by white space)
    /// too. Challenges are not changed by it.
    pub fn implies(mut self, scope: impl Into<String>, implied: impl Into<String>) -> Self {
        self.implied.push((scope.into(), implied.into()));
        self
    }

    pub(crate) fn grants_wildcards(&self) -> bool {
        self.wildcards.is_some()
    }

    /// By what this issuer's tokens tell people from clients; replaces [`CallerTable::default`].
    pub fn callers(mut self, table: CallerTable) -> Self {
        self.callers = table;
        self
    }

    /// The claims that may name the client; the first one present counts. Default: `client_id`,
    /// `azp`.
    pub fn client_claims(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.client_claims = claims.into_iter().map(Into::into).collect();
        self
    }

    /// The clients that are our own; all others that a token names are somebody else's. Takes the
    /// place of [`first_party_claim`](Self::first_party_claim).
    pub fn first_party_clients(
        mut self,
        clients: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.first_party = FirstParty::Clients(clients.into_iter().map(Into::into).collect());
        self
    }

    /// A client is our own where the claim `name` is the string `value` or an array that holds it,
    /// and somebody else's where it is anything else; without the claim, or with `null`, that is not
    /// known. Takes
    /// the place of [`first_party_clients`](Self::first_party_clients).
    pub fn first_party_claim(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.first_party = FirstParty::Claim(name.into(), value.into());
        self
    }

    /// Settings that weaken the checks.
    pub fn dangerous(self) -> DangerousIssuer {
        DangerousIssuer(self)
    }
}

/// Settings that weaken the checks, set apart so that a reader sees them.
#[derive(Debug)]
#[must_use]
pub struct DangerousIssuer(Issuer);

impl DangerousIssuer {
    /// Accepts tokens whatever their `aud` says, even none.
    ///
    /// Any token of this issuer passes then, whoever it was meant for, so at least one
    /// [`required_claim`](Issuer::required_claim) has to tie tokens to this resource server
    /// instead (RFC 9700 §2.3).
    pub fn skip_audience(mut self) -> Issuer {
        self.0.skip_audience = true;
        self.0
    }
}
