//! A pattern over scope elements.

use std::fmt;
use std::str::FromStr;

use super::element::{InvalidScope, Scope, check};
use super::wildcard;

/// A pattern over scope elements: each `*` stands for any run of characters, the empty one
/// included, anywhere and as often as you like. At most 256 bytes long.
///
/// Everything else means itself: matching is byte by byte, sees upper and lower case, is anchored
/// at both ends, knows no escape, and `*` crosses `.`, `:` and `/`. It takes linear time.
///
/// ```
/// use portcullis::ScopePattern;
///
/// let pattern = ScopePattern::new("push.application.*")?;
/// assert!(pattern.matches("push.application.com.example"));
/// assert!(!pattern.matches("push.application"));
/// # Ok::<(), portcullis::InvalidScope>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScopePattern(Box<str>);

impl ScopePattern {
    /// A pattern with this text. Without a `*` it matches the element of the same text alone.
    ///
    /// # Errors
    /// When the text is empty, longer than 256 bytes, or holds anything but printable US-ASCII
    /// without space, `"` and `\` (RFC 6749 §3.3).
    pub fn new(text: &str) -> Result<Self, InvalidScope> {
        check(text)?;
        Ok(Self(text.into()))
    }

    /// Whether the pattern matches the scope element `candidate`, in which `*` is an ordinary
    /// character.
    pub fn matches(&self, candidate: &str) -> bool {
        wildcard::matches(&self.0, candidate)
    }

    /// Whether some scope element is matched by both patterns.
    pub fn overlaps(&self, other: &Self) -> bool {
        wildcard::overlap(&self.0, &other.0)
    }

    /// Whether this pattern includes everything that `other` names, the stars of `other` read as
    /// ordinary characters.
    pub fn covers(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }

    /// Whether the pattern has no `*`, so that it matches its own text alone.
    pub fn is_literal(&self) -> bool {
        !self.0.contains('*')
    }

    /// The scope that a pattern without `*` amounts to, else the pattern itself.
    pub(crate) fn into_literal(self) -> Result<Scope, Self> {
        if self.is_literal() { Ok(Scope::checked(self.0)) } else { Err(self) }
    }

    /// The pattern's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ScopePattern {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        Self::new(text)
    }
}
