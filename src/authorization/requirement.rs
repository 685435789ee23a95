//! What a request has to bring.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Uri};

use super::fact::Fact;
use super::tenant::TenantRule;
use crate::access_token::AccessToken;
use crate::scope::{InvalidScope, MAX_PATTERNS, Scope, ScopePattern, parse_all, split_config_list};

/// What a token has to grant, and who has to present it, for a request to pass.
///
/// ```
/// use portcullis::{Requirement, any_of, scope, scope_pattern, users};
///
/// let write = scope("orders.write").and(scope_pattern("tenant.*").challenge_scope("tenant.any"));
/// let either = any_of([scope("orders.admin"), write]);
/// let people_only: Requirement = users().and(either);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a requirement protects nothing until a layer enforces it"]
pub struct Requirement(pub(super) Node);

#[derive(Debug, Clone)]
pub(super) enum Node {
    Scope(Scope),
    Pattern(ScopePattern),
    Fact(Fact),
    Tenant(TenantRule),
    /// One of these ways to log in, in order of preference.
    Acr(Box<[Box<str>]>),
    /// Seconds since the login, at most.
    MaxAge(u64),
    Policy(Policy),
    AllOf(Vec<Node>),
    AnyOf(Vec<Node>),
    /// In challenges, `scopes` take the place of the patterns in `node`.
    StandIn {
        node: Box<Node>,
        scopes: Vec<Scope>,
    },
}

#[derive(Clone)]
pub(super) struct Policy(pub(super) Arc<dyn Fn(&AccessToken) -> bool + Send + Sync>);

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("policy")
    }
}

/// Requires one scope, taken literally: `*` is a character like any other.
///
/// Takes a literal of the program's text. Text that is known at run time goes through
/// [`Scope::new`] and `Requirement::from`.
///
/// ```
/// use portcullis::{Requirement, Scope, scope};
///
/// let read = scope("orders.read");
/// let tenant = Requirement::from(Scope::new(&format!("tenant.{}", 7))?);
/// # Ok::<(), portcullis::InvalidScope>(())
/// ```
///
/// # Panics
/// When the text is no scope element (RFC 6749 §3.3) or is longer than 256 bytes.
#[track_caller]
pub fn scope(text: &'static str) -> Requirement {
    must(text, Scope::new(text)).into()
}

/// Requires any one scope that matches the pattern, in which `*` stands for any run of characters.
///
/// Takes a literal of the program's text. Text that is known at run time goes through
/// [`ScopePattern::new`] and `Requirement::from`.
///
/// ```
/// use portcullis::scope_pattern;
///
/// let push = scope_pattern("push.*").challenge_scope("push.send");
/// ```
///
/// # Panics
/// When the text holds a character that no scope element may hold (RFC 6749 §3.3), is empty, or
/// is longer than 256 bytes.
#[track_caller]
pub fn scope_pattern(text: &'static str) -> Requirement {
    must(text, ScopePattern::new(text)).into()
}

/// Requires whatever `allows` decides. It may be asked more than once for a
/// request, so it should answer from the token alone; a token that it
/// refuses gets 403 without `error`, for more scope would not help.
///
/// ```
/// use portcullis::policy;
///
/// let acme = policy(|token| {
///     token.claim::<String>("tnt_id").is_ok_and(|tenant| tenant.as_deref() == Some("acme"))
/// });
/// ```
pub fn policy(allows: impl Fn(&AccessToken) -> bool + Send + Sync + 'static) -> Requirement {
    Requirement(Node::Policy(Policy(Arc::new(allows))))
}

/// Requires all of these. Nothing at all is [`Requirement::none`].
pub fn all_of(requirements: impl IntoIterator<Item = impl Into<Requirement>>) -> Requirement {
    requirements.into_iter().fold(Requirement::none(), Requirement::and)
}

/// Requires at least one of these. No alternative at all can never be satisfied.
pub fn any_of(requirements: impl IntoIterator<Item = impl Into<Requirement>>) -> Requirement {
    requirements.into_iter().fold(Requirement(Node::AnyOf(Vec::new())), Requirement::or)
}

impl Requirement {
    /// Requires nothing but a verified token.
    pub fn none() -> Self {
        Self(Node::AllOf(Vec::new()))
    }

