//! The ceiling: the most that an issuer's tokens may count for.

use super::element::MAX_PATTERNS;
use super::{InvalidScope, ScopePattern, parse_all, split_config_list, wildcard};

/// Allowed patterns. What none of them matches counts as not granted, so an empty ceiling lets
/// nothing count.
#[derive(Debug, Clone)]
pub(crate) struct Ceiling(Box<[ScopePattern]>);

impl Ceiling {
    /// The ceiling that a configured text describes.
    ///
    /// # Errors
    /// Every element that is no pattern, and a list of more than 64.
    pub(crate) fn from_config(text: &str) -> Result<Self, Vec<InvalidScope>> {
        Self::from_list(split_config_list(text))
    }

    /// As [`Ceiling::from_config`], from elements that are apart already.
    pub(crate) fn from_list<'a>(
        elements: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Vec<InvalidScope>> {
        let patterns = parse_all(elements, ScopePattern::new)?;
        if patterns.len() > MAX_PATTERNS {
            return Err(vec![InvalidScope::too_many(patterns.len())]);
        }
        Ok(Self(patterns.into()))
    }

    /// Whether this element may count. Stars in it are ordinary characters, so of a pattern's
    /// text it tells whether all that the pattern names may count.
    pub(crate) fn covers(&self, element: &str) -> bool {
        self.0.iter().any(|allowed| allowed.matches(element))
    }

    /// Whether anything may count that is matched by all of `patterns`, which overlap already.
    pub(super) fn reaches(&self, patterns: &[&str]) -> bool {
        self.0.iter().any(|allowed| {
            patterns.iter().all(|pattern| wildcard::overlap(allowed.as_str(), pattern))
        })
    }
}
