//! What is printed: headings, aligned rows below them, warnings, and how it ends.

use std::fmt;

/// Of the names of rows.
const WIDTH: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    warnings: Vec<String>,
    conclusion: String,
}

impl Page {
    pub(super) fn heading(&mut self, heading: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(heading);
        self.text.push('\n');
    }

    pub(super) fn row(&mut self, name: &str, value: &str) {
        self.text.push_str(&format!("  {name:WIDTH$}  {value}\n"));
    }

    /// Something that is not wrong and may not be meant.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    pub(super) fn conclude(&mut self, conclusion: &str) {
        self.conclusion = conclusion.to_owned();
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        if !self.warnings.is_empty() {
            writeln!(f, "Warnings")?;
            for warning in &self.warnings {
                writeln!(f, "  {warning}")?;
            }
            writeln!(f)?;
        }
        f.write_str(&self.conclusion)
    }
}
