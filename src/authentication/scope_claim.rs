//! Which scope a token grants: `scope`, `scp`, `permissions`, as a string or an array.

use std::sync::Arc;

use crate::jose::json::{Json, Members};
use crate::rejection_kind::RejectionKind;
use crate::scope::{GrantRules, GrantedScopes};

/// The first of the configured claims that is there.
pub(super) fn find<'a, 'b>(token: &'a Members<'b>, names: &[Box<str>]) -> Option<&'a Json<'b>> {
    names.iter().find_map(|name| token.get(name))
}

/// A missing claim grants nothing; one of another type makes the token malformed.
pub(super) fn read(
    claim: Option<&Json<'_>>,
    arrays: bool,
    rules: &Arc<GrantRules>,
) -> Result<GrantedScopes, RejectionKind> {
    let granted = match claim {
        None => GrantedScopes::from_text("", rules),
        Some(Json::String(text)) => GrantedScopes::from_text(text, rules),
        Some(Json::Array(items)) if arrays => {
            let items: Option<Vec<_>> = items.iter().map(Json::as_str).collect();
            GrantedScopes::from_items(items.ok_or(RejectionKind::MalformedClaim)?, rules)
        }
        Some(_) => return Err(RejectionKind::MalformedClaim),
    };
    granted.map_err(|_| RejectionKind::MalformedClaim)
}
