//! Doors for fuzz targets, see `crate::internals`.

use http::Method;

use super::{path, rules};
use crate::resource_server::ResourceServer;

pub(crate) fn canonical_path(text: &str) -> Option<String> {
    path::canonical(text).ok().map(std::borrow::Cow::into_owned)
}

pub(crate) fn decoded_path(canonical: &str) -> String {
    path::decoded(canonical).into_owned()
}

/// The number of the rule that a request comes under, or what is wrong with the rules, a line each.
pub(crate) fn rule_of(
    rules: &str,
    server: &ResourceServer,
    method: &Method,
    canonical: &str,
) -> Result<Option<usize>, Vec<String>> {
    let rules = rules::Rules::parse(rules)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    for warning in rules.warnings() {
        debug_assert_eq!(warning.lines().count(), 1);
    }
    Ok(rules.compile(server).route(method, canonical, "").rule)
}
