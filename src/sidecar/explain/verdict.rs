//! What a client would get.

use super::report::{Check, Line, Outcome, first_fault};
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;
use crate::resource_server::Gate;

/// How a request with the token would be answered, and what else has to be said about that.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) answer: Answer,
    /// Where the lines do not lead to the answer.
    pub(super) note: Option<String>,
}

#[derive(Debug)]
pub(super) enum Answer {
    Pass,
    Refuse(Rejection),
    /// Nothing else is wrong, and the signature could not be checked.
    IfSigned,
    /// It is good together with the client certificate that it is bound to.
    IfShown,
}

impl Verdict {
    /// `refused` is the engine's verdict. It stands, except where the engine had no keys because
    /// it was not allowed to ask for any. `is_bound` says that the engine was shown the certificate
    /// that the token asks for.
    pub(super) fn new(
        gate: &Gate,
        refused: Option<Rejection>,
        is_bound: bool,
        lines: &[Line],
        offline: bool,
    ) -> Self {
        let fault = first_fault(lines);
        let is_skipped = |line: &Line| line.check == Check::Key && line.outcome == Outcome::Skipped;
        let without_key = offline
            && refused.as_ref().map(Rejection::kind) == Some(RejectionKind::KeysUnavailable)
            && lines.iter().any(is_skipped);
        match (without_key, fault) {
            (true, None) => Self { answer: Answer::IfSigned, note: None },
            (true, Some((_, kind))) => Self {
                note: Some("the signature was not checked (offline)".to_owned()),
                answer: Answer::Refuse(gate.refuse(kind)),
            },
            (false, _) => {
                let note = disagreement(refused.as_ref(), fault);
                let good = if is_bound { Answer::IfShown } else { Answer::Pass };
                Self { answer: refused.map_or(good, Answer::Refuse), note }
            }
        }
    }

    pub(super) fn passes(&self) -> bool {
        matches!(self.answer, Answer::Pass)
    }
}

/// The lines should have found what the engine found. Where they did not, they are wrong.
fn disagreement(
    refused: Option<&Rejection>,
    fault: Option<(Check, RejectionKind)>,
) -> Option<String> {
    match (refused, fault) {
        (None, None) => None,
        (None, Some((check, _))) => {
            Some(format!("the engine accepts the token, whatever is said about {}", check.name()))
        }
        (Some(rejection), Some((_, kind))) if rejection.reason() == kind => None,
        (Some(rejection), _) => Some(format!(
            "the engine refuses for another reason than the lines show: {}",
            Rejection::new(rejection.reason()).description()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disagreement_is_said() {
        let expired = Rejection::new(RejectionKind::Expired);
        let found = |kind| Some((Check::Lifetime, kind));
        assert_eq!(disagreement(None, None), None);
        assert_eq!(disagreement(Some(&expired), found(RejectionKind::Expired)), None);
        for (refused, fault, word) in [
            (None, found(RejectionKind::Expired), "accepts"),
            (Some(&expired), None, "another reason"),
            (Some(&expired), found(RejectionKind::NotYetValid), "token expired"),
        ] {
            let note = disagreement(refused, fault).unwrap();
            assert!(note.contains(word), "{note}");
        }
    }
}
