//! Fills the builder from the variables.
//!
//! 1. Everything is read before anything is judged, so that one run finds every fault.
//! 2. Where a variable is missing or unusable, a stand-in takes its place, so that the rest can be
//!    judged all the same and nothing is reported that only follows from it. A builder with
//!    stand-ins comes with a fault and is given to nobody.
//! 3. What the engine finds wrong is reported under the names of the variables.

use std::collections::HashMap;
use std::time::Duration;

use tracing::{Dispatch, dispatcher};

use super::introspection::Introspected;
use super::keys::Keys;
use super::names::*;
use super::nearest::nearest;
use super::source::{Read, Source};
use super::values;
use crate::authentication::{CallerTable, Issuer, Preset, Profile, WildcardMatch};
use crate::config_error::Setting;
use crate::jose::Algorithm;
use crate::resource_server::{ResourceIdentifier, ResourceServer, ResourceServerBuilder};
use crate::scope::{OFFLINE_ACCESS, split_config_list};

const STAND_IN: &str = "https://stand-in.invalid";

const ISSUER_WANTED: &str = "the authorization server's name for itself, for example \
     https://login.example.com";

const SKIPS_AUDIENCE: &str = "PORTCULLIS_SKIP_AUDIENCE=dangerously: tokens are accepted whoever \
     they are meant for, and PORTCULLIS_REQUIRED_CLAIMS alone ties them to this service";
const ALLOWS_HTTP: &str = "PORTCULLIS_ALLOW_HTTP=dangerously: whoever is on the way to the \
     authorization server can supply keys, and so make tokens";

const IS_NOT_CANONICAL: &str = "PORTCULLIS_RESOURCE: as the address of an MCP server it is used with \
     scheme and host in lower case, and without a slash at the end";
const ADVERTISES_OFFLINE_ACCESS: &str = "PORTCULLIS_SCOPES_SUPPORTED: offline_access is no scope of \
     an MCP server, and is left out";
const AUDIENCE_COMMAS: &str = "PORTCULLIS_AUDIENCE holds a comma, which is a part of the audience: lists are separated by white space";
const REQUIRED_COMMAS: &str = "PORTCULLIS_REQUIRED_SCOPES holds a comma, which is a part of the scope: lists are separated by white space";
const ALLOWED_COMMAS: &str = "PORTCULLIS_ALLOWED_SCOPES holds a comma, which is a part of the scope: lists are separated by white space";
const CLAIM_COMMAS: &str = "PORTCULLIS_REQUIRED_CLAIMS holds a comma, which is a part of the value: lists are separated by white space";

/// A builder with all that is set. Faults stay in `source`.
pub(crate) fn read(source: &mut Source) -> ResourceServerBuilder {
    let mut builder = ResourceServer::builder();
    let resource = source.read(RESOURCE, values::word);
    let audience = Audience::read(source, &resource);
    builder = resource_settings(source, builder, resource);
    let names = issuer_names(source);
    let keys = Keys::read(source, names.len());
    let shared = Shared::read(source);
    let patterns = pattern_issuers(source, &names);
    let presets = Preset::ALL;
    let preset = source.read(PRESET, |text| values::choice(text, &presets)).value();
    let introspection = Introspected::read(source, &names, &keys, preset);
    let max_live = max_issuers(source, &names, &keys);
    for name in &names {
        let issuer = keys.issuer(name);
        let issuer = match preset {
            Some(preset) => issuer.preset(preset),
            None => issuer,
        };
        let mut issuer = shared.apply(audience.apply(introspection.apply(issuer)));
        if let Some(max_live) = max_live.filter(|_| is_pattern(name)) {
            issuer = issuer.max_live(max_live);
        }
        if patterns.contains(name) {
            issuer = issuer.granted_wildcards(WildcardMatch::Overlap);
        }
        builder = builder.issuer(issuer);
    }
    builder = server_settings(source, builder);
    report(source, &builder, &names);
    builder
}

