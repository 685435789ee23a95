//! Who is calling, for the service: fields made of claims.

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::field_class::FieldClasses;
use super::settings::ClaimHeader;
use crate::access_token::AccessToken;

/// Which claim goes where.
pub(super) struct IdentityFields {
    fields: Vec<(HeaderName, Claim)>,
    classes: FieldClasses,
}

/// What is said of a token. The first four are known without reading its claims again, and as the
/// engine understands them.
enum Claim {
    Subject,
    ClientId,
    Issuer,
    /// What counts, within the ceiling.
    Scope,
    Other(String),
}

impl IdentityFields {
    pub(super) fn new(configured: &[ClaimHeader]) -> Self {
        let source = |claim: &str| match claim {
            "sub" => Claim::Subject,
            "client_id" => Claim::ClientId,
            "iss" => Claim::Issuer,
            "scope" => Claim::Scope,
            other => Claim::Other(other.to_owned()),
        };
        let fields = configured.iter().map(|one| (one.header.clone(), source(&one.claim)));
        let classes = configured.iter().map(|one| &one.header).collect();
        Self { fields: fields.collect(), classes }
    }

    /// All of them, with what the token says. A claim that is absent, or cannot stand in a field,
    /// says nothing; whatever the client sent under that name has to go all the same.
    pub(super) fn of<'a>(
        &'a self,
        token: &'a AccessToken,
    ) -> impl Iterator<Item = (&'a HeaderName, Option<HeaderValue>)> {
        self.fields.iter().map(|(name, claim)| (name, value(claim, token)))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.fields.iter().map(|(name, _)| name)
    }

    /// Whether some server takes a field for one of these.
    pub(super) fn hold(&self, name: &HeaderName) -> bool {
        self.classes.hold(name)
    }
}

fn value(claim: &Claim, token: &AccessToken) -> Option<HeaderValue> {
    match claim {
        Claim::Subject => text(token.subject().id()?),
        Claim::ClientId => text(token.client_id()?),
        Claim::Issuer => text(token.issuer()),
        Claim::Scope => text(&token.granted().counting()),
        Claim::Other(name) => match token.claim::<Value>(name).ok()?? {
            Value::Null => None,
            Value::String(value) => text(&value),
            // What is in a list must not look like two: so as JSON, in ASCII.
            other => text(&ascii_json(&other)),
        },
    }
}

/// UTF-8 as it is; what holds control characters, nothing, and spaces at an end, which are lost on
/// the way, is no value of a field.
fn text(value: &str) -> Option<HeaderValue> {
    if value.is_empty() || value.trim_matches([' ', '\t']) != value {
        return None;
    }
    HeaderValue::from_str(value).or_else(|_| HeaderValue::from_bytes(value.as_bytes())).ok()
}

fn ascii_json(value: &Value) -> String {
    let mut ascii = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() {
            ascii.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            ascii.push_str(&format!("\\u{unit:04x}"));
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_stand_in_a_field_does() {
        assert_eq!(text("u1").unwrap(), "u1");
        assert_eq!(text("Zoë Ärger").unwrap().as_bytes(), "Zoë Ärger".as_bytes());
        for bad in ["", " u1", "u1 ", "\tu1", "u\n1", "u\r1", "u\0", "u\u{7f}"] {
            assert_eq!(text(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn lists_are_json_in_ascii() {
        let value: Value = serde_json::json!(["a b", "ö", "𝄞", 1, true, {"x": null}]);
        let json = ascii_json(&value);
        assert_eq!(json, r#"["a b","\u00f6","\ud834\udd1e",1,true,{"x":null}]"#);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
    }
}