    /// Requires this and `other`.
    pub fn and(self, other: impl Into<Self>) -> Self {
        let (mut nodes, other) = match (self.0, other.into().0) {
            (Node::AllOf(nodes), other) => (nodes, other),
            (node, other) => (vec![node], other),
        };
        match other {
            Node::AllOf(others) => nodes.extend(others),
            other => nodes.push(other),
        }
        Self(Node::AllOf(nodes))
    }

    /// Requires this or `other`, or both.
    pub fn or(self, other: impl Into<Self>) -> Self {
        let (mut nodes, other) = match (self.0, other.into().0) {
            (Node::AnyOf(nodes), other) => (nodes, other),
            (node, other) => (vec![node], other),
        };
        match other {
            Node::AnyOf(others) => nodes.extend(others),
            other => nodes.push(other),
        }
        Self(Node::AnyOf(nodes))
    }

    /// Whether what it asks for depends on the path or host of a request.
    pub(crate) fn depends_on_request(&self) -> bool {
        self.0.any(&mut |node| matches!(node, Node::Tenant(rule) if rule.depends_on_request()))
    }

    /// The requirement for one request.
    pub(crate) fn of(&self, headers: &HeaderMap, uri: &Uri) -> Self {
        Self(self.0.of(headers, uri))
    }

    /// Requires all elements of a configured list, where `*` inside an element is a pattern.
    ///
    /// # Errors
    /// Every element that is neither scope nor pattern, and a list of more than 64 patterns.
    #[cfg_attr(not(feature = "env"), allow(dead_code, reason = "only variables hold such lists"))]
    pub(crate) fn from_config(text: &str) -> Result<Self, Vec<InvalidScope>> {
        Self::list(split_config_list(text)).map(all_of)
    }

    /// One requirement for each element, where `*` inside an element is a pattern.
    ///
    /// # Errors
    /// As [`Requirement::from_config`].
    #[cfg_attr(not(feature = "env"), allow(dead_code, reason = "only variables hold such lists"))]
    pub(crate) fn list<'a>(
        elements: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Self>, Vec<InvalidScope>> {
        let parsed = parse_all(elements, |text| ScopePattern::new(text).map(Self::from))?;
        let patterns = parsed.iter().filter(|one| matches!(one.0, Node::Pattern(_))).count();
        if patterns > MAX_PATTERNS {
            return Err(vec![InvalidScope::too_many(patterns)]);
        }
        Ok(parsed)
    }
}

impl Node {
    fn any(&self, is_it: &mut impl FnMut(&Self) -> bool) -> bool {
        is_it(self)
            || match self {
                Self::AllOf(nodes) | Self::AnyOf(nodes) => nodes.iter().any(|node| node.any(is_it)),
                Self::StandIn { node, .. } => node.any(is_it),
                _ => false,
            }
    }

    fn of(&self, headers: &HeaderMap, uri: &Uri) -> Self {
        let each = |nodes: &[Self]| nodes.iter().map(|node| node.of(headers, uri)).collect();
        match self {
            Self::Tenant(rule) => Self::Tenant(rule.of(headers, uri)),
            Self::AllOf(nodes) => Self::AllOf(each(nodes)),
            Self::AnyOf(nodes) => Self::AnyOf(each(nodes)),
            Self::StandIn { node, scopes } => {
                Self::StandIn { node: Box::new(node.of(headers, uri)), scopes: scopes.clone() }
            }
            node => node.clone(),
        }
    }
}

impl Default for Requirement {
    fn default() -> Self {
        Self::none()
    }
}

impl From<Scope> for Requirement {
    fn from(scope: Scope) -> Self {
        Self(Node::Scope(scope))
    }
}

impl From<ScopePattern> for Requirement {
    /// A pattern without `*` is the scope of the same text, and is advertised as such.
    fn from(pattern: ScopePattern) -> Self {
        Self(match pattern.into_literal() {
            Ok(scope) => Node::Scope(scope),
            Err(pattern) => Node::Pattern(pattern),
        })
    }
}

/// The way out for literals: nobody can be served by a program whose own text is wrong.
#[track_caller]
#[expect(clippy::panic, reason = "a mistake in the program's text, found where it is written")]
pub(super) fn must<T, E: fmt::Display>(text: &'static str, parsed: Result<T, E>) -> T {
    match parsed {
        Ok(parsed) => parsed,
        Err(error) => panic!("{text:?}: {error}"),
    }
}
