//! Remembered tokens, watched files and the configuration.

use tokio::time::Instant;

use super::super::html::Html;
use super::super::shown::{Count, Line, Span};
use super::{property, section};
use crate::sidecar::telemetry::{Reloads, Watched, WatchedState};
use crate::token_cache::TokenCacheStatus;

pub(super) fn memory(html: &mut Html, status: Option<TokenCacheStatus>) {
    section(html, "Remembered tokens", |html| {
        let Some(status) = status else {
            html.line("p", "Switched off: every token is verified each time.");
            return;
        };
        let (hits, all) = (status.hits, status.hits.saturating_add(status.misses));
        html.element("dl", |html| {
            property(html, "Remembered now", |html| html.text(Count(status.entries as u64)));
            property(html, "Known from before", |html| {
                html.text(format_args!("{} of {} tokens", Count(hits), Count(all)));
                if let Some(percent) = hits.saturating_mul(100).checked_div(all) {
                    html.text(format_args!(" ({percent} %)"));
                }
            });
        });
    });
}

/// The files that are watched, with names for people.
fn watched(reloads: &Reloads) -> impl Iterator<Item = (&'static str, WatchedState)> {
    let state = |watched: &Option<Watched>| watched.as_ref().map(Watched::state);
    let named = [("Rules", state(&reloads.rules)), ("Certificate", state(&reloads.certificate))];
    named.into_iter().filter_map(|(name, state)| Some((name, state?)))
}

/// Changes that are not in use.
pub(super) fn stuck(reloads: &Reloads) -> Vec<String> {
    watched(reloads)
        .filter_map(|(name, state)| {
            Some(format!("{name}: the last change is not in use: {}", state.last_error?))
        })
        .collect()
}

pub(super) fn reloads(html: &mut Html, reloads: &Reloads, now: Instant) {
    let watched: Vec<_> = watched(reloads).collect();
    if watched.is_empty() {
        return;
    }
    section(html, "Watched files", |html| {
        html.element("dl", |html| {
            for (name, state) in watched {
                property(html, name, |html| file(html, &state, now));
            }
        });
    });
}

fn file(html: &mut Html, state: &WatchedState, now: Instant) {
    let age = Span(now.duration_since(state.loaded));
    html.text(format_args!("{}, loaded {age} ago", Line(&state.summary)));
    let (good, failed) = (Count(state.good), Count(state.failed));
    html.line("div", format_args!("Changes since the start: {good} taken, {failed} refused"));
    if let Some(error) = &state.last_error {
        html.line("div class=error", Line(error));
    }
}

pub(super) fn configuration(html: &mut Html, lines: &[(String, String)]) {
    if lines.is_empty() {
        return;
    }
    section(html, "Configuration", |html| {
        html.element("table class=settings", |html| {
            html.element("thead", |html| {
                html.element("tr", |html| {
                    html.line("th scope=col", "Variable");
                    html.line("th scope=col", "Value");
                });
            });
            html.element("tbody", |html| {
                for (name, value) in lines {
                    html.element("tr", |html| {
                        html.element("th scope=row", |html| html.line("code", Line(name)));
                        html.element("td", |html| html.line("code", Line(value)));
                    });
                }
            });
        });
    });
}
