//! Settings for well-known systems: what their documentation says that their access tokens look like.

use super::Profile;
use super::caller_sign::CallerSign;
use super::callers::CallerTable;
use super::issuer::{Issuer, Keys};
#[cfg(feature = "introspection")]
use crate::introspection::Introspection;

/// A well-known system. `docs/presets.md` shows what each of them sets and how to write it by hand.
///
/// A preset is a few settings of an [`Issuer`], applied by [`Issuer::preset`]; calls after it change
/// them like any others. Audiences are yours to name in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Auth0, both profiles: issuer with a slash at the end, `permissions` before `scope`; machines
    /// have `gty` or a `sub` that ends with `@clients`, people one with a `|` in it.
    Auth0,
    /// Keycloak: issuer of a realm; service accounts are known by what their mappers add.
    Keycloak,
    /// Microsoft Entra ID, tokens of version 2.0: `scp` and `roles`, `idtyp`, `azp`.
    Entra,
    /// Okta, custom authorization servers: `scp` as an array, `cid` and `uid`.
    Okta,
    /// Amazon Cognito user pools: no `aud`; audiences are app clients, in `client_id`.
    Cognito,
    /// ID tokens of Google service accounts, which calls between services carry.
    Google,
    /// Wristband: no `aud`; audiences are applications, in `app_id`; `sub_kind` tells callers.
    Wristband,
    /// Entrypage: audiences are client ids.
    Entrypage,
    /// IBM MobileFirst: tokens are introspected, with a token of our own; nothing tells people from
    /// clients. With keys in place of introspection, nothing but the scope claim is set.
    MobileFirst,
}

impl Preset {
    /// Every preset, with its name in configuration.
    pub const ALL: [(&'static str, Self); 9] = [
        ("auth0", Self::Auth0),
        ("keycloak", Self::Keycloak),
        ("entra", Self::Entra),
        ("okta", Self::Okta),
        ("cognito", Self::Cognito),
        ("google", Self::Google),
        ("wristband", Self::Wristband),
        ("entrypage", Self::Entrypage),
        ("mobilefirst", Self::MobileFirst),
    ];

    /// Where Wristband has its keys, beside the issuer, as it documents it.
    pub(crate) const WRISTBAND_KEYS: &str = "/api/v1/oauth2/jwks";
    /// Where a MobileFirst server is asked about tokens, below the runtime.
    #[cfg(any(feature = "introspection", feature = "testing"))]
    pub(crate) const MOBILEFIRST_INTROSPECTION: &str = "/api/az/v1/introspection";
    /// And where it gives them out.
    #[cfg(any(feature = "introspection", feature = "testing"))]
    pub(crate) const MOBILEFIRST_TOKEN: &str = "/api/az/v1/token";

    /// Where a MobileFirst server is asked about tokens, and where it gives them out.
    #[cfg(feature = "introspection")]
    pub(crate) fn mobilefirst_endpoints(server: &str) -> [String; 2] {
        let server = server.trim_end_matches('/');
        [Self::MOBILEFIRST_INTROSPECTION, Self::MOBILEFIRST_TOKEN]
            .map(|path| format!("{server}{path}"))
    }

    /// What is wrong with an issuer of this system, if it can be none.
    pub(super) fn check_name(self, name: &str) -> Result<(), &'static str> {
        let path = name.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let path = path.map(|(_, path)| path);
        match self {
            Self::Auth0 if !name.ends_with('/') => Err("an issuer of Auth0 ends with a slash"),
            Self::Keycloak if !path.is_some_and(is_realm) => {
                Err("an issuer of Keycloak ends with /realms/ and the realm, without a slash")
            }
            Self::Entra if !path.is_some_and(|path| path.ends_with("/v2.0")) => {
                Err("an issuer of Entra ID is https://login.microsoftonline.com/TENANT/v2.0, with \
                     version 2.0 chosen in the manifest of the API")
            }
            Self::Google if name != GOOGLE => {
                Err("the issuer of Google is https://accounts.google.com")
            }
            // Access tokens of the domain's own server are for Okta's interfaces, and for nobody else
            // to judge.
            Self::Okta if !path.is_some_and(|path| path.starts_with("oauth2/")) => Err(
                "an issuer of Okta is https://DOMAIN/oauth2/SERVER, a custom authorization server",
            ),
            Self::Cognito | Self::Okta | Self::Wristband if name.ends_with('/') => {
                Err("an issuer of this system has no slash at the end")
            }
            _ => Ok(()),
        }
    }

    /// A sign of a person is one that no client of the system shows, and the reverse; what is neither
    /// is unknown.
    fn callers(self) -> CallerTable {
        let table = CallerTable::new();
        let (is, like, has) = (CallerSign::is, CallerSign::like, CallerSign::has);
        match self {
            // The profile by RFC 9068 has no gty. People are connection|id, which no client id is;
            // the id may be chosen by them, so this comes before the end that clients have.
            Self::Auth0 => table
                .client(is("gty", "client-credentials"))
                .user(like("sub", "*|*"))
                .client(like("sub", "*@clients")),
            // The mappers of service accounts. A session is no sign of a person: service accounts
            // with refresh tokens have one. Nor is client_id one of a client: some add it to all
            // tokens, for RFC 9068. Anybody may have chosen a name like a service account's.
            Self::Keycloak => table
                .client(has("clientHost"))
                .client(has("clientId"))
                .unknown(like("preferred_username", "service-account-*"))
                .user(has("preferred_username")),
            Self::Entra => table
                .client(is("idtyp", "app"))
                .user(is("idtyp", "user"))
                .unknown(has("idtyp"))
                .user(has("scp")),
            // A person's name, which is their sub, may be changed; uid may not.
            Self::Okta => table.user(has("uid")).client(CallerSign::same("sub", "cid")),
            Self::Cognito => {
                table.client(CallerSign::same("sub", "client_id")).user(has("username"))
            }
            Self::Google => table.client(CallerSign::same("sub", "azp")),
            Self::Wristband => table.client(is("sub_kind", "client")).user(is("sub_kind", "user")),
            Self::Entrypage => CallerTable::default(),
            Self::MobileFirst => table,
        }
    }

