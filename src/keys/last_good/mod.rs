//! The last good key set of each issuer, kept in a file: a restart during an outage of the
//! authorization server can serve at once.
//!
//! 1. Whoever can write the file can supply keys, as with the configuration. The digests in it find
//!    damage and carelessness; they are no seal.
//! 2. What cannot be used is ignored with a warning and never a reason not to start ([`format`]).
//! 3. The file is replaced as a whole or not at all, and only where it is one of ours ([`disk`]).
//! 4. Whether an entry still counts, by its age and its address, is for the store to say.

mod disk;
mod entry;
mod format;

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use url::Url;

use disk::DiskError;
use format::{Contents, NotReadable};

/// The last good key set of one issuer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LastGood {
    /// Where the set came from.
    pub(crate) address: Url,
    /// As it came.
    pub(crate) document: Bytes,
    /// Wall time, to the second.
    pub(crate) fetched_at: SystemTime,
    /// For how long it was fresh then, to the second.
    pub(crate) lifetime: Duration,
}

/// By issuer.
type Entries = BTreeMap<String, LastGood>;

/// The file of the last good key sets, shared by the stores of one resource server.
pub(crate) struct LastGoodFile {
    path: PathBuf,
    /// Held while the file is written, so that no entry of another issuer is lost.
    state: Mutex<State>,
}

struct State {
    /// What the next write puts into the file.
    entries: Entries,
    /// Nobody else has an entry, where this is known.
    issuers: Option<Vec<String>>,
    last_failed: bool,
}

impl LastGoodFile {
    /// Whether there can be a file at this path, whatever is there. The file is not opened.
    pub(crate) fn check_path(path: &Path) -> Result<(), &'static str> {
        disk::check_path(path)
    }

    /// Reads the file if it is there. What cannot be used is warned about and ignored. Blocks.
    pub(crate) fn open(path: PathBuf) -> Self {
        let entries = match read(&path) {
            Ok(Some(Contents { entries, ignored })) => {
                if let Some(ignored) = ignored {
                    tracing::warn!("the file of last good keys {path:?}: {ignored}");
                }
                entries
            }
            Ok(None) => {
                tracing::debug!("the file of last good keys {path:?} is not there yet");
                Entries::new()
            }
            Err(problem) => {
                tracing::warn!("ignored the file of last good keys {path:?}: {problem}");
                Entries::new()
            }
        };
        Self { path, state: Mutex::new(State { entries, issuers: None, last_failed: false }) }
    }

    /// Forgets all issuers but these; the next write drops them from the file.
    pub(crate) fn keep_only(&self, issuers: &[&str]) {
        let mut state = self.state();
        state.entries.retain(|issuer, _| issuers.contains(&issuer.as_str()));
        state.issuers = Some(issuers.iter().map(|issuer| (*issuer).to_owned()).collect());
    }

    /// The entry of this issuer, if there is one.
    pub(crate) fn recall(&self, issuer: &str) -> Option<LastGood> {
        self.state().entries.get(issuer).cloned()
    }

    /// Puts in the entry of this issuer and writes the file. Blocks. A failure costs the file and
    /// nothing else; it is warned about once, until it is over.
    pub(crate) fn remember(&self, issuer: &str, entry: LastGood) {
        let (had_failed, outcome) = {
            let mut state = self.state();
            // Replicas that share the file may have got what we could not.
            if let Ok(Some(contents)) = read(&self.path) {
                state.merge(contents.entries);
            }
            state.entries.insert(issuer.to_owned(), entry);
            let outcome = write(&self.path, &state.entries);
            (mem::replace(&mut state.last_failed, outcome.is_err()), outcome)
        };
        let path = &self.path;
        match (had_failed, outcome) {
            (false, Err(error)) => tracing::warn!(
                "the file of last good keys {path:?} cannot be written, so a restart may find \
                 older keys or none: {error}"
            ),
            (true, Err(error)) => tracing::debug!(
                "the file of last good keys {path:?} still cannot be written: {error}"
            ),
            (true, Ok(())) => {
                tracing::info!("the file of last good keys {path:?} can be written again");
            }
            (false, Ok(())) => {}
        }
    }

    /// A poisoned lock still guards consistent data here: nothing panics half-way through a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes over what is newer in the file.
    fn merge(&mut self, entries: Entries) {
        for (issuer, entry) in entries {
            let is_ours = self.issuers.as_ref().is_none_or(|issuers| issuers.contains(&issuer));
            let known = self.entries.get(&issuer).map(|known| known.fetched_at);
            if is_ours && known.is_none_or(|known| known < entry.fetched_at) {
                self.entries.insert(issuer, entry);
            }
        }
    }
}

fn read(path: &Path) -> Result<Option<Contents>, Problem> {
    let Some(bytes) = disk::read(path).map_err(Problem::Disk)? else { return Ok(None) };
    format::read(&bytes).map(Some).map_err(Problem::Format)
}

fn write(path: &Path, entries: &Entries) -> Result<(), DiskError> {
    disk::replace(path, &format::write(entries)?, format::is_ours)
}

/// Why the whole file is ignored. `Display` is for operators.
enum Problem {
    Disk(DiskError),
    Format(NotReadable),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => error.fmt(f),
            Self::Format(error) => error.fmt(f),
        }
    }
}

/// Without the documents: an authorization server may publish what it should not.
impl fmt::Debug for LastGoodFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LastGoodFile").field(&self.path).finish()
    }
}

#[cfg(test)]
mod tests;
