//! The issuers and their keys.

use super::super::html::Html;
use super::super::shown::{Count, Kid, Line, Span};
use super::{property, section};
use crate::keys::{KeyState, KeyStatus};
use crate::sidecar::telemetry::changes;

/// Names of keys, and of entries that are none, that are shown.
const MOST: usize = 12;

pub(in crate::sidecar::admin) fn issuers(html: &mut Html, keys: &[KeyStatus]) {
    section(html, "Issuers", |html| {
        for status in keys {
            html.element("article", |html| issuer(html, status));
        }
    });
}

fn issuer(html: &mut Html, status: &KeyStatus) {
    html.element("div class=issuer", |html| {
        html.line("h3", Line(&status.issuer));
        match status.state {
            KeyState::Fresh => html.line("span class=\"badge good\"", "keys are fresh"),
            KeyState::Stale => html.line("span class=\"badge warn\"", "keys are old"),
            KeyState::Missing => html.line("span class=\"badge bad\"", "no keys"),
            KeyState::OnDemand => html.line("span class=badge", "keys on demand"),
            KeyState::Unneeded => html.line("span class=badge", "asked about every token"),
        }
    });
    if status.state == KeyState::Unneeded {
        return;
    }
    html.element("dl", |html| {
        property(html, "Keys", |html| names(html, status));
        property(html, "From", |html| {
            let from = status.address.as_deref().unwrap_or(&status.source);
            html.line("code", Line(from));
        });
        if let Some(age) = status.age {
            property(html, "Confirmed", |html| html.text(format_args!("{} ago", Span(age))));
        }
        property(html, "Next refresh", |html| match status.next_refresh {
            Some(next) if next.is_zero() => html.text("under way"),
            Some(next) => html.text(format_args!("in {}", Span(next))),
            None => html.text("none is planned"),
        });
        property(html, "Fetches", |html| fetches(html, status));
        for (name, problem) in
            [("Last error", &status.last_error), ("Metadata error", &status.metadata_error)]
        {
            let Some(problem) = problem else { continue };
            property(html, name, |html| html.line("span class=error", Line(problem)));
        }
        if !status.ignored.is_empty() {
            property(html, "Not usable", |html| {
                for ignored in status.ignored.iter().take(MOST) {
                    html.line("div", Line(ignored));
                }
                more(html, status.ignored.len());
            });
        }
    });
}

fn names(html: &mut Html, status: &KeyStatus) {
    html.text(Count(status.keys as u64));
    for (at, kid) in status.kids.iter().take(MOST).enumerate() {
        html.markup(if at == 0 { ": " } else { ", " });
        html.line("code", Kid(kid));
    }
    more(html, status.kids.len());
    if let Some(others) = status.keys.checked_sub(status.kids.len()).filter(|others| *others > 0) {
        html.text(format_args!(" and {} without a name of their own", Count(others as u64)));
    }
}

fn fetches(html: &mut Html, status: &KeyStatus) {
    let [attempts, changed, unchanged, failed] = [
        status.fetches.attempts,
        changes(status.fetches),
        status.fetches.unchanged,
        status.fetches.failed,
    ]
    .map(Count);
    html.text(format_args!(
        "{attempts} in all: {changed} with changes, {unchanged} without, {failed} failed"
    ));
}

fn more(html: &mut Html, number: usize) {
    if let Some(more) = number.checked_sub(MOST).filter(|more| *more > 0) {
        html.text(format_args!(" and {} more", Count(more as u64)));
    }
}
