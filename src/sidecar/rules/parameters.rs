//! What a request says, by name: parameters of its path and of its host.

use super::path_pattern::PathPattern;
use crate::authorization::HostPattern;
use crate::env::nearest;

/// The names of a rule's parameters: those of its path, then those of its host.
pub(super) struct Parameters {
    names: Vec<String>,
    /// The place of the one that is the rest of the path.
    rest: Option<usize>,
    has_host: bool,
}

impl Parameters {
    /// Without those of a host.
    pub(super) fn of_path(path: &PathPattern) -> Self {
        Self { names: path.names().to_vec(), rest: path.rest(), has_host: false }
    }

    /// # Errors
    /// The name that path and host have both.
    pub(super) fn new(path: &PathPattern, host: Option<&HostPattern>) -> Result<Self, String> {
        let Self { mut names, rest, .. } = Self::of_path(path);
        for name in host.into_iter().flat_map(HostPattern::names) {
            if names.iter().any(|known| known == name) {
                return Err(format!("has the parameter {{{name}}}, and so has the path"));
            }
            names.push(name.to_owned());
        }
        Ok(Self { names, rest, has_host: host.is_some() })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn rest(&self) -> Option<usize> {
        self.rest
    }

    /// # Errors
    /// That there is none, for the author of the name.
    pub(super) fn place(&self, name: &str) -> Result<usize, String> {
        let place = self.names.iter().position(|known| known == name);
        place.ok_or_else(|| {
            let owner = if self.has_host {
                "which neither path nor host has"
            } else {
                "which the path has not"
            };
            match nearest(name, &self.names) {
                Some(near) => format!("has {{{name}}}, {owner}; did you mean {{{near}}}?"),
                None => format!("has {{{name}}}, {owner}"),
            }
        })
    }
}
