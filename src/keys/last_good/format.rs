//! What stands in the file: one strict JSON object of a known version, with a list of entries.

use std::fmt;
use std::io;

use memchr::memmem;
use serde::Serialize;
use serde_json::Value;

use super::Entries;
use super::entry::{Entry, EntryFault};
use crate::jose::json;

/// The member that holds the version, and by which a file is known to be ours.
const VERSION_MEMBER: &str = "portcullis_jwks_snapshot";
const VERSION: u64 = 1;

#[derive(Serialize)]
struct Document {
    #[serde(rename = "portcullis_jwks_snapshot")]
    version: u64,
    entries: Vec<Entry>,
}

/// What could be read.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) entries: Entries,
    pub(super) ignored: Option<Ignored>,
}

/// Entries that were passed over. `Display` is for operators.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ignored {
    first: (usize, EntryFault),
    more: usize,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, fault) = &self.first;
        write!(f, "ignored entry {number}: {fault}")?;
        match self.more {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

/// The file as a whole is not one that we wrote. `Display` is for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotReadable {
    NotJson,
    NotOurs,
    Version,
}

impl fmt::Display for NotReadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "it is not one JSON object: it was damaged, or is something else",
            Self::NotOurs => "it is not a file of last good keys, or was damaged",
            Self::Version => "its version is not one that this release reads",
        })
    }
}

pub(super) fn write(entries: &Entries) -> io::Result<Vec<u8>> {
    let entries = entries.iter().map(|(issuer, entry)| Entry::new(issuer, entry)).collect();
    let mut text = serde_json::to_vec(&Document { version: VERSION, entries })?;
    text.push(b'\n');
    Ok(text)
}

pub(super) fn read(text: &[u8]) -> Result<Contents, NotReadable> {
    let mut document = json::object(text).map_err(|_| NotReadable::NotJson)?;
    let version = document.remove(VERSION_MEMBER).ok_or(NotReadable::NotOurs)?;
    if version.as_u64() != Some(VERSION) {
        return Err(NotReadable::Version);
    }
    let list = match document.remove("entries") {
        Some(Value::Array(list)) if document.is_empty() => list,
        _ => return Err(NotReadable::NotOurs),
    };
    let mut contents = Contents::default();
    for (number, entry) in (1..).zip(list) {
        if let Err(fault) = contents.add(entry) {
            contents.pass_over(number, fault);
        }
    }
    Ok(contents)
}

/// Whether a file that begins like this is one of ours, whole or damaged.
pub(super) fn is_ours(head: &[u8]) -> bool {
    memmem::find(head, VERSION_MEMBER.as_bytes()).is_some()
}

impl Contents {
    fn add(&mut self, entry: Value) -> Result<(), EntryFault> {
        let (issuer, entry) = Entry::from_json(entry)?.check()?;
        if self.entries.contains_key(&issuer) {
            return Err(EntryFault::Repeated);
        }
        self.entries.insert(issuer, entry);
        Ok(())
    }

    fn pass_over(&mut self, number: usize, fault: EntryFault) {
        match &mut self.ignored {
            Some(ignored) => ignored.more += 1,
            None => self.ignored = Some(Ignored { first: (number, fault), more: 0 }),
        }
    }
}
