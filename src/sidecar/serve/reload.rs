//! Files that are read again: when they have changed, and when SIGHUP says so.
//!
//! They are small, so that their content is compared, once a second; whatever put a new one into
//! its place (an editor, a rename, a symbolic link as Kubernetes uses them) need not be understood.
//! A change counts when it has been there for two looks: who reads a file while it is written
//! finds a part of it, which may be good rules, only fewer. What is not good replaces nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{MissedTickBehavior, interval};

use super::files::{self, RulesFile};
use super::pem::Pems;
use super::tls::Tls;
use crate::env::variables;
use crate::sidecar::desk::Shared;
use crate::sidecar::telemetry::{Reloads, Watched};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at the files as long as it lives.
pub(super) struct Reloader {
    now: Arc<Notify>,
    watching: AbortHandle,
}

impl Reloader {
    /// Starts with what has been loaded already.
    pub(super) fn start(
        rules: Option<RulesFile>,
        tls: Option<(Arc<Tls>, Pems)>,
        shared: &Arc<Shared>,
        reloads: &Arc<Reloads>,
    ) -> Self {
        let mut watch = Watch {
            // What was loaded, not what is there by now.
            rules: rules.map(|mut file| (Changes::new(Ok(file.take_loaded())), file)),
            tls: tls
                .filter(|(tls, _)| tls.is_watched())
                .map(|(tls, pems)| (Changes::new(pems), tls)),
            shared: Arc::clone(shared),
            reloads: Arc::clone(reloads),
        };
        let now = Arc::new(Notify::new());
        let told = Arc::clone(&now);
        let watching = tokio::spawn(async move {
            let mut looks = interval(LOOK_EVERY);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = looks.tick() => watch.look(Look::Usual),
                    () = told.notified() => watch.look(Look::Now),
                }
            }
        });
        let handle = watching.abort_handle();
        tokio::spawn(tell_panic(watching));
        Self { now, watching: handle }
    }

    /// Takes up what is there, without waiting whether it changes any more.
    pub(super) fn reload(&self) {
        self.now.notify_one();
    }
}

/// Nobody else would hear of it.
async fn tell_panic(watching: JoinHandle<()>) {
    if watching.await.is_err_and(|error| error.is_panic()) {
        tracing::error!(
            "files are not looked at any more, as that has failed; what is in use stays so until \
             a restart"
        );
    }
}

impl Drop for Reloader {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Usual,
    Now,
}

struct Watch {
    rules: Option<(Changes<Result<String, String>>, RulesFile)>,
    tls: Option<(Changes<Pems>, Arc<Tls>)>,
    shared: Arc<Shared>,
    reloads: Arc<Reloads>,
}

impl Watch {
    fn look(&mut self, look: Look) {
        if let (Some((changes, file)), Some(watched)) = (&mut self.rules, &self.reloads.rules) {
            match changes.look(file.read(), look) {
                Some(Ok(text)) => use_rules(text, file, &self.shared, watched),
                Some(Err(problem)) => keep("rules", problem, watched),
                None => {}
            }
        }
        if let (Some((changes, tls)), Some(watched)) = (&mut self.tls, &self.reloads.certificate)
            && let Some(pems) = changes.look(tls.read(), look)
        {
            use_certificate(pems, tls, watched);
        }
    }
}

fn use_certificate(pems: &Pems, tls: &Tls, watched: &Watched) {
    match tls.use_now(pems) {
        Ok(()) => {
            watched.loaded(tls.describe());
            tracing::info!(now = tls.describe(), "certificate: taken up");
        }
        Err(unfit) => keep("certificate", &joined(&unfit), watched),
    }
}

fn use_rules(text: &str, file: &RulesFile, shared: &Shared, watched: &Watched) {
    match file.parse(text) {
        Ok(rules) => {
            let now = files::describe(&rules);
            for warning in rules.warnings() {
                tracing::warn!("{}: {warning}", variables::RULES);
            }
            // Requests that are being judged finish with the ones before.
            shared.routes.store(Arc::new(rules.compile(&shared.server)));
            watched.loaded(now.clone());
            tracing::info!(now, file = ?file.path(), "rules: taken up");
        }
        Err(faults) => {
            keep("rules", &format!("{}: {}", file.path().display(), joined(&faults)), watched);
        }
    }
}

fn keep(what: &str, problem: &str, watched: &Watched) {
    // Who reads the line finds it counted.
    watched.failed(problem);
    tracing::error!("{what}: not taken up, what was there before is kept: {problem}");
}

/// All faults on one line.
fn joined(faults: &[impl ToString]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What a file has become, told once.
struct Changes<T> {
    /// What was told last.
    known: T,
    /// What was there at the last look, if it was something else.
    candidate: Option<T>,
}

impl<T: PartialEq> Changes<T> {
    fn new(known: T) -> Self {
        Self { known, candidate: None }
    }

    fn look(&mut self, read: T, look: Look) -> Option<&T> {
        if look == Look::Usual {
            if read == self.known {
                self.candidate = None;
                return None;
            }
            if self.candidate.as_ref() != Some(&read) {
                self.candidate = Some(read);
                return None;
            }
        }
        self.candidate = None;
        self.known = read;
        Some(&self.known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    #[test]
    fn a_change_counts_when_it_stays() {
        let mut changes = Changes::new(ok("one"));
        for (text, is_told) in [
            ("one", false),
            ("tw", false),
            ("two", false),
            ("two", true),
            ("two", false),
            ("three", false),
            ("two", false),
            ("three", false),
        ] {
            let told = changes.look(ok(text), Look::Usual);
            assert_eq!(told, is_told.then_some(&ok(text)), "{text}");
        }
    }

    #[test]
    fn sighup_does_not_wait_and_tells_what_has_not_changed() {
        let mut changes = Changes::new(ok("one"));
        assert_eq!(changes.look(ok("two"), Look::Now), Some(&ok("two")));
        assert_eq!(changes.look(ok("two"), Look::Now), Some(&ok("two")));
        assert_eq!(changes.look(ok("two"), Look::Usual), None);
    }

    #[test]
    fn a_file_that_is_gone_is_told_once_and_so_is_its_return() {
        let mut changes = Changes::new(ok("one"));
        let gone = || Err("gone".to_owned());
        assert_eq!(changes.look(gone(), Look::Usual), None);
        assert_eq!(changes.look(gone(), Look::Usual), Some(&gone()));
        assert_eq!(changes.look(gone(), Look::Usual), None);
        assert_eq!(changes.look(ok("one"), Look::Usual), None);
        assert_eq!(changes.look(ok("one"), Look::Usual), Some(&ok("one")));
    }
}