fn resource_settings(
    source: &mut Source,
    mut builder: ResourceServerBuilder,
    resource: Read<String>,
) -> ResourceServerBuilder {
    let choices = [("on", true), ("off", false)];
    let is_mcp =
        matches!(source.read(MCP, |text| values::choice(text, &choices)), Read::Value(true));
    if is_mcp && resource.is_unset() {
        source.fault(MCP, format!("needs {RESOURCE}, the address of the server"));
    }
    if let Read::Value(scopes) = source.read(SCOPES_SUPPORTED, values::concrete_scopes) {
        if is_mcp && split_config_list(&scopes).any(|scope| scope == OFFLINE_ACCESS) {
            source.warn(ADVERTISES_OFFLINE_ACCESS);
        }
        builder = builder.scopes_supported(scopes);
    }
    match resource {
        Read::Value(resource) if is_mcp => {
            let canonical = ResourceIdentifier::canonical(&resource);
            if canonical != resource {
                source.warn(IS_NOT_CANONICAL);
            }
            builder.mcp_server(canonical)
        }
        Read::Value(resource) => builder.resource(resource),
        Read::Unset | Read::Unusable => builder,
    }
}

fn issuer_names(source: &mut Source) -> Vec<String> {
    let names = source.read_required(ISSUER, ISSUER_WANTED, values::issuers);
    names.unwrap_or_else(|| vec![STAND_IN.to_owned()])
}

fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// A pattern needs a number, and has no use for one place of keys.
fn max_issuers(source: &mut Source, names: &[String], keys: &Keys) -> Option<usize> {
    let max_live = source.read(MAX_ISSUERS, values::count);
    if !names.iter().any(|name| is_pattern(name)) {
        if !max_live.is_unset() && !source.is_unusable(ISSUER) {
            source.fault(MAX_ISSUERS, format!("is for patterns, and {ISSUER} has none"));
        }
        return None;
    }
    let variable = match keys {
        Keys::Discovery => None,
        Keys::Uri(_) => Some(JWKS_URI),
        Keys::Value(_) | Keys::File(_) => Some(JWKS),
    };
    if let Some(variable) = variable {
        source.fault(variable, format!("is for one issuer, and {ISSUER} has a pattern"));
    }
    match max_live {
        Read::Unset => {
            source.fault(MAX_ISSUERS, format!("is required, as {ISSUER} has a pattern"));
            Some(1)
        }
        Read::Unusable => Some(1),
        Read::Value(max_live) => Some(max_live),
    }
}

fn server_settings(
    source: &mut Source,
    mut builder: ResourceServerBuilder,
) -> ResourceServerBuilder {
    if let Read::Value(realm) = source.read(REALM, values::text) {
        builder = builder.realm(realm);
    }
    let required = source.read_list(REQUIRED_SCOPES, REQUIRED_COMMAS, values::requirement);
    if let Read::Value(scopes) = required {
        builder = builder.required(scopes);
    }
    if let Read::Value(max_stale) = source.read(JWKS_MAX_STALE, values::duration) {
        builder = builder.jwks_max_stale(max_stale);
    }
    if let Read::Value(path) = source.read(JWKS_SNAPSHOT, values::path) {
        builder = builder.jwks_snapshot(path);
    }
    if let Read::Value(tokens) = source.read(TOKEN_CACHE, values::count) {
        builder = builder.token_cache(tokens);
    }
    let http = [("loopback", false), ("dangerously", true)];
    match source.read(ALLOW_HTTP, |text| values::choice(text, &http)) {
        Read::Unset | Read::Value(false) => builder,
        Read::Value(true) => {
            source.warn(ALLOWS_HTTP);
            builder.dangerous().allow_http()
        }
        Read::Unusable => builder.dangerous().allow_http(),
    }
}

/// Whom tokens have to be meant for, and whether that counts.
struct Audience {
    audiences: Vec<String>,
    claim: Option<String>,
    skip: bool,
}

impl Audience {
    fn read(source: &mut Source, resource: &Read<String>) -> Self {
        let audiences = source.read_list(AUDIENCE, AUDIENCE_COMMAS, values::words);
        let choices = [("dangerously", true), ("off", false)];
        let skip = source.read(SKIP_AUDIENCE, |text| values::choice(text, &choices));
        let skipped = !matches!(skip, Read::Unset | Read::Value(false));
        if audiences.is_unset() && resource.is_unset() && !skipped {
            source.fault(
                AUDIENCE,
                format!(
                    "is required: what tokens for this service name in aud, for example \
                     https://api.example.com (or {RESOURCE}, which takes its place)"
                ),
            );
        }
        let mut audiences = audiences.value().unwrap_or_default();
        if audiences.is_empty() && !matches!(resource, Read::Value(_)) {
            audiences.push(STAND_IN.to_owned());
        }
        let skip = matches!(skip, Read::Value(true));
        if skip {
            source.warn(SKIPS_AUDIENCE);
        }
        Self { audiences, claim: source.read(AUDIENCE_CLAIM, values::word).value(), skip }
    }

