//! Why nothing is known about a token.

use std::fmt;

use http::StatusCode;

use crate::fetch::FetchError;

/// Why the authorization server said nothing about a token. `Display` is for operators; nothing of
/// an answer's body is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Introspection,
    OwnToken,
}

#[derive(Debug)]
pub(super) struct Fault {
    pub(super) step: Step,
    pub(super) reason: Reason,
}

#[derive(Debug)]
pub(super) enum Reason {
    Fetch(FetchError),
    Status(StatusCode),
    /// 401, or 400 with `invalid_client` from the token endpoint: somebody has to mend it.
    Credentials,
    Answer(&'static str),
    /// Our own assertion could not be signed.
    Signing,
    Late,
}

impl Fault {
    pub(super) fn of_answer(problem: &'static str) -> Self {
        Self { step: Step::Introspection, reason: Reason::Answer(problem) }
    }

    pub(super) fn needs_somebody(&self) -> bool {
        matches!(self.reason, Reason::Credentials | Reason::Signing)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.step {
            Step::Introspection => "the introspection endpoint ",
            Step::OwnToken => "the token endpoint, asked for a token of our own, ",
        })?;
        match &self.reason {
            Reason::Fetch(error) => write!(f, "gives no answer: {error}"),
            Reason::Status(status) => write!(f, "answered with status {}", status.as_u16()),
            Reason::Credentials => f.write_str("refuses our credentials"),
            Reason::Answer(problem) => f.write_str(problem),
            Reason::Signing => f.write_str("cannot be asked: our assertion cannot be signed"),
            Reason::Late => f.write_str("takes too long"),
        }
    }
}
