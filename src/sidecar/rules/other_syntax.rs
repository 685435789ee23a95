//! What other programs write for a parameter. Taken as it stands it would cover next to nothing, and
//! the rule be without effect.

use super::braces::{Piece, pieces};
use super::path_pattern::PathPattern;

/// Refuses a path in which something stands for itself that hardly was meant so.
///
/// # Errors
/// What is probably meant, for the author of the path.
pub(super) fn check(path: &str) -> Result<(), String> {
    match path.split('/').find_map(found) {
        None => Ok(()),
        Some(Other::Star) => {
            Err(told(path, "a *", "%2A", "{name} is one segment, {*rest} the rest"))
        }
        Some(Other::Colon) => Err(told(path, "a :", "%3A", "a parameter is {name}")),
        Some(Other::Angles) => Err(told(path, "<", "%3C", "a parameter is {name}")),
        Some(Other::Choice) => {
            Err("( and | stand for themselves here; each choice needs a rule of \
             its own. A real ( is written %28"
                .to_owned())
        }
    }
}

#[derive(Clone, Copy)]
enum Other {
    /// `*`, `**`, `*.html`
    Star,
    /// `:id`
    Colon,
    /// `<id>`, `<int:id>`
    Angles,
    /// `(a|b)`
    Choice,
}

fn found(segment: &str) -> Option<Other> {
    let is_colon = segment.starts_with(':').then_some(Other::Colon);
    // The braces of the whole path are read before.
    let pieces = pieces(segment).unwrap_or_default();
    is_colon.or_else(|| {
        pieces.iter().find_map(|piece| match piece {
            Piece::Text(text) if text.contains('*') => Some(Other::Star),
            Piece::Text(text) if holds_in_order(text, "<>") => Some(Other::Angles),
            Piece::Text(text) if holds_in_order(text, "(|)") => Some(Other::Choice),
            _ => None,
        })
    })
}

fn holds_in_order(text: &str, marks: &str) -> bool {
    let mut rest = text.chars();
    marks.chars().all(|mark| rest.any(|char| char == mark))
}

fn told(path: &str, what: &str, escape: &str, syntax: &str) -> String {
    let meant = meant(path);
    let hint = if PathPattern::parse(&meant).is_ok() {
        format!("is it {meant:?} that you mean?")
    } else {
        format!("{syntax}.")
    };
    let mark = what.trim_start_matches("a ");
    format!("{what} stands for itself here; {hint} A real {mark} is written {escape}")
}

/// The same path in our syntax, as far as that can be guessed.
fn meant(path: &str) -> String {
    let mut segments = path.split('/').peekable();
    let mut meant = Vec::new();
    while let Some(segment) = segments.next() {
        meant.push(parameter(segment, segments.peek().is_none()));
    }
    meant.join("/")
}

fn parameter(segment: &str, is_last: bool) -> String {
    match found(segment) {
        Some(Other::Star) if segment.chars().all(|char| char == '*') && is_last => {
            "{*rest}".to_owned()
        }
        Some(Other::Star) => segment.replace("**", "*").replacen('*', "{name}", 1),
        Some(Other::Colon) => {
            let name = segment.trim_start_matches(':');
            let is_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
            let end = name.find(|char| !is_name(char)).unwrap_or(name.len());
            let (name, after) = name.split_at(end);
            format!("{{{name}}}{after}")
        }
        Some(Other::Angles) => {
            let (before, from) = segment.split_once('<').unwrap_or((segment, ""));
            let (inner, after) = from.split_once('>').unwrap_or((from, ""));
            let name = inner.rsplit(':').next().unwrap_or(inner);
            format!("{before}{{{name}}}{after}")
        }
        Some(Other::Choice) | None => segment.to_owned(),
    }
}
