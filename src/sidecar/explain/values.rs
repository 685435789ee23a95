//! Values of members, as a line can hold them.

use crate::jose::json::{Json, Members};
use crate::sidecar::words::{cut, list, shown};

/// Subjects can be personal: enough of one to know it again.
const SHORT: usize = 24;

/// `name is value`, or that it is missing.
pub(super) fn member(members: &Members<'_>, name: &str) -> String {
    match members.get(name) {
        Some(value) => format!("{} is {}", shown(name), value_of(value)),
        None => format!("{} is missing", shown(name)),
    }
}

/// As [`member`], and no more than a glimpse of it.
pub(super) fn short_member(members: &Members<'_>, name: &str) -> String {
    match members.get(name) {
        Some(Json::String(text)) => format!("{name} is \"{}\"", cut(text, SHORT)),
        _ => member(members, name),
    }
}

/// Objects are not opened.
pub(super) fn value_of(value: &Json<'_>) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => shown(&number.to_string()),
        Json::String(text) => quoted(text),
        Json::Array(items) => match items.iter().map(Json::as_str).collect::<Option<Vec<_>>>() {
            Some(texts) => list(texts),
            None => "an array of other things than strings".to_owned(),
        },
        Json::Object(_) => "an object".to_owned(),
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text))
}
