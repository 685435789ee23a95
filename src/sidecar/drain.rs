//! Leaving without anybody noticing.
//!
//! 1. *Leaving*: readiness is gone, and answers over HTTP/1.1 ask their clients to close. The port is
//!    still open, as whoever sends requests here needs a moment to learn that it should not.
//! 2. *Closing*: the port is closed, and connections end when their request has.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// How often connections are looked at, and so how exact their limits are.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What part of the drain timeout passes before the port is closed, and how long that is at most.
const LEAD_PART: u32 = 5;
const LONGEST_LEAD: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Serving,
    Leaving,
    Closing,
}

/// How much time there is.
pub(super) struct Leaving {
    pub(super) lead: Duration,
    pub(super) timeout: Duration,
}

impl Leaving {
    pub(super) fn announced(timeout: Duration) -> Self {
        Self { lead: (timeout / LEAD_PART).min(LONGEST_LEAD), timeout }
    }
}

/// Tells connections what to do, and knows when the last one has ended.
pub(super) struct Drain {
    phase: watch::Sender<Phase>,
    open: mpsc::Sender<Infallible>,
    all_closed: mpsc::Receiver<Infallible>,
}

/// A connection's part of it; there is a drain as long as one of them lives.
#[derive(Clone)]
pub(super) struct Guest {
    phase: watch::Receiver<Phase>,
    _open: mpsc::Sender<Infallible>,
}

impl Drain {
    pub(super) fn new() -> Self {
        let (open, all_closed) = mpsc::channel(1);
        Self { phase: watch::Sender::new(Phase::Serving), open, all_closed }
    }

    pub(super) fn guest(&self) -> Guest {
        Guest { phase: self.phase.subscribe(), _open: self.open.clone() }
    }

    /// Wakes every connection, every [`LOOK_EVERY`]: one timer for all of them. Without an end.
    pub(super) fn wake_to_look(&self) -> impl Future<Output = ()> + use<> {
        let phase = self.phase.clone();
        async move {
            loop {
                sleep(LOOK_EVERY).await;
                phase.send_modify(|_| {});
            }
        }
    }

    pub(super) fn leave(&self) {
        self.phase.send_replace(Phase::Leaving);
    }

    /// Returns when no connection is left.
    pub(super) async fn close(self) {
        let Self { phase, open, mut all_closed } = self;
        phase.send_replace(Phase::Closing);
        drop(open);
        // Nothing is ever sent: this is the end of the last sender.
        let _ = all_closed.recv().await;
    }
}

impl Guest {
    /// The next phase, or the same one when it is time for a look.
    pub(super) async fn next_phase(&mut self) -> Phase {
        match self.phase.changed().await {
            Ok(()) => *self.phase.borrow_and_update(),
            // Whoever looks after connections is gone, and the process is about to be.
            Err(_) => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_is_a_part_of_the_timeout() {
        for (timeout, lead) in
            [(0, 0), (1_000, 200), (10_000, 2_000), (30_000, 5_000), (600_000, 5_000)]
        {
            let leaving = Leaving::announced(Duration::from_millis(timeout));
            assert_eq!(leaving.lead, Duration::from_millis(lead));
        }
    }

    #[tokio::test]
    async fn it_is_over_when_the_last_guest_has_left() {
        let drain = Drain::new();
        let mut guests = [drain.guest(), drain.guest()];
        drain.leave();
        for guest in &mut guests {
            assert_eq!(guest.next_phase().await, Phase::Leaving);
        }
        let closing = tokio::spawn(drain.close());
        assert_eq!(guests[1].next_phase().await, Phase::Closing);
        let [one, other] = guests;
        drop(one);
        assert!(!closing.is_finished());
        drop(other);
        closing.await.unwrap();
    }
}
