//! Configuration from the environment: [`ResourceServer::from_env`].
//!
//! ```
//! use portcullis::ResourceServerBuilder;
//!
//! // `from_env()` does the same with the variables of the process.
//! let api = ResourceServerBuilder::from_vars([
//!     ("PORTCULLIS_ISSUER", "https://login.example.com"),
//!     ("PORTCULLIS_AUDIENCE", "https://api.example.com"),
//!     ("PORTCULLIS_LEEWAY", "30s"),
//! ])?
//! .build()?;
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! # Variables
//!
//! All issuers share all settings. Whoever needs more says it in code, with
//! [`ResourceServer::builder`].
//!
//! | Variable | Meaning | Default |
//! | --- | --- | --- |
//! | `PORTCULLIS_ISSUER` | one or more issuer URLs; `*` in one stands for a whole label of the host or segment of the path, see [`Issuer::matching`] | required |
//! | `PORTCULLIS_PRESET` | settings for a well-known system, see [`Preset`]: `auth0`, `keycloak`, `entra`, `okta`, `cognito`, `google`, `wristband`, `entrypage`, `mobilefirst`; what other variables set stands | none |
//! | `PORTCULLIS_MAX_ISSUERS` | how many issuers a pattern may stand for at a time | required with a pattern |
//! | `PORTCULLIS_AUDIENCE` | accepted audiences, exact strings | `PORTCULLIS_RESOURCE` if set, else required |
//! | `PORTCULLIS_AUDIENCE_CLAIM` | the claim in which audiences are looked for | `aud` |
//! | `PORTCULLIS_JWKS_URI` | keys here, no discovery (one issuer only) | discovery |
//! | `PORTCULLIS_JWKS` | the key set itself, as JSON (one issuer only) | discovery |
//! | `PORTCULLIS_JWKS_FILE` | a local file of keys, read again when it changes | discovery |
//! | `PORTCULLIS_ALGORITHMS` | allowed signature algorithms | `RS256 PS256 ES256 ES384 EdDSA Ed25519` |
//! | `PORTCULLIS_PROFILE` | `compatible` or `rfc9068` | `compatible` |
//! | `PORTCULLIS_LEEWAY` | clock leeway, 0 to 300 s | `60s` |
//! | `PORTCULLIS_REQUIRED_SCOPES` | every request needs all of these; `*` inside an element is a pattern | none |
//! | `PORTCULLIS_ALLOWED_SCOPES` | ceiling patterns: a granted scope outside them counts as not granted | none |
//! | `PORTCULLIS_GRANTED_WILDCARDS` | `on`, `off`, or the issuers in whose tokens `*` is a pattern | `off` |
//! | `PORTCULLIS_SCOPE_CLAIMS` | claims that carry scopes; the first one present counts | `scope scp` |
//! | `PORTCULLIS_REQUIRED_CLAIMS` | `name=value` pairs, all must hold | none |
//! | `PORTCULLIS_CALLER_TABLE` | by what people and clients are told apart, see [`CallerTable`]: rows `client:`, `user:` or `unknown:` with `claim=value` (in which `*` is a pattern), `claim`, `claim==claim` or `claim!=claim`; the first that holds counts | that of [`CallerTable::default`] |
//! | `PORTCULLIS_CLIENT_CLAIMS` | claims that name the client; the first one present counts | `client_id azp` |
//! | `PORTCULLIS_FIRST_PARTY_CLIENTS` | the clients that are our own, for rules with `party` | not told |
//! | `PORTCULLIS_FIRST_PARTY_CLAIM` | `name=value`, in the tokens of clients of our own; in place of the list | not told |
//! | `PORTCULLIS_REALM` | realm in challenges | `PORTCULLIS_RESOURCE`, else `resource` |
//! | `PORTCULLIS_RESOURCE` | RFC 9728 resource identifier; its metadata document is named in challenges | none |
//! | `PORTCULLIS_SCOPES_SUPPORTED` | scopes that the metadata document lists, no patterns | none |
//! | `PORTCULLIS_MCP` | `on`: the resource is an [MCP server](ResourceServerBuilder::mcp_server) | `off` |
//! | `PORTCULLIS_SKIP_AUDIENCE` | `dangerously`: tokens need not be meant for us; only together with `PORTCULLIS_REQUIRED_CLAIMS` | `off` |
//! | `PORTCULLIS_ALLOW_HTTP` | where keys may come over plain `http` from: `loopback`, or `dangerously` anywhere | `loopback` |
//! | `PORTCULLIS_JWKS_MAX_STALE` | how long good keys survive an unreachable authorization server | `24h` |
//! | `PORTCULLIS_JWKS_SNAPSHOT` | a file for the last good keys, for restarts during an outage; [whoever can write it can supply keys](ResourceServerBuilder::jwks_snapshot) | none |
//! | `PORTCULLIS_TOKEN_CACHE` | how many verified tokens are remembered, see [`token_cache`](ResourceServerBuilder::token_cache); 0 = off | `10000` |
//! | `PORTCULLIS_INTROSPECTION_URI` | tokens are asked about here (RFC 7662; feature `introspection`, one issuer only) | none; with the preset `mobilefirst` below the issuer, as `PORTCULLIS_TOKEN_URI`, with `bearer` and `implied` |
//! | `PORTCULLIS_INTROSPECTION_AUTH` | how: `basic`, `post`, `private_key_jwt`, or `bearer` with a token of our own | `basic` |
//! | `PORTCULLIS_CLIENT_ID` | who asks | required for it |
//! | `PORTCULLIS_CLIENT_SECRET` | the client's secret; with `private_key_jwt` its private key, PKCS#8 in PEM | required for it |
//! | `PORTCULLIS_TOKEN_URI` | with `bearer`: where our own token comes from, by client credentials for the scope `authorization.introspect` | required for it |
//! | `PORTCULLIS_INTROSPECTED_TOKENS` | `all`, or those that are no JWTs: `opaque` | `all` |
//! | `PORTCULLIS_INTROSPECTION_ANSWERS` | `json`, or signed (RFC 9701): `jwt` | `json` |
//! | `PORTCULLIS_INTROSPECTION_AUDIENCE` | whether answers need an `aud`: `required`, or `implied` where the server says `active` only to whom a token is for | `required` |
//!
//! # Rules
//!
//! 1. Lists are separated by space, tab, line feed or carriage return. So no audience and no
//!    value of a required claim can hold one of these. A claim is split from its value at the
//!    first `=`.
//! 2. Durations are a whole number and a unit: `500ms`, `30s`, `10m`, `24h`.
//! 3. Every variable may instead be given as `NAME_FILE`, the path of a file with the value, from
//!    which one newline at the end is removed. `NAME` together with `NAME_FILE` is a fault.
//!    `PORTCULLIS_JWKS_FILE` is not copied but watched, see [`Issuer::with_jwks_file`].
//! 4. Empty counts as unset.
//! 5. Values are UTF-8.
//! 6. Any other variable whose name begins with `PORTCULLIS_` is a fault: most often it is
//!    misspelt, and the nearest known name is told. Variables of the sidecar are known and left
//!    alone. So are those that Kubernetes sets for a Service whose name begins with `portcullis`.
//! 7. All faults are reported at once, one line each. They name the variable and never its value.
//!
//! [`CallerTable`]: crate::CallerTable
//! [`CallerTable::default`]: crate::CallerTable::default
//! [`Preset`]: crate::Preset
//! [`Issuer::matching`]: crate::Issuer::matching
//! [`Issuer::with_jwks_file`]: crate::Issuer::with_jwks_file

