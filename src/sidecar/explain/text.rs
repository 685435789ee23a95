//! The report as a table for people.

use super::report::{Check, Line, Outcome, Report};
use super::verdict::{Answer, Verdict};
use crate::rejection::Rejection;

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

pub(super) fn write(report: &Report, colour: bool) -> String {
    let width = Check::ALL.iter().map(|check| check.name().len()).max().unwrap_or(0);
    let mut text = String::new();
    let (told, rest) = without_rest(&report.lines);
    for line in told {
        text.push_str(&row(line, width, colour));
        text.push('\n');
    }
    if let Some(first) = rest.first() {
        let mark = mark(first, colour);
        text.push_str(&format!("{mark} {:width$}  {}\n", "all others", first.found));
    }
    text.push('\n');
    text.push_str(&conclusion(&report.verdict));
    text
}

/// The lines, and those at the end that could not be made for one and the same reason: a page full
/// of them would hide what matters.
fn without_rest(lines: &[Line]) -> (&[Line], &[Line]) {
    const FEW: usize = 3;
    let Some(last) = lines.last().filter(|line| line.outcome == Outcome::Skipped) else {
        return (lines, &[]);
    };
    let is_told = |line: &Line| line.found != last.found;
    let told = lines.iter().rposition(is_told).map_or(0, |index| index + 1);
    if lines.len() - told > FEW { lines.split_at(told) } else { (lines, &[]) }
}

fn mark(line: &Line, colour: bool) -> String {
    let (mark, paint) = match line.outcome {
        // What nobody has signed may say anything.
        Outcome::Pass if line.unverified => ('?', DIM),
        Outcome::Pass => ('✓', GREEN),
        Outcome::Fail(_) => ('✗', RED),
        Outcome::Skipped => ('–', DIM),
    };
    if colour { format!("{paint}{mark}{PLAIN}") } else { mark.to_string() }
}

fn row(line: &Line, width: usize, colour: bool) -> String {
    let (mark, name) = (mark(line, colour), line.check.name());
    let mut row = format!("{mark} {name:width$}  {}", line.found);
    // What was found and is good says enough.
    if line.fault().is_some() && !line.expected.is_empty() {
        row.push_str(" · ");
        row.push_str(&line.expected);
    }
    if line.unverified {
        row.push_str(" (unverified)");
    }
    row
}

fn conclusion(verdict: &Verdict) -> String {
    let answer = match &verdict.answer {
        Answer::Pass => "would pass".to_owned(),
        Answer::IfSigned => {
            "would pass, if the signature is good (not checked: offline)".to_owned()
        }
        Answer::IfShown => {
            "would pass, if it is shown with the client certificate that it is bound to \
                            (of all modes, ext-authz alone sees certificates)"
                .to_owned()
        }
        Answer::Refuse(rejection) => refusal(rejection),
    };
    match &verdict.note {
        Some(note) => format!("note: {note}\n{answer}"),
        None => answer,
    }
}

/// In the words of what the client would get.
fn refusal(rejection: &Rejection) -> String {
    let status = rejection.status().as_u16();
    let error = rejection.error().map(|error| format!(" {error}")).unwrap_or_default();
    let mut text = format!("would be answered {status}{error}: {}", rejection.description());
    if rejection.reason() != rejection.kind() {
        let reason = Rejection::new(rejection.reason());
        text.push_str("\nThe rule hides its route from this token. The log alone is told why: ");
        text.push_str(reason.description());
    }
    if let Some(challenge) = rejection.challenge().and_then(|field| field.to_str().ok()) {
        text.push_str("\nWWW-Authenticate: ");
        text.push_str(challenge);
    }
    if let Some(seconds) = rejection.retry_after() {
        text.push_str(&format!("\nRetry-After: {seconds}"));
    }
    text
}