    fn scope_claims(self) -> &'static [&'static str] {
        match self {
            Self::Auth0 => &["permissions", "scope"],
            Self::Entra => &["scp", "roles"],
            Self::Okta => &["scp"],
            _ => &["scope"],
        }
    }

    fn client_claims(self) -> &'static [&'static str] {
        match self {
            Self::Auth0 | Self::Keycloak => &["azp", "client_id"],
            Self::Entra | Self::Google => &["azp"],
            Self::Okta => &["cid"],
            _ => &["client_id", "azp"],
        }
    }

    fn audience_claim(self) -> &'static str {
        match self {
            Self::Cognito => "client_id",
            Self::Wristband => "app_id",
            _ => "aud",
        }
    }
}

const GOOGLE: &str = "https://accounts.google.com";

fn is_realm(path: &str) -> bool {
    let mut segments = path.rsplit('/');
    segments.next().is_some_and(|realm| !realm.is_empty()) && segments.next() == Some("realms")
}

impl Issuer {
    /// Settings for a well-known system, in place of those that were made before, audiences,
    /// algorithms and leeway aside.
    pub fn preset(mut self, preset: Preset) -> Self {
        self.preset = Some(preset);
        self.profile = Profile::Compatible;
        self.callers = preset.callers();
        self = self
            .scope_claims(preset.scope_claims().iter().copied())
            .client_claims(preset.client_claims().iter().copied())
            .audience_claim(preset.audience_claim());
        match preset {
            // The ID token of a user pool is signed by the same keys.
            Preset::Cognito => self.required_claim("token_use", "access"),
            Preset::Wristband if matches!(self.keys, Keys::Discovery) => {
                self.jwks_path(Preset::WRISTBAND_KEYS)
            }
            _ => self,
        }
    }

    /// [`Preset::Auth0`] for a domain: `example.eu.auth0.com`, or one of your own.
    pub fn auth0(domain: &str) -> Self {
        Self::discover(format!("https://{domain}/")).preset(Preset::Auth0)
    }

    /// [`Preset::Keycloak`] for a realm: `https://sso.example.com` and `shop`.
    pub fn keycloak(server: &str, realm: &str) -> Self {
        let server = server.trim_end_matches('/');
        Self::discover(format!("{server}/realms/{realm}")).preset(Preset::Keycloak)
    }

    /// [`Preset::Entra`] for a tenant, by its id.
    pub fn entra(tenant: &str) -> Self {
        let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        Self::discover(issuer).preset(Preset::Entra)
    }

    /// [`Preset::Okta`] for an authorization server: `example.okta.com` and `default`.
    pub fn okta(domain: &str, server: &str) -> Self {
        Self::discover(format!("https://{domain}/oauth2/{server}")).preset(Preset::Okta)
    }

    /// [`Preset::Cognito`] for a user pool: `eu-central-1` and `eu-central-1_AbCdEf123`.
    pub fn cognito(region: &str, user_pool: &str) -> Self {
        let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{user_pool}");
        Self::discover(issuer).preset(Preset::Cognito)
    }

    /// [`Preset::Google`]. The audience is the URL of the service that is called.
    pub fn google() -> Self {
        Self::discover(GOOGLE).preset(Preset::Google)
    }

    /// [`Preset::Wristband`] for the vanity domain of an application. The audience is the
    /// application's id.
    pub fn wristband(vanity_domain: &str) -> Self {
        Self::discover(format!("https://{vanity_domain}")).preset(Preset::Wristband)
    }

    /// [`Preset::Entrypage`] for an issuer, as its metadata names it. Audiences are client ids.
    pub fn entrypage(issuer: &str) -> Self {
        Self::discover(issuer).preset(Preset::Entrypage)
    }

    /// [`Preset::MobileFirst`] for the address of a runtime, as in `https://mfp.example.com/mfp`. It is
    /// asked about every token, with a token of the confidential client that is given here, whose
    /// allowed scope has to have `authorization.introspect`.
    ///
    /// The server says of any token that it gave out that it is active, whatever it was for; it is the
    /// scopes that keep APIs apart.
    #[cfg(feature = "introspection")]
    #[cfg_attr(docsrs, doc(cfg(feature = "introspection")))]
    pub fn mobilefirst(
        server: &str,
        client_id: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        let server = server.trim_end_matches('/');
        let [introspection, token] = Preset::mobilefirst_endpoints(server);
        let ask = Introspection::at(introspection).bearer(client_id, secret, token);
        Self::introspected(server, ask.audience_implied()).preset(Preset::MobileFirst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_about_presets_has_each_table_as_it_is() {
        let page = include_str!("../../docs/presets.md");
        for (name, preset) in Preset::ALL {
            let (table, claims) = (preset.callers().to_string(), preset.client_claims().join(" "));
            assert!(page.contains(&table), "{name}: {table}");
            let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` | ")));
            let row = row.unwrap_or_default();
            for cell in [preset.scope_claims().join(" "), claims] {
                assert!(row.contains(&format!("| `{cell}` |")), "{name}: {cell}");
            }
        }
    }
}
