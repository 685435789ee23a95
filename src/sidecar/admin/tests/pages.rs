//! What the page says, and that nothing from outside becomes part of its markup.

use super::*;
use crate::keys::{KeyFetches, KeyState, KeyStatus};
use crate::sidecar::admin::html::Html;
use crate::sidecar::admin::page::issuers::issuers;

const HOSTILE: &str =
    "</td><script>alert(1)</script><img src=//evil.example onerror=x> \"'&\r\n\u{1b}[31m";

fn page_of(admin: &Admin) -> String {
    page::page(admin, Instant::now()).into_string()
}

fn hostile_status() -> KeyStatus {
    let hostile = || HOSTILE.to_owned();
    KeyStatus {
        issuer: hostile(),
        source: hostile(),
        address: Some(hostile()),
        state: KeyState::Stale,
        keys: 40,
        kids: (0..40).map(|number| format!("<b>{number}{}", "k".repeat(90))).collect(),
        ignored: vec![hostile(); 30],
        age: Some(Duration::from_secs(90)),
        next_refresh: Some(Duration::from_secs(3_700)),
        last_error: Some(hostile()),
        metadata_error: Some(hostile().repeat(1_000)),
        fetches: KeyFetches { attempts: 1_234, failed: 12, unchanged: 1_000 },
    }
}

#[test]
fn an_issuer_that_is_asked_about_every_token_has_no_keys_to_tell_of() {
    let mut html = Html::default();
    issuers(&mut html, &[KeyStatus { state: KeyState::Unneeded, ..hostile_status() }]);
    let html = html.into_string();
    assert!(html.contains("asked about every token"), "{html}");
    assert!(!html.contains("<dl"), "{html}");
}

#[test]
fn what_issuers_and_servers_write_is_text() {
    let mut html = Html::default();
    issuers(&mut html, &[hostile_status()]);
    let html = html.into_string();
    for markup in ["<script", "<img", "<b>", "\u{1b}", "\r"] {
        assert!(!html.contains(markup), "{markup}: {html}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
    assert!(html.contains("1,234 in all: 222 with changes, 1,000 without, 12 failed"), "{html}");
    assert!(html.contains("1 min 30 s ago") && html.contains("in 1 h 1 min"), "{html}");
    // Names of keys are cut, and so are lists and long texts.
    assert!(!html.contains(&"k".repeat(24)), "{html}");
    assert!(html.contains(" and 28 more") && html.contains(" and 18 more"), "{html}");
    assert!(!html.contains("without a name"), "{html}");
    let mut html_of_more = Html::default();
    issuers(&mut html_of_more, &[KeyStatus { keys: 43, ..hostile_status() }]);
    let more = html_of_more.into_string();
    assert!(more.contains(" and 28 more and 3 without a name of their own"), "{more}");
    assert!(html.len() < 20_000, "{}", html.len());
}

#[test]
fn readiness_is_told_in_single_lines() {
    let verdict = Readiness::default().judge(&[hostile_status()]);
    assert!(verdict.is_ready);
    let text = verdict.to_string();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.chars().all(|char| char == '\n' || !char.is_control()), "{text}");
}

#[test]
fn configuration_and_reloads_are_text_too() {
    let reloads = Reloads {
        rules: Some(Watched::new(HOSTILE)),
        certificate: Some(Watched::new("api.example")),
    };
    reloads.rules.as_ref().unwrap().failed(HOSTILE);
    let mut admin = admin_of(server([good_issuer()]), reloads);
    admin.configuration.push((HOSTILE.to_owned(), HOSTILE.to_owned()));
    let html = page_of(&admin);
    for markup in ["<script", "<img", "\u{1b}", "\r"] {
        assert!(!html.contains(markup), "{markup}: {html}");
    }
    assert!(html.contains("Rules: the last change is not in use"), "{html}");
    assert!(html.contains("class=\"status warn\""), "{html}");
}

#[test]
fn the_first_word_is_whether_it_is_ready() {
    for (issuers, drains, word, class) in [
        (vec![good_issuer()], false, "Ready", "good"),
        (vec![good_issuer(), idle_issuer()], false, "Ready, with a problem", "warn"),
        (vec![idle_issuer()], false, "Not ready", "bad"),
        (vec![good_issuer()], true, "Shutting down", "bad"),
    ] {
        let admin = admin_of(server(issuers), Reloads::default());
        if drains {
            admin.readiness.drain();
        }
        let html = page_of(&admin);
        assert!(html.contains(&format!("<title>{word} · portcullis</title>")), "{html}");
        let status = format!("<section class=\"status {class}\" aria-label=Status><strong>{word}<");
        assert!(html.contains(&status), "{html}");
    }
}

#[test]
fn refusals_are_explained_and_what_never_happened_is_not_there() {
    let admin = admin();
    assert!(page_of(&admin).contains("Nothing since the start."));
    let expired = Outcome::Refused(RejectionKind::Expired);
    (0..1_234).for_each(|_| admin.telemetry.record(expired, Duration::ZERO));
    let html = page_of(&admin);
    let row = "<code>expired</code><span class=meaning>Clients use tokens past their end";
    assert!(html.contains(row), "{html}");
    assert_eq!(html.matches("<td class=number>1,234</td>").count(), 6, "{html}");
    assert!(!html.contains("<code>wrong_audience</code>"));
}

/// The class of a request and its reason are all that there is of it.
#[test]
fn what_is_no_refusal_stands_in_the_list_of_outcomes_alone() {
    let admin = admin();
    admin.telemetry.record(Outcome::Allowed, Duration::from_secs(1));
    let _open = admin.telemetry.in_flight();
    let html = page_of(&admin);
    assert!(html.contains("<th scope=row>Allowed</th><td class=number>1</td>"), "{html}");
    assert!(html.contains("1 in flight now."), "{html}");
    assert!(html.contains("Nothing since the start."), "{html}");
}
