//! What the operator reads in the log about keys.

use std::sync::Arc;

use super::history::Troubles;
use super::shared::Shared;
use super::snapshot::KeySnapshot;
use super::{LoadError, Loaded};
use crate::jose::JwkSet;

/// Says what an attempt has changed. A server that goes on failing is told of once.
pub(super) fn attempt(
    shared: &Shared,
    before: Option<&KeySnapshot>,
    troubles: &Troubles,
    result: &Result<Loaded, Arc<LoadError>>,
) {
    let issuer = &shared.issuer;
    match (change(troubles.last_error.as_ref(), result.as_ref().err()), result) {
        // The panic has been reported.
        (_, Err(error)) if matches!(**error, LoadError::Aborted) => {}
        (Change::Worse, Err(error)) if before.is_some() => {
            tracing::warn!(%issuer, "keys cannot be refreshed, those that are there stay in use: {error}");
        }
        (Change::Worse, Err(error)) => {
            tracing::warn!(%issuer, "keys cannot be loaded, tokens get 503 until they can: {error}");
        }
        (_, Err(error)) => tracing::debug!(%issuer, "keys still cannot be loaded: {error}"),
        (Change::Over, Ok(_)) => tracing::info!(%issuer, "keys can be loaded again"),
        (_, Ok(_)) => {}
    }
    let Ok(loaded) = result else { return };
    match (change(troubles.metadata.as_ref(), loaded.trouble.as_ref()), &loaded.trouble) {
        (Change::Worse, Some(trouble)) => {
            tracing::warn!(%issuer, "metadata cannot be refreshed, its last good version is used: {trouble}");
        }
        (Change::Over, _) => tracing::info!(%issuer, "metadata can be loaded again"),
        _ => {}
    }
    keys(shared, before, loaded);
}

/// Says which keys there are now.
pub(super) fn keys(shared: &Shared, before: Option<&KeySnapshot>, loaded: &Loaded) {
    let (issuer, set) = (&shared.issuer, &loaded.set);
    let known = before.map(|before| before.set().skipped()).unwrap_or_default();
    for skipped in set.skipped().iter().filter(|skipped| !known.contains(skipped)) {
        tracing::warn!(%issuer, "ignored {skipped}");
    }
    match before {
        None => tracing::info!(%issuer, source = %shared.source, keys = set.len(), "keys loaded"),
        Some(before) if before.loaded.has_set_of(loaded) => {
            tracing::debug!(%issuer, keys = set.len(), "keys have not changed");
        }
        Some(before) => {
            let kids = |set: &JwkSet| set.kids().collect::<Vec<_>>().join(" ");
            let (now, before) = (kids(set), kids(before.set()));
            tracing::info!(%issuer, %now, %before, "keys have changed");
        }
    }
}

/// What about it is worth saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// As before.
    None,
    /// It has begun, or is of another kind now.
    Worse,
    Over,
}

/// Whether an operator who knows of `before` learns something from `now`.
fn change(before: Option<&Arc<LoadError>>, now: Option<&Arc<LoadError>>) -> Change {
    match (before, now) {
        (None, None) => Change::None,
        (Some(_), None) => Change::Over,
        (Some(before), Some(now)) if before.to_string() == now.to_string() => Change::None,
        (_, Some(_)) => Change::Worse,
    }
}
