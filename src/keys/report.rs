//! What the operator reads in the log about keys. What goes on is told of once, and what the
//! authorization server wrote can make neither long lines nor lines of its own.

use std::sync::Arc;

use super::history::Level;
use super::shared::Shared;
use super::snapshot::KeySnapshot;
use super::sync::lock;
use super::{Instant, LoadError, Loaded};
use crate::fetch::shown;
use crate::jose::JwkSet;

/// An attempt that failed.
pub(super) fn failure(shared: &Shared, error: &LoadError, now: Instant) {
    let issuer = shown(&shared.issuer);
    let snapshot = shared.snapshot.load();
    let (level, consequence) = match snapshot.as_ref() {
        Some(keys) if !keys.is_dead(now, shared.max_stale) => {
            (Level::Worse, "keys cannot be refreshed, those that are there stay in use")
        }
        Some(_) => {
            (Level::Down, "the last good keys are too old, tokens get 503 until others come")
        }
        None => (Level::Down, "keys cannot be loaded, tokens get 503 until they can"),
    };
    if lock(&shared.history).told_of_keys.is_news(level, &error.to_string(), now) {
        tracing::warn!(%issuer, "{consequence}: {error}");
    } else {
        tracing::debug!(%issuer, "{consequence}, as before: {error}");
    }
}

/// An attempt that was good.
pub(super) fn success(
    shared: &Shared,
    before: Option<&KeySnapshot>,
    loaded: &Loaded,
    now: Instant,
) {
    let issuer = shown(&shared.issuer);
    if lock(&shared.history).told_of_keys.is_news(Level::Good, "", now) {
        tracing::info!(%issuer, "keys can be loaded again");
    }
    keys(shared, before, loaded);
}

/// What became of the metadata where it is not needed to find the keys.
pub(super) fn metadata(shared: &Shared, error: Option<&Arc<LoadError>>, now: Instant) {
    let issuer = shown(&shared.issuer);
    let (level, text) = match error {
        Some(error) => (Level::Worse, error.to_string()),
        None => (Level::Good, String::new()),
    };
    let is_news = lock(&shared.history).told_of_metadata.is_news(level, &text, now);
    match level {
        Level::Good if is_news => tracing::info!(%issuer, "metadata can be loaded again"),
        Level::Good => {}
        _ if is_news => tracing::warn!(
            %issuer,
            "metadata cannot be refreshed, its last good version is used: {text}"
        ),
        _ => tracing::debug!(%issuer, "metadata still cannot be refreshed: {text}"),
    }
}

/// Which keys there are now.
pub(super) fn keys(shared: &Shared, before: Option<&KeySnapshot>, loaded: &Loaded) {
    let (issuer, set) = (shown(&shared.issuer), &loaded.set);
    // What is told may take its time, and the lock is not held for it.
    let new = lock(&shared.history).new_skips(set);
    for skipped in new {
        tracing::warn!(%issuer, "ignored {skipped}");
    }
    match before {
        // Nobody waits for any.
        None if set.len() == 0 => {}
        None => tracing::info!(%issuer, source = %shared.source, keys = set.len(), "keys loaded"),
        Some(before) if before.loaded.has_set_of(loaded) => {
            tracing::debug!(%issuer, keys = set.len(), "keys have not changed");
        }
        Some(before) => {
            let (now, before) = (names(set), names(before.set()));
            tracing::info!(%issuer, %now, %before, "keys have changed");
        }
    }
}

/// The names of keys as they can stand in one line.
fn names(set: &JwkSet) -> String {
    const MOST: usize = 20;
    const LONGEST: usize = 64;
    let cut = |kid: &str| {
        let mut shown: String = kid.chars().take(LONGEST).flat_map(char::escape_debug).collect();
        if kid.chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        shown
    };
    let mut names: Vec<String> = set.kids().take(MOST).map(cut).collect();
    if set.kids().nth(MOST).is_some() {
        names.push("…".to_owned());
    }
    names.join(" ")
}
