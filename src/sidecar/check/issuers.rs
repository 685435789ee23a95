//! Every issuer and its keys.

use super::page::Page;
use crate::authentication::TrustedIssuer;
use crate::keys::{KeyState, KeyStatus, LoadError, Patience};
use crate::resource_server::ResourceServer;
use crate::sidecar::explain;
use crate::sidecar::hint::hint;
use crate::sidecar::words::{cut, enumerate, shown, span};

/// Asks all of them at the same time. Whether each of them gave keys, and answers about tokens.
pub(super) async fn write(server: &ResourceServer, page: &mut Page) -> bool {
    let issuers = server.authenticator().issuers();
    // All of them are on their way before the first is waited for.
    let loads: Vec<_> = issuers.map(|issuer| (issuer, issuer.keys().load())).collect();
    let mut good = true;
    for (issuer, load) in loads {
        let loaded = load.await;
        good &= loaded.is_ok();
        tell(page, issuer, loaded.as_ref().err().map(AsRef::as_ref));
        if let Some((address, answered)) = issuer.probe().await {
            good &= answered.is_ok();
            page.row("introspection", &shown(&address));
            if let Err(problem) = answered {
                page.row("error", &shown_whole(&problem));
            }
        }
    }
    for family in server.authenticator().families() {
        page.heading(&format!("Issuers {}", shown(family.text())));
        page.row("keys from", "each of them, when its first token comes");
        page.row("live", &format!("{} at most", family.places()));
    }
    good
}

fn tell(page: &mut Page, issuer: &TrustedIssuer, error: Option<&LoadError>) {
    let status = issuer.keys().status();
    page.heading(&format!("Issuer {}", shown(&status.issuer)));
    page.row("keys from", &shown(&status.source));
    if let Some(address) = &status.address {
        page.row("key set", &shown(address));
    }
    if let Some(error) = error {
        page.row("error", &shown_whole(&error.to_string()));
        if let Some(hint) = hint(error) {
            page.row("hint", hint);
        }
    }
    if status.state == KeyState::Unneeded {
        return;
    }
    if let Some(snapshot) = issuer.keys().current(Patience::Exhausted).as_ref() {
        let names = enumerate(snapshot.set().keys().map(explain::name_of_key), ", ");
        page.row("keys", &format!("{}: {names}", status.keys));
        page.row("age", &ages(&status));
    }
    for ignored in &status.ignored {
        page.row("ignored", ignored);
    }
    if let Some(error) = &status.metadata_error {
        page.row("metadata", &shown_whole(error));
    }
}

fn ages(status: &KeyStatus) -> String {
    let age = status.age.map(span).unwrap_or_default();
    match status.next_refresh {
        Some(next) => format!("{age}, next refresh in {}", span(next)),
        None => format!("{age}, never refreshed"),
    }
}

/// Errors may hold two addresses.
fn shown_whole(error: &str) -> String {
    cut(error, 1000)
}
