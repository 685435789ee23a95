//! The rules at work: from a request to what it needs.

use http::Method;

use super::Rule;
use super::methods::Methods;
use super::needs::Needs;
use super::path_pattern::PathPattern;
use crate::resource_server::{Gate, ResourceServer};
use crate::sidecar::path::decoded;

/// The rules bound to a resource server. Never changed: a new file makes new ones.
pub(in crate::sidecar) struct Routes {
    entries: Vec<Entry>,
    /// For requests that no rule covers.
    otherwise: Gate,
}

struct Entry {
    path: PathPattern,
    methods: Methods,
    made: Made,
}

enum Made {
    Public,
    /// One gate for all requests.
    Once(Gate),
    /// Each request has its own, as the parameters of its path are part of it.
    EachTime(Needs),
}

/// What one request needs.
pub(in crate::sidecar) struct Route<'a> {
    /// The number of the rule that counts, from one; `None` where no rule covers the request.
    pub(in crate::sidecar) rule: Option<usize>,
    pub(in crate::sidecar) access: Access<'a>,
}

pub(in crate::sidecar) enum Access<'a> {
    /// Everybody may pass; no token is looked at.
    Public,
    Gate(&'a Gate),
    /// A gate for this request alone.
    Made(Box<Gate>),
}

impl Access<'_> {
    /// `None` where everybody may pass.
    pub(in crate::sidecar) fn gate(&self) -> Option<&Gate> {
        match self {
            Self::Public => None,
            Self::Gate(gate) => Some(gate),
            Self::Made(gate) => Some(gate),
        }
    }
}

impl Routes {
    pub(super) fn new(rules: Vec<Rule>, server: &ResourceServer) -> Self {
        let entry = |Rule { path, methods, needs, .. }| {
            let made = match needs {
                None => Made::Public,
                Some(needs) if needs.are_fixed() => {
                    Made::Once(Gate::new(server, needs.requirement(&[]), false))
                }
                Some(needs) => Made::EachTime(needs),
            };
            Entry { path, methods, made }
        };
        let entries = rules.into_iter().map(entry).collect();
        Self { entries, otherwise: Gate::plain(server) }
    }

    /// Whether there is any rule, so that it matters how paths are read.
    pub(in crate::sidecar) fn exist(&self) -> bool {
        !self.entries.is_empty()
    }

    /// What a request needs. The path is [canonical](crate::sidecar::path::canonical).
    pub(in crate::sidecar) fn route(&self, method: &Method, canonical: &str) -> Route<'_> {
        let path = decoded(canonical);
        let covers = |entry: &Entry| entry.methods.cover(method) && entry.path.matches(&path);
        let Some((rule, entry)) = (1..).zip(&self.entries).find(|(_, entry)| covers(entry)) else {
            return Route { rule: None, access: Access::Gate(&self.otherwise) };
        };
        let access = match &entry.made {
            Made::Public => Access::Public,
            Made::Once(gate) => Access::Gate(gate),
            Made::EachTime(needs) => {
                let requirement = needs.requirement(&entry.path.values(&path));
                Access::Made(Box::new(Gate::for_one(self.otherwise.server(), requirement)))
            }
        };
        Route { rule: Some(rule), access }
    }
}
