//! Whose data a request is about: a claim has to say the same tenant as the route does.

use std::fmt;

use http::{HeaderMap, Uri};

use super::advertised::InvalidRequirement;
use super::host::{HostPattern, host_of};
use super::path::PathPattern;
use super::requirement::{Node, Requirement, must};
use crate::access_token::AccessToken;

/// The name of the parameter in paths, hosts and templates that stands for the tenant.
const PARAMETER: &str = "tenant";
const PLACE: &str = "{tenant}";

/// Begins a tenant rule: the claim of this name has to be a string and to say the tenant that the
/// request is for.
///
/// A token of another tenant gets 401 `invalid_token`, in the words in which any token gets it that
/// is not for this use: that there is such a tenant is not told, and another token is what helps.
///
/// ```
/// use portcullis::tenant;
///
/// // One tenant alone, the tenant in the path, the tenant in the host.
/// let acme = tenant("tnt_id").is("acme");
/// let of_path = tenant("tnt_id").in_path("/tenants/{tenant}/{*rest}");
/// let of_host = tenant("tnt_id").in_host("{tenant}.api.example.com");
/// // Each tenant with an issuer of its own.
/// let of_issuer = tenant("iss").written("https://{tenant}.id.example.com").in_path("/{tenant}/{*rest}");
/// ```
pub fn tenant(claim: impl Into<String>) -> TenantClaim {
    TenantClaim { claim: claim.into(), before: String::new(), after: String::new() }
}

/// A claim that names a tenant; made by [`tenant`].
#[derive(Debug, Clone)]
#[must_use = "a claim alone says nothing about a request"]
pub struct TenantClaim {
    claim: String,
    before: String,
    after: String,
}

/// What a claim has to be.
#[derive(Debug, Clone)]
pub(super) struct TenantRule {
    claim: Box<str>,
    tenant: Tenant,
}

#[derive(Debug, Clone)]
enum Tenant {
    Is(Box<str>),
    /// The request is for none, so no token will do.
    Nobody,
    InPath(PathPattern, Written),
    InHost(HostPattern, Written),
}

#[derive(Debug, Clone)]
struct Written {
    before: Box<str>,
    after: Box<str>,
}

impl TenantClaim {
    /// How the claim spells a tenant: `{tenant}` is its name in path or host, as in
    /// `https://{tenant}.id.example.com`.
    ///
    /// # Panics
    /// When `{tenant}` is not in it, once.
    #[track_caller]
    pub fn written(mut self, template: &'static str) -> Self {
        let parts = template.split_once(PLACE).filter(|(_, after)| !after.contains(PLACE));
        let parts = parts.ok_or_else(|| InvalidRequirement::tenant("has not {tenant} in it once"));
        let (before, after) = must(template, parts);
        (self.before, self.after) = (before.to_owned(), after.to_owned());
        self
    }

    /// The claim is this string; how it is [written](Self::written) plays no part.
    pub fn is(self, value: impl Into<String>) -> Requirement {
        self.rule(Tenant::Is(value.into().into()))
    }

    /// The tenant is the segment `{tenant}` of the path, as in `/tenants/{tenant}/{*rest}`. Other
    /// segments are literal, `{any}`, or at the end `{*rest}`.
    ///
    /// The path is compared as the layer sees it: below axum's `nest`, without the prefix. A request
    /// whose path is another, spells the tenant with anything but letters, digits and `-._~`, or has
    /// dot segments in any spelling, is refused like one with a token of another tenant.
    ///
    /// # Panics
    /// Where [`try_in_path`](Self::try_in_path) returns an error.
    #[track_caller]
    pub fn in_path(self, pattern: &'static str) -> Requirement {
        must(pattern, self.try_in_path(pattern))
    }