mod file;
mod introspection;
mod keys;
mod kubernetes;
mod names;
mod nearest;
mod server;
mod source;
pub(crate) mod values;

use std::ffi::OsString;

use crate::config_error::ConfigError;
use crate::resource_server::{ResourceServer, ResourceServerBuilder};
#[cfg(all(test, feature = "sidecar"))]
pub(crate) use names::KNOWN as KNOWN_NAMES;
pub(crate) use source::Source;
#[cfg(feature = "sidecar")]
pub(crate) use {
    names::sidecar as variables,
    nearest::nearest,
    server::read as read_engine,
    source::{Origin, Problems, Read},
};

impl ResourceServer {
    /// A resource server as the [`PORTCULLIS_*` variables](crate::env) of the process describe it.
    ///
    /// # Errors
    /// Every fault that was found, each under the name of its variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        ResourceServerBuilder::from_env()?.build()
    }
}

impl ResourceServerBuilder {
    /// What the [`PORTCULLIS_*` variables](crate::env) of the process describe, to go on with what
    /// no variable can say: a clock, an HTTP client, the body of refusals.
    ///
    /// # Errors
    /// Every fault that was found, each under the name of its variable. Nothing is left for
    /// [`build`](Self::build) to find but faults of what is added in code.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(std::env::vars_os())
    }

    /// Like [`from_env`](Self::from_env), from these variables. Those that do not begin with
    /// `PORTCULLIS_` are passed over; of two with the same name the first counts.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_vars<N, V>(vars: impl IntoIterator<Item = (N, V)>) -> Result<Self, ConfigError>
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let mut source =
            Source::new(vars.into_iter().map(|(name, value)| (name.into(), value.into())));
        let builder = server::read(&mut source);
        source.finish(builder)
    }
}
