//! What decides whether valid JSON is welcome, found out without the code under test.

use serde_json::Value;

pub struct JsonFacts {
    pub is_object: bool,
    pub has_duplicates: bool,
    /// Of arrays and objects within one another.
    pub depth: usize,
}

impl JsonFacts {
    const DEEPEST: usize = 16;

    /// `value` is what serde_json makes of `text`.
    pub fn of(text: &[u8], value: &Value) -> Self {
        Self {
            is_object: value.is_object(),
            // Of members with one name only the last is left.
            has_duplicates: members(value) < colons(text),
            depth: depth(value),
        }
    }

    pub fn fits_as_document(&self) -> bool {
        self.is_object && self.fits_below(0)
    }

    /// Whether it fits where it is this far down in another object.
    pub fn fits_below(&self, levels: usize) -> bool {
        !self.has_duplicates && self.depth + levels <= Self::DEEPEST
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(object) => object.values().map(|value| 1 + members(value)).sum(),
        _ => 0,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Colons outside of strings: one for each member as it was written.
fn colons(text: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}