    /// As [`in_path`](Self::in_path), for text that is known at run time.
    ///
    /// # Errors
    /// When it is no such path, or `{tenant}` is not in it: a tenant rule without its parameter would
    /// let nobody pass, or everybody.
    pub fn try_in_path(self, pattern: &str) -> Result<Requirement, InvalidRequirement> {
        let path = PathPattern::parse(pattern, PARAMETER).map_err(InvalidRequirement::tenant)?;
        let written = self.spelling();
        Ok(self.rule(Tenant::InPath(path, written)))
    }

    /// The tenant is the label `{tenant}` of the host, as in `{tenant}.api.example.com`, in lower
    /// case. The host is that of the request target, or `Host`; where both are there they must
    /// agree. Fields such as `X-Forwarded-Host`, which clients can send, play no part.
    ///
    /// # Panics
    /// Where [`try_in_host`](Self::try_in_host) returns an error.
    #[track_caller]
    pub fn in_host(self, pattern: &'static str) -> Requirement {
        must(pattern, self.try_in_host(pattern))
    }

    /// As [`in_host`](Self::in_host), for text that is known at run time.
    ///
    /// # Errors
    /// When it is no host, or `{tenant}` is not in it.
    pub fn try_in_host(self, pattern: &str) -> Result<Requirement, InvalidRequirement> {
        let host = HostPattern::parse(pattern).map_err(InvalidRequirement::tenant)?;
        if !host.names().any(|name| name == PARAMETER) {
            return Err(InvalidRequirement::tenant("has not {tenant} in it"));
        }
        let written = self.spelling();
        Ok(self.rule(Tenant::InHost(host, written)))
    }

    /// Where what the request is for is known to the caller, if it is for anything.
    #[cfg_attr(not(feature = "sidecar"), allow(dead_code, reason = "rules know it"))]
    pub(crate) fn known(self, value: Option<String>) -> Requirement {
        self.rule(value.map_or(Tenant::Nobody, |value| Tenant::Is(value.into())))
    }

    fn spelling(&self) -> Written {
        Written { before: self.before.as_str().into(), after: self.after.as_str().into() }
    }

    fn rule(self, tenant: Tenant) -> Requirement {
        Requirement(Node::Tenant(TenantRule { claim: self.claim.into(), tenant }))
    }
}

impl TenantRule {
    /// Anything but the string is another tenant (SPEC RES-07).
    pub(super) fn holds(&self, token: &AccessToken) -> bool {
        let Tenant::Is(value) = &self.tenant else { return false };
        let claim = token.claim::<String>(&self.claim);
        claim.is_ok_and(|claim| claim.is_some_and(|claim| *claim == **value))
    }

    pub(super) fn depends_on_request(&self) -> bool {
        matches!(self.tenant, Tenant::InPath(..) | Tenant::InHost(..))
    }

    /// The rule for one request.
    pub(super) fn of(&self, headers: &HeaderMap, uri: &Uri) -> Self {
        let found = match &self.tenant {
            Tenant::InPath(path, written) => path.value(uri.path()).map(|v| written.with(v)),
            Tenant::InHost(host, written) => host_of(headers, uri)
                .and_then(|text| {
                    let values = host.values(text)?;
                    let at = host.names().position(|name| name == PARAMETER)?;
                    values.into_iter().nth(at)
                })
                .map(|value| written.with(&value)),
            Tenant::Is(_) | Tenant::Nobody => return self.clone(),
        };
        let tenant = found.map_or(Tenant::Nobody, |value| Tenant::Is(value.into()));
        Self { claim: self.claim.clone(), tenant }
    }
}

impl Written {
    fn with(&self, tenant: &str) -> String {
        format!("{}{tenant}{}", self.before, self.after)
    }
}

/// For the operator who required it.
impl fmt::Display for TenantRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claim = &self.claim;
        match &self.tenant {
            Tenant::Is(value) => write!(f, "the tenant {claim}={value}"),
            Tenant::Nobody => write!(f, "a tenant in {claim}, and the request is for none"),
            Tenant::InPath(..) => write!(f, "the tenant of the path in {claim}"),
            Tenant::InHost(..) => write!(f, "the tenant of the host in {claim}"),
        }
    }
}
