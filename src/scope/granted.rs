//! What a token grants.

use std::fmt;
use std::sync::Arc;

use super::element::{MAX_BYTES, is_element};
use super::wildcard::{self, Cut};
use super::{Ceiling, Hierarchy, Scope, ScopePattern};

/// The most scope that a token may carry; the rest of it is then not worth reading.
const MAX_TOKEN_BYTES: usize = 8192;
const MAX_TOKEN_ELEMENTS: usize = 256;

/// How the scopes of one issuer's tokens are read. Written by the operator, shared by the tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct GrantRules {
    pub(crate) wildcards: Wildcards,
    pub(crate) ceiling: Option<Ceiling>,
    pub(crate) hierarchy: Hierarchy,
}

/// What `*` means in a token's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Wildcards {
    /// A character like any other.
    #[default]
    Off,
    /// A granted pattern stands for all that it matches. A required pattern asks for any of it.
    Overlap,
    /// A granted pattern stands for all that it matches. A required pattern asks for everything
    /// that it names.
    Cover,
}

impl GrantRules {
    fn allow(&self, element: &str) -> bool {
        self.ceiling.as_ref().is_none_or(|ceiling| ceiling.covers(element))
    }

    fn allow_some(&self, patterns: &[&str]) -> bool {
        self.ceiling.as_ref().is_none_or(|ceiling| ceiling.reaches(patterns))
    }
}

/// The scope elements that a token grants, and its issuer's rules for reading them.
#[derive(Clone, Default)]
pub(crate) struct GrantedScopes {
    /// The elements, with one space between.
    text: Box<str>,
    rules: Arc<GrantRules>,
}

/// More than 8192 bytes or 256 elements of scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuchScope;

impl GrantedScopes {
    /// From the text of a `scope` claim (RFC 8693 §4.2), split at spaces. What is no scope
    /// element grants nothing.
    ///
    /// # Errors
    /// More than 8192 bytes or 256 elements, those that grant nothing included.
    pub(crate) fn from_text(text: &str, rules: &Arc<GrantRules>) -> Result<Self, TooMuchScope> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(TooMuchScope);
        }
        if is_tidy(text) {
            return Ok(Self { text: text.into(), rules: Arc::clone(rules) });
        }
        Self::from_items(text.split(' ').filter(|element| !element.is_empty()), rules)
    }

    /// From the items of an array, each of them one element. An item with a space in it is none.
    ///
    /// # Errors
    /// As [`GrantedScopes::from_text`].
    pub(crate) fn from_items<'a>(
        items: impl IntoIterator<Item = &'a str>,
        rules: &Arc<GrantRules>,
    ) -> Result<Self, TooMuchScope> {
        let (mut elements, mut bytes) = (0, 0);
        let mut text = String::new();
        for item in items {
            elements += 1;
            bytes += item.len();
            if elements > MAX_TOKEN_ELEMENTS || bytes > MAX_TOKEN_BYTES {
                return Err(TooMuchScope);
            }
            if is_element(item.as_bytes()) {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(item);
            }
        }
        Ok(Self { text: text.into(), rules: Arc::clone(rules) })
    }

    /// What they take in memory besides themselves.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The granted elements as the token spells them, in its order; nothing implied.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator(' ')
    }

    /// The granted elements of which nothing counts, because of the ceiling.
    #[cfg(feature = "sidecar")]
    pub(crate) fn beyond_ceiling(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|element| match self.is_pattern(element) {
            true => !self.rules.allow_some(&[element]),
            false => !self.rules.allow(element),
        })
    }

    /// The granted elements that count, with one space between: those that the ceiling covers.
    #[cfg(feature = "sidecar")]
    pub(crate) fn counting(&self) -> std::borrow::Cow<'_, str> {
        use std::borrow::Cow;
        if self.rules.ceiling.is_none() {
            return Cow::Borrowed(&self.text);
        }
        let counting: Vec<&str> = self.iter().filter(|element| self.rules.allow(element)).collect();
        Cow::Owned(counting.join(" "))
    }

    /// Whether the token grants this scope, within the ceiling.
    pub(crate) fn grants(&self, required: &Scope) -> bool {
        self.counts_as(required.as_str())
    }

    /// Whether the token grants what this pattern asks for, within the ceiling.
    pub(crate) fn grants_any(&self, required: &ScopePattern) -> bool {
        match self.rules.wildcards {
            Wildcards::Cover => self.counts_as(required.as_str()),
            Wildcards::Off | Wildcards::Overlap => {
                let cut = Cut::of(required.as_str());
                self.iter().any(|granted| self.counts_towards(granted, required, cut))
                    || self.implies(|scope| required.matches(scope) && self.rules.allow(scope))
            }
        }
    }

    /// Whether some other token of this issuer could grant this scope: the ceiling allows it.
    pub(crate) fn could_grant(&self, required: &Scope) -> bool {
        self.rules.allow(required.as_str())
    }

    /// Whether some other token of this issuer could grant what this pattern asks for.
    pub(crate) fn could_grant_any(&self, required: &ScopePattern) -> bool {
        match self.rules.wildcards {
            Wildcards::Cover => self.rules.allow(required.as_str()),
            Wildcards::Off | Wildcards::Overlap => self.rules.allow_some(&[required.as_str()]),
        }
    }

    fn counts_as(&self, required: &str) -> bool {
        self.rules.allow(required)
            && (self.names(required) || self.implies(|scope| scope == required))
    }

    /// Whether one granted element overlaps a required pattern, and both the ceiling.
    fn counts_towards(&self, granted: &str, required: &ScopePattern, cut: Cut<'_>) -> bool {
        if self.is_pattern(granted) {
            wildcard::overlap(granted, required.as_str())
                && self.rules.allow_some(&[granted, required.as_str()])
        } else {
            cut.matches(granted) && self.rules.allow(granted)
        }
    }

    /// Whether an element of the token names this one, be it as a pattern.
    fn names(&self, element: &str) -> bool {
        self.iter().any(|granted| {
            granted == element || (self.is_pattern(granted) && wildcard::matches(granted, element))
        })
    }

    /// Whether such a scope follows from the granted elements by the hierarchy. What lies outside
    /// the ceiling counts for nothing, so nothing follows from it.
    fn implies(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.rules
            .hierarchy
            .iter()
            .any(|(wider, implied)| wanted(implied) && self.rules.allow(wider) && self.names(wider))
    }

    fn is_pattern(&self, granted: &str) -> bool {
        self.rules.wildcards != Wildcards::Off
            && granted.len() <= MAX_BYTES
            && granted.contains('*')
    }
}

/// Whether a claim is kept as it stands: not too many elements, one space between.
fn is_tidy(text: &str) -> bool {
    let mut elements = 0;
    let all_are = text.as_bytes().split(|byte| *byte == b' ').all(|element| {
        elements += 1;
        is_element(element)
    });
    all_are && elements <= MAX_TOKEN_ELEMENTS
}

impl fmt::Debug for GrantedScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The elements are claim values, which no Debug shows.
        f.debug_struct("GrantedScopes").field("elements", &self.iter().count()).finish()
    }
}
