//! What every request needs.

use super::page::Page;
use crate::authentication::{IssuerFamily, IssuerPolicy, Profile};
use crate::resource_server::ResourceServer;
use crate::sidecar::words::{list, shown, span};

pub(super) fn write(server: &ResourceServer, page: &mut Page) {
    page.heading("Every request needs");
    policy_of_all(server, |policy| token(policy, page));
    let scopes = server.required().describe();
    let scopes = match scopes.as_slice() {
        [] => "none".to_owned(),
        scopes => list(scopes.iter().map(String::as_str)),
    };
    page.row("scopes", &scopes);
}

/// The environment configures all issuers alike.
fn policy_of_all<T>(server: &ResourceServer, of: impl FnOnce(&IssuerPolicy<'_>) -> T) -> Option<T> {
    let issuer = server.authenticator().issuers().next();
    let example = server.authenticator().families().iter().find_map(IssuerFamily::example);
    issuer.or(example.as_ref()).map(|issuer| of(&issuer.policy()))
}

fn token(policy: &IssuerPolicy<'_>, page: &mut Page) {
    let audience = match policy.audiences {
        Some(audiences) => list(audiences.iter().map(AsRef::as_ref)),
        None => "any, even none".to_owned(),
    };
    let claim = match policy.audience_claim {
        "aud" => String::new(),
        claim => format!(" in {}", shown(claim)),
    };
    page.row("audience", &format!("{audience}{claim}"));
    let algorithms: Vec<_> = policy.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    page.row("algorithm", &list(algorithms));
    let profile = match policy.profile {
        Profile::Compatible => "compatible",
        Profile::Rfc9068 => "rfc9068",
    };
    page.row("profile", profile);
    page.row("leeway", &span(policy.leeway));
    for (name, value) in policy.required_claims {
        page.row("claim", &format!("{}={}", shown(name), shown(value)));
    }
}
