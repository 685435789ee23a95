//! What a front has said, and whether that is what the table expects.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};

use super::challenge::challenge;
use super::{Expected, ExpectedRefusal, Passed};

/// A decision, as a client or a service behind the front sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The service was reached and told this; empty counts as nothing.
    Allowed {
        subject: Option<String>,
        scope: Option<String>,
    },
    Refused(Refused),
}

/// A refusal. A front has a status of HTTP, a code of gRPC or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refused {
    pub status: Option<u16>,
    pub grpc: Option<u8>,
    /// The fields, one challenge each.
    pub challenges: Vec<String>,
    pub retry_after: Option<String>,
}

impl Refused {
    /// Challenges and delay from the fields or metadata of an answer.
    pub fn with_fields(headers: &HeaderMap) -> Self {
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        Self {
            challenges: headers.get_all(WWW_AUTHENTICATE).iter().map(text).collect(),
            retry_after: headers.get(RETRY_AFTER).map(text),
            ..Self::default()
        }
    }
}

impl Answer {
    /// What `subject` and `scope` the service behind the front was told.
    pub fn allowed(subject: Option<&str>, scope: Option<&str>) -> Self {
        let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self::Allowed { subject: some(subject), scope: some(scope) }
    }

    pub(super) fn check(&self, expected: &Expected) -> Result<(), String> {
        match (self, expected) {
            (Self::Allowed { .. }, Expected::Allowed(Passed::Public(_)))
                if *self == Self::allowed(None, None) =>
            {
                Ok(())
            }
            (Self::Allowed { .. }, Expected::Allowed(Passed::With { subject, scope }))
                if *self == Self::allowed(Some(subject), Some(scope)) =>
            {
                Ok(())
            }
            (Self::Refused(refused), Expected::Refused(expected)) => refused.check(expected),
            _ => Err(format!("{self:?} where {expected:?}")),
        }
    }
}

impl Refused {
    fn check(&self, expected: &ExpectedRefusal) -> Result<(), String> {
        let said = self.status.is_some() || self.grpc.is_some();
        let is_same = said
            && self.status.is_none_or(|status| status == expected.status)
            && self.grpc.is_none_or(|code| code == expected.grpc);
        if !is_same {
            return Err(format!("{self:?} where {expected:?}"));
        }
        let challenges: Vec<_> = self.challenges.iter().map(|field| parsed(field)).collect();
        if challenges != expected.challenges {
            return Err(format!("{challenges:?} where {:?}", expected.challenges));
        }
        let seconds = self.retry_after.as_deref().map(str::parse::<u64>);
        let is_due = match &seconds {
            None => expected.status != 503,
            Some(Ok(1..=60)) => expected.status == 503,
            Some(_) => false,
        };
        if is_due { Ok(()) } else { Err(format!("to be tried again after {seconds:?}")) }
    }
}

fn parsed(field: &str) -> BTreeMap<String, String> {
    let challenge = challenge(field);
    let mut parts = challenge.parameters;
    parts.insert("scheme".to_owned(), challenge.scheme);
    parts
}
