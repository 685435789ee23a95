//! The rules at work: from a request to what it needs.

use http::Method;

use super::{Needs, Rule, Ruling};
use crate::resource_server::{Gate, ResourceServer};
use crate::sidecar::path::decoded;

/// The rules bound to a resource server. Never changed: a new file makes new ones.
pub(in crate::sidecar) struct Routes {
    entries: Vec<Entry>,
    /// For requests that no rule covers.
    otherwise: Gate,
}

struct Entry {
    rule: Rule,
    /// One gate for all requests. `None` where everybody may pass, and where each request has its
    /// own, as the parameters of its path are part of it.
    once: Option<Gate>,
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

fn hide(needs: &Needs, gate: Gate) -> Gate {
    if needs.hide { gate.hidden() } else { gate }
}

impl Routes {
    pub(super) fn new(rules: Vec<Rule>, server: &ResourceServer) -> Self {
        let entry = |rule: Rule| {
            let fixed = rule.needs.as_ref().filter(|needs| needs.are_fixed());
            let gate = |needs: &Needs| Gate::new(server, needs.requirement(&[]), false);
            let once = fixed.map(|needs| hide(needs, gate(needs)));
            Entry { rule, once }
        };
        let entries = rules.into_iter().map(entry).collect();
        Self { entries, otherwise: Gate::plain(server) }
    }

    /// Whether there is any rule, so that it matters how paths are read.
    pub(in crate::sidecar) fn exist(&self) -> bool {
        !self.entries.is_empty()
    }

    /// What a request needs. The path is [canonical](crate::sidecar::path::canonical); the host is
    /// that which the request was routed by, and never one that a client may choose besides.
    pub(in crate::sidecar) fn route(
        &self,
        method: &Method,
        canonical: &str,
        host: &str,
    ) -> Route<'_> {
        let path = decoded(canonical);
        let Some((number, Entry { rule, once })) = self.find(method, &path) else {
            return Route { rule: None, access: Access::Gate(&self.otherwise) };
        };
        let access = match (once, &rule.needs) {
            (_, None) => Access::Public,
            (Some(gate), _) => Access::Gate(gate),
            (None, Some(needs)) => {
                let of_host = needs.host_values(host);
                let mut values = rule.path.values(&path);
                values.extend(of_host.iter().map(String::as_str));
                let requirement = needs.requirement(&values);
                let gate = Gate::for_one(self.otherwise.server(), requirement);
                Access::Made(Box::new(hide(needs, gate)))
            }
        };
        Route { rule: Some(number), access }
    }

    /// What there is to say about the rule that counts. The path is canonical.
    pub(in crate::sidecar) fn ruling(
        &self,
        method: &Method,
        canonical: &str,
        host: &str,
    ) -> Option<Ruling> {
        let path = decoded(canonical);
        let (number, Entry { rule, .. }) = self.find(method, &path)?;
        Some(Ruling::new(number, rule, &path, host))
    }

    /// The first entry that covers a request, and its number.
    fn find(&self, method: &Method, path: &str) -> Option<(usize, &Entry)> {
        (1..).zip(&self.entries).find(|(_, entry)| entry.rule.covers(method, path))
    }
}
