//! The status page: what a person wants to know first, first.

pub(super) mod issuers;
mod meaning;
mod requests;
mod settings;

use tokio::time::Instant;

use super::Admin;
use super::html::Html;
use super::shown::{Line, Span};
use crate::keys::KeyStatus;

/// The one style sheet. The answer's policy names its hash.
pub(super) const STYLE: &str = include_str!("style.css");

/// The page as things are now.
pub(super) fn page(admin: &Admin, now: Instant) -> Html {
    let keys = admin.telemetry.server().keys();
    let light = Light::new(admin, &keys);
    let mut html = Html::default();
    html.markup("<!doctype html>");
    html.element("html lang=en", |html| {
        head(html, &light);
        html.element("body", |html| body(html, admin, &keys, &light, now));
    });
    html
}

fn head(html: &mut Html, light: &Light) {
    html.element("head", |html| {
        html.markup("<meta charset=utf-8>");
        html.line("title", format_args!("{} · portcullis", light.word));
        html.markup("<meta name=viewport content=\"width=device-width, initial-scale=1\">");
        html.markup("<meta http-equiv=refresh content=10>");
        // Otherwise the browser asks for one.
        html.markup("<link rel=icon href=\"data:,\">");
        html.element("style", |html| html.markup(STYLE));
    });
}

fn body(html: &mut Html, admin: &Admin, keys: &[KeyStatus], light: &Light, now: Instant) {
    let uptime = now.duration_since(admin.telemetry.started());
    html.element("header", |html| {
        html.line("h1", "portcullis");
        let version = env!("CARGO_PKG_VERSION");
        html.line("p", format_args!("version {version} · up for {}", Span(uptime)));
    });
    html.element("main", |html| {
        light.section(html);
        issuers::issuers(html, keys);
        requests::sections(html, &admin.telemetry, now);
        settings::memory(html, admin.telemetry.server().token_cache());
        settings::reloads(html, &admin.reloads, now);
        settings::configuration(html, &admin.configuration);
    });
    html.element("footer", |html| {
        html.markup("This page shows itself anew every 10 seconds. The same for machines: ");
        html.markup("<a href=/metrics>/metrics</a>, <a href=/readyz>/readyz</a>.");
    });
}

/// What is seen first.
struct Light {
    word: &'static str,
    tag: &'static str,
    problems: Vec<String>,
}

impl Light {
    fn new(admin: &Admin, keys: &[KeyStatus]) -> Self {
        let verdict = admin.readiness.judge(keys);
        let mut problems = verdict.reasons;
        problems.extend(settings::stuck(&admin.reloads));
        let word = match (verdict.is_draining, verdict.is_ready, problems.is_empty()) {
            (true, ..) => "Shutting down",
            (false, false, _) => "Not ready",
            (false, true, false) => "Ready, with a problem",
            (false, true, true) => "Ready",
        };
        let tag = match (verdict.is_ready, problems.is_empty()) {
            (false, _) => "section class=\"status bad\" aria-label=Status",
            (true, false) => "section class=\"status warn\" aria-label=Status",
            (true, true) => "section class=\"status good\" aria-label=Status",
        };
        Self { word, tag, problems }
    }

    fn section(&self, html: &mut Html) {
        html.element(self.tag, |html| {
            html.line("strong", self.word);
            if self.problems.is_empty() {
                html.line("p", "Nothing is wrong.");
                return;
            }
            html.element("ul", |html| {
                for problem in &self.problems {
                    html.line("li", Line(problem));
                }
            });
        });
    }
}

/// A section with a heading that names it.
fn section(html: &mut Html, title: &'static str, content: impl FnOnce(&mut Html)) {
    html.element("section", |html| {
        html.line("h2", title);
        content(html);
    });
}

/// One line of a list of properties.
fn property(html: &mut Html, name: &'static str, value: impl FnOnce(&mut Html)) {
    html.line("dt", name);
    html.element("dd", value);
}
