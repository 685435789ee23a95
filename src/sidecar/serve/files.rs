//! The file of rules, and how files are read that are looked at again.

use std::fs::File;
use std::io::Read as _;
use std::mem;
use std::path::{Path, PathBuf};

use crate::env::{Source, variables};
use crate::sidecar::rules::{RuleFault, Rules};

/// Larger files are refused. Bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where the rules are.
pub(super) struct RulesFile {
    path: PathBuf,
    /// Whether the variables say which clients are our own.
    tells_parties: bool,
    loaded: String,
}

impl RulesFile {
    pub(super) fn new(path: PathBuf, tells_parties: bool) -> Self {
        Self { path, tells_parties, loaded: String::new() }
    }

    /// The text that the rules in use at the start were made of, once.
    pub(super) fn take_loaded(&mut self) -> String {
        mem::take(&mut self.loaded)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// # Errors
    /// Why it cannot be read.
    pub(super) fn read(&self) -> Result<String, String> {
        read(&self.path)
    }

    /// # Errors
    /// Every fault, in the order of lines.
    pub(super) fn parse(&self, text: &str) -> Result<Rules, Vec<RuleFault>> {
        let rules = Rules::parse(text)?;
        if self.tells_parties { Ok(rules) } else { rules.without_parties() }
    }

    /// The rules; everything that is wrong with them, by their lines, goes to `source`.
    pub(super) fn load(&mut self, source: &mut Source) -> Rules {
        let mut fault = |problem| source.fault(variables::RULES, problem);
        match self.read() {
            Ok(text) => {
                let parsed = self.parse(&text);
                self.loaded = text;
                match parsed {
                    Ok(rules) => return rules,
                    Err(wrong) => wrong
                        .iter()
                        .for_each(|one| fault(format!("{}: {one}", self.path.display()))),
                }
            }
            Err(problem) => fault(problem),
        }
        Rules::none()
    }
}

/// A whole file.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(length) if u64::try_from(length).is_ok_and(|length| length <= MAX_BYTES) => Ok(text),
        Ok(_) => Err(format!("{path:?} is larger than {MAX_BYTES} bytes")),
        Err(error) => Err(format!("cannot read {path:?}: {error}")),
    }
}

/// For people.
pub(super) fn describe(rules: &Rules) -> String {
    match rules.len() {
        1 => "one rule".to_owned(),
        count => format!("{count} rules"),
    }
}