    fn apply(&self, issuer: Issuer) -> Issuer {
        let mut issuer = self.audiences.iter().fold(issuer, Issuer::audience);
        if let Some(claim) = &self.claim {
            issuer = issuer.audience_claim(claim);
        }
        if self.skip { issuer.dangerous().skip_audience() } else { issuer }
    }
}

/// What all issuers have in common.
struct Shared {
    algorithms: Option<Vec<Algorithm>>,
    profile: Option<Profile>,
    leeway: Option<Duration>,
    allowed_scopes: Option<String>,
    scope_claims: Option<Vec<String>>,
    required_claims: Vec<(String, String)>,
    callers: Option<CallerTable>,
    client_claims: Option<Vec<String>>,
    first_party_clients: Option<Vec<String>>,
    first_party_claim: Option<(String, String)>,
}

impl Shared {
    fn read(source: &mut Source) -> Self {
        if [FIRST_PARTY_CLIENTS, FIRST_PARTY_CLAIM]
            .iter()
            .all(|name| !source.origin(name).is_unset())
        {
            let problem = format!("cannot stand together with {FIRST_PARTY_CLIENTS}");
            source.fault(FIRST_PARTY_CLAIM, problem);
        }
        let profiles = [("compatible", Profile::Compatible), ("rfc9068", Profile::Rfc9068)];
        Self {
            algorithms: match source.read(ALGORITHMS, values::algorithms) {
                Read::Unset => None,
                // Whatever was meant is among them, so no key is refused for a misspelt name.
                Read::Unusable => Some(Algorithm::all().collect()),
                Read::Value(algorithms) => Some(algorithms),
            },
            profile: source.read(PROFILE, |text| values::choice(text, &profiles)).value(),
            leeway: source.read(LEEWAY, values::duration).value(),
            allowed_scopes: source
                .read_list(ALLOWED_SCOPES, ALLOWED_COMMAS, values::ceiling)
                .value(),
            scope_claims: source.read(SCOPE_CLAIMS, values::claim_names).value(),
            required_claims: source
                .read_list(REQUIRED_CLAIMS, CLAIM_COMMAS, values::claims)
                .value()
                .unwrap_or_default(),
            callers: source.read(CALLER_TABLE, values::caller_table).value(),
            client_claims: source.read(CLIENT_CLAIMS, values::words).value(),
            first_party_clients: source.read(FIRST_PARTY_CLIENTS, values::words).value(),
            first_party_claim: source.read(FIRST_PARTY_CLAIM, values::claim).value(),
        }
    }

    fn apply(&self, mut issuer: Issuer) -> Issuer {
        if let Some(algorithms) = &self.algorithms {
            issuer = issuer.algorithms(algorithms.iter().copied());
        }
        if let Some(profile) = self.profile {
            issuer = issuer.profile(profile);
        }
        if let Some(leeway) = self.leeway {
            issuer = issuer.leeway(leeway);
        }
        if let Some(scopes) = &self.allowed_scopes {
            issuer = issuer.allowed_scopes(scopes);
        }
        if let Some(claims) = &self.scope_claims {
            issuer = issuer.scope_claims(claims);
        }
        for (name, value) in &self.required_claims {
            issuer = issuer.required_claim(name, value);
        }
        if let Some(table) = &self.callers {
            issuer = issuer.callers(table.clone());
        }
        if let Some(claims) = &self.client_claims {
            issuer = issuer.client_claims(claims);
        }
        if let Some(clients) = &self.first_party_clients {
            issuer = issuer.first_party_clients(clients);
        }
        if let Some((name, value)) = &self.first_party_claim {
            issuer = issuer.first_party_claim(name, value);
        }
        issuer
    }
}

