//! The file of rules.

use std::fs;
use std::path::PathBuf;

use crate::config_error::{ConfigError, Faults};
use crate::env::variables;
use crate::sidecar::rules::Rules;

/// Where the rules are.
pub(super) struct RulesFile(PathBuf);

impl RulesFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// # Errors
    /// Why it cannot be read.
    pub(super) fn read(&self) -> Result<String, String> {
        fs::read_to_string(&self.0).map_err(|error| format!("cannot read {:?}: {error}", self.0))
    }

    /// # Errors
    /// Everything that is wrong with it, by its lines.
    pub(super) fn load(&self) -> Result<Rules, ConfigError> {
        let mut faults = Faults::default();
        let rules = match self.read() {
            Ok(text) => Rules::parse(&text).map_err(|wrong| {
                for fault in wrong {
                    faults.add(variables::RULES, format!("{}: {fault}", self.0.display()));
                }
            }),
            Err(problem) => {
                faults.add(variables::RULES, problem);
                Err(())
            }
        };
        faults.or(rules.unwrap_or_else(|()| Rules::none()))
    }
}

/// For people.
pub(super) fn describe(rules: &Rules) -> String {
    match rules.len() {
        1 => "one rule".to_owned(),
        count => format!("{count} rules"),
    }
}
