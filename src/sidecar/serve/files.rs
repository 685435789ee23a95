//! The file of rules.

use std::fs;
use std::path::PathBuf;

use crate::env::{Source, variables};
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

    /// The rules; everything that is wrong with them, by their lines, goes to `source`.
    pub(super) fn load(&self, source: &mut Source) -> Rules {
        let mut fault = |problem| source.fault(variables::RULES, problem);
        match self.read().map(|text| Rules::parse(&text)) {
            Ok(Ok(rules)) => return rules,
            Ok(Err(wrong)) => {
                wrong.iter().for_each(|one| fault(format!("{}: {one}", self.0.display())));
            }
            Err(problem) => fault(problem),
        }
        Rules::none()
    }
}

/// For people.
pub(super) fn describe(rules: &Rules) -> String {
    match rules.len() {
        1 => "one rule".to_owned(),
        count => format!("{count} rules"),
    }
}
