//! Settings for well-known systems: what their documentation says that their access tokens look like.

use super::Profile;
use super::callers::{CallerSign, CallerTable};
use super::issuer::{Issuer, Keys};
use crate::jose::Algorithm;

/// A well-known system. `docs/presets.md` shows what each of them sets and how to write it by hand.
///
/// A preset is a few settings of an [`Issuer`], applied by [`Issuer::preset`]; calls after it change
/// them like any others. Audiences are yours to name in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Auth0: issuer with a slash at the end, `permissions` before `scope`, `gty` for machines.
    Auth0,
    /// Keycloak: issuer of a realm; service accounts are known by their `client_id`.
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
    /// IBM MobileFirst: RS256, and nothing in the token that tells people from clients.
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
            Self::Cognito | Self::Okta | Self::Wristband if name.ends_with('/') => {
                Err("an issuer of this system has no slash at the end")
            }
            _ => Ok(()),
        }
    }

    fn callers(self) -> CallerTable {
        let table = CallerTable::new();
        match self {
            Self::Auth0 => table
                .client(CallerSign::is("gty", "client-credentials"))
                .user(CallerSign::different("sub", "azp")),
            // A mapper sets these for service accounts alone; people have a session.
            Self::Keycloak => table
                .client(CallerSign::has("client_id"))
                .client(CallerSign::has("clientId"))
                .user(CallerSign::has("sid")),
            Self::Entra => table
                .client(CallerSign::is("idtyp", "app"))
                .user(CallerSign::is("idtyp", "user"))
                .user(CallerSign::has("scp")),
            Self::Okta => table.client(CallerSign::same("sub", "cid")).user(CallerSign::has("uid")),
            Self::Cognito => {
                table.client(CallerSign::same("sub", "client_id")).user(CallerSign::has("username"))
            }
            Self::Google => table.client(CallerSign::same("sub", "azp")),
            Self::Wristband => table
                .client(CallerSign::is("sub_kind", "client"))
                .user(CallerSign::is("sub_kind", "user")),
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
            Self::Auth0 | Self::Entra | Self::Google => &["azp"],
            Self::Keycloak => &["azp", "client_id"],
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
/// Beside the issuer, as Wristband documents it.
const WRISTBAND_KEYS: &str = "/api/v1/oauth2/jwks";

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
                self.jwks_path(WRISTBAND_KEYS)
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

    /// [`Preset::MobileFirst`] for tokens that are checked by their signature, with the server's keys.
    pub fn mobilefirst(issuer: &str, jwks: &str) -> Self {
        Self::with_jwks(issuer, jwks).preset(Preset::MobileFirst).algorithms([Algorithm::RS256])
    }
}
