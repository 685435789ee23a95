//! The report as one JSON object for machines.

use std::io;

use serde::Serialize;

use super::report::{Check, Line, Outcome, Report};
use super::verdict::Answer;
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;

#[derive(Serialize)]
struct Document<'a> {
    verdict: &'static str,
    #[serde(flatten)]
    answer: Option<Refusal<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    checks: Vec<Entry<'a>>,
}

/// What the client would get.
#[derive(Serialize)]
struct Refusal<'a> {
    status: u16,
    error: Option<&'static str>,
    kind: String,
    /// What is behind the kind, where that is hidden from the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden_reason: Option<String>,
    description: &'static str,
    challenge: Option<&'a str>,
    retry_after: Option<u64>,
}

#[derive(Serialize)]
struct Entry<'a> {
    check: Check,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    expected: Option<&'a str>,
    found: &'a str,
    unverified: bool,
}

pub(super) fn write(report: &Report) -> io::Result<String> {
    let (verdict, refused) = match &report.verdict.answer {
        Answer::Pass => ("pass", None),
        Answer::Refuse(rejection) => ("refuse", Some(rejection)),
        Answer::IfSigned | Answer::IfShown => ("unknown", None),
    };
    let document = Document {
        verdict,
        answer: refused.map(refusal),
        note: report.verdict.note.as_deref(),
        checks: report.lines.iter().map(entry).collect(),
    };
    serde_json::to_string(&document).map_err(io::Error::other)
}

fn refusal(rejection: &Rejection) -> Refusal<'_> {
    Refusal {
        status: rejection.status().as_u16(),
        error: rejection.error(),
        kind: name(rejection.kind()),
        hidden_reason: Some(rejection.reason())
            .filter(|reason| *reason != rejection.kind())
            .map(name),
        description: rejection.description(),
        challenge: rejection.challenge().and_then(|field| field.to_str().ok()),
        retry_after: rejection.retry_after(),
    }
}

fn entry(line: &Line) -> Entry<'_> {
    Entry {
        check: line.check,
        result: match line.outcome {
            Outcome::Pass => "pass",
            Outcome::Fail(_) => "fail",
            Outcome::Skipped => "skipped",
        },
        kind: line.fault().map(name),
        expected: Some(line.expected.as_str()).filter(|text| !text.is_empty()),
        found: &line.found,
        unverified: line.unverified,
    }
}

fn name(kind: RejectionKind) -> String {
    format!("{kind:?}")
}
