//! What is wrong with a rules file.

use std::fmt;
use std::ops::Range;

/// One fault. `Display` is one line: where it is, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sidecar) struct RuleFault {
    line: usize,
    /// Counted from one; `None` where the fault is in no rule.
    rule: Option<usize>,
    message: String,
}

impl RuleFault {
    pub(super) fn new(line: usize, rule: Option<usize>, message: impl Into<String>) -> Self {
        Self { line, rule, message: message.into() }
    }

    /// Counted from one.
    pub(in crate::sidecar) fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if let Some(rule) = self.rule {
            write!(f, "rule {rule}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for RuleFault {}

/// Collects the faults of a text.
pub(super) struct Faults<'t> {
    text: &'t str,
    rule: Option<usize>,
    found: Vec<RuleFault>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, rule: None, found: Vec::new() }
    }

    /// What follows is about this rule.
    pub(super) fn enter(&mut self, rule: usize) {
        self.rule = Some(rule);
    }

    /// The line on which something begins.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        1 + memchr::memchr_iter(b'\n', before).count()
    }

    pub(super) fn add(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.found.push(RuleFault::new(self.line(span), self.rule, message));
    }

    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// In the order of lines; with none at all, `value`.
    pub(super) fn or<T>(mut self, value: T) -> Result<T, Vec<RuleFault>> {
        self.found.sort_by_key(RuleFault::line);
        if self.found.is_empty() { Ok(value) } else { Err(self.found) }
    }
}
