//! Which scope a token grants: `scope`, `scp`, `permissions`, as a string or an array.

use std::sync::Arc;

use serde_json::Value;

use crate::jose::json::Object;
use crate::rejection_kind::RejectionKind;
use crate::scope::{GrantRules, GrantedScopes};

/// The first of the configured claims that is there.
pub(super) fn find<'a>(token: &'a Object, names: &[Box<str>]) -> Option<&'a Value> {
    names.iter().find_map(|name| token.get(&**name))
}

/// A missing claim grants nothing; one of another type makes the token malformed.
pub(super) fn read(
    claim: Option<&Value>,
    arrays: bool,
    rules: &Arc<GrantRules>,
) -> Result<GrantedScopes, RejectionKind> {
    let granted = match claim {
        None => GrantedScopes::from_text("", rules),
        Some(Value::String(text)) => GrantedScopes::from_text(text, rules),
        Some(Value::Array(items)) if arrays => {
            let items: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            GrantedScopes::from_items(items.ok_or(RejectionKind::MalformedClaim)?, rules)
        }
        Some(_) => return Err(RejectionKind::MalformedClaim),
    };
    granted.map_err(|_| RejectionKind::MalformedClaim)
}