/// The issuers in whose tokens `*` is a pattern.
fn pattern_issuers(source: &mut Source, names: &[String]) -> Vec<String> {
    let Read::Value(listed) = source.read(GRANTED_WILDCARDS, values::words) else {
        return Vec::new();
    };
    match listed.as_slice() {
        [only] if only == "off" => return Vec::new(),
        [only] if only == "on" => return names.to_vec(),
        _ if source.is_unusable(ISSUER) => return Vec::new(),
        _ => {}
    }
    for (number, name) in (1..).zip(&listed) {
        if names.contains(name) {
            continue;
        }
        let near = nearest(name, names).and_then(|near| names.iter().position(|one| one == near));
        let near = near.map(|near| format!("; did you mean element {} there?", near + 1));
        let near = near.unwrap_or_default();
        let problem = format!("element {number}: is none of the issuers in {ISSUER}{near}");
        source.fault(GRANTED_WILDCARDS, problem);
    }
    listed
}

/// What the engine finds wrong.
fn report(source: &mut Source, builder: &ResourceServerBuilder, names: &[String]) {
    let mut numbers = HashMap::new();
    for (number, name) in (1..).zip(names) {
        numbers.entry(Issuer::label(name)).or_insert(number);
    }
    // Whatever is worth a line in the log is logged by `build()`.
    let faults = dispatcher::with_default(&Dispatch::none(), || builder.check());
    for fault in faults.into_vec() {
        // What no variable says is left to `build()`.
        let Some(about) = fault.about() else { continue };
        let Some(variable) = variable(about) else { continue };
        if source.is_unusable(variable) {
            continue;
        }
        let problem = match numbers.get(fault.setting()) {
            Some(number) if about == Setting::Issuer && names.len() > 1 => {
                format!("element {number}: {}", fault.problem())
            }
            _ => fault.problem().to_owned(),
        };
        source.fault(variable, problem);
    }
}

fn variable(setting: Setting) -> Option<&'static str> {
    Some(match setting {
        Setting::Issuer => ISSUER,
        Setting::Audience => AUDIENCE,
        Setting::JwksUri => JWKS_URI,
        Setting::Jwks => JWKS,
        Setting::Algorithms => ALGORITHMS,
        Setting::Leeway => LEEWAY,
        Setting::ScopeClaims => SCOPE_CLAIMS,
        Setting::RequiredClaims => REQUIRED_CLAIMS,
        Setting::AllowedScopes => ALLOWED_SCOPES,
        Setting::ImpliedScopes => return None,
        Setting::GrantedWildcards => GRANTED_WILDCARDS,
        Setting::Callers => CALLER_TABLE,
        Setting::FirstParty => FIRST_PARTY_CLIENTS,
        Setting::MaxIssuers => MAX_ISSUERS,
        Setting::Realm => REALM,
        Setting::Resource => RESOURCE,
        Setting::ScopesSupported => SCOPES_SUPPORTED,
        Setting::JwksSnapshot => JWKS_SNAPSHOT,
        #[cfg(feature = "introspection")]
        Setting::IntrospectionUri => INTROSPECTION_URI,
        #[cfg(feature = "introspection")]
        Setting::ClientId => CLIENT_ID,
        #[cfg(feature = "introspection")]
        Setting::ClientSecret => CLIENT_SECRET,
        #[cfg(feature = "introspection")]
        Setting::TokenUri => TOKEN_URI,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_that_is_hardly_meant_is_warned_of() {
        for (variable, value, expected) in [
            (AUDIENCE, "https://a https://b", None),
            (AUDIENCE, "https://a, https://b", Some(AUDIENCE_COMMAS)),
            (REQUIRED_SCOPES, "a,b", Some(REQUIRED_COMMAS)),
            (ALLOWED_SCOPES, "a.*,b", Some(ALLOWED_COMMAS)),
            (REQUIRED_CLAIMS, "a=b,c=d", Some(CLAIM_COMMAS)),
        ] {
            let given =
                [(variable, value), (ISSUER, "https://as.example"), (RESOURCE, "https://r")];
            let mut source = Source::new(given.map(|(name, value)| (name.into(), value.into())));
            let _ = read(&mut source);
            let ((), warnings) = source.finish_quietly(()).unwrap();
            assert_eq!(warnings, expected.into_iter().collect::<Vec<_>>(), "{variable}");
        }
    }
}
