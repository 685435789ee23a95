//! What the process is told from outside.

use std::io;

use tokio::signal::unix::{self, SignalKind, signal};

/// A signal that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGHUP.
    Reload,
    /// SIGINT: somebody at a terminal.
    Interrupt,
    /// SIGTERM: a supervisor.
    Terminate,
}

/// They are caught, so that they work for the first process of a container too, which has no
/// default for them.
pub(super) struct Signals {
    hangup: unix::Signal,
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }

    /// The next one that says that this is the end.
    pub(super) async fn end(&mut self) {
        while self.next().await == Signal::Reload {}
    }
}
