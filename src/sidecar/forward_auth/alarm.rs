//! Lines for the operator about gateways that are configured wrongly.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sidecar::proxy::Peer;
use crate::sidecar::telemetry::BadRequest;

/// The next line comes after this time at the earliest: every request has the same fault.
const EVERY: Duration = Duration::from_secs(300);

/// One for all workers.
pub(super) static ALARM: Alarm = Alarm::new();

pub(super) struct Alarm(Mutex<Option<Instant>>);

impl Alarm {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Says what only the operator can mend; no client can cause it.
    pub(super) fn ring(&self, fault: BadRequest, peer: &Peer) {
        let what = match fault {
            BadRequest::UntrustedGateway => {
                "its word is not believed, as PORTCULLIS_TRUSTED_PROXIES does not hold its address"
            }
            BadRequest::OriginalMissing => {
                "it does not say which method and path were asked for; it has to set \
                 X-Original-Method and X-Original-URI, or X-Forwarded-Method and X-Forwarded-Uri"
            }
            _ => return,
        };
        if self.is_due(Instant::now()) {
            tracing::warn!(peer = %peer.address, "a gateway is refused: {what}");
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.saturating_duration_since(last) >= EVERY);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rings_once_in_a_while() {
        let (alarm, start) = (Alarm::new(), Instant::now());
        assert!(alarm.is_due(start));
        assert!(!alarm.is_due(start + EVERY / 2));
        assert!(alarm.is_due(start + EVERY));
        assert!(!alarm.is_due(start + EVERY));
    }
}
