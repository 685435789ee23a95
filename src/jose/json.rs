//! Strict JSON: one object, no duplicate member at any depth, bounded depth, nothing after it.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

pub(crate) type Object = Map<String, Value>;

/// Deeper nesting is refused (SPEC JWS-15): no token needs it, and depth is stack.
pub(crate) const MAX_DEPTH: usize = 16;

/// Members whose names begin like this are not read as members by serde_json: whoever reads claims
/// once more, as a type of their own, would see something else than was judged.
const RESERVED: &str = "$serde_json::private::";

/// serde_json hands numbers over as a map with this one member when any crate of the build has
/// switched on its feature `arbitrary_precision`.
const ARBITRARY_PRECISION: &str = "$serde_json::private::Number";

/// Whether it does.
static KEEPS_TEXT_OF_NUMBERS: LazyLock<bool> =
    LazyLock::new(|| "1e0".parse::<Number>().is_ok_and(|number| number.to_string() != "1.0"));

/// The text is not one strict JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAnObject;

/// Reads one JSON object (RFC 8259) from UTF-8 `bytes`.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, NotAnObject> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(|_| NotAnObject)?;
    deserializer.end().map_err(|_| NotAnObject)?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(NotAnObject),
    }
}

/// Reads a document that somebody publishes, with the members that `T` asks for.
///
/// # Errors
/// What is wrong with it, for operators, without anything of what is in it.
pub(crate) fn document<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, &'static str> {
    // serde would fill a struct from an array too, and does not look into the strings that it
    // skips.
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text in UTF-8")?;
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => {}
        Some(_) => return Err("it does not begin like a JSON object"),
        None => return Err("it is empty"),
    }
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => "a member that is needed is missing, there twice, or of another type",
        Category::Eof => "the JSON text ends before the object does",
        Category::Syntax | Category::Io => "it is not one JSON object and nothing else",
    })
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH { Err(E::custom("too deep")) } else { Ok(Self { depth }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == ARBITRARY_PRECISION && *KEEPS_TEXT_OF_NUMBERS {
                return number(&members.next_value::<String>()?);
            }
            if name.starts_with(RESERVED) {
                return Err(A::Error::custom("reserved name"));
            }
            let value = members.next_value_seed(self.deeper()?)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(Value::Object(object))
    }
}

/// A number in the text that `arbitrary_precision` kept, judged as it would be without.
fn number<E: Error>(text: &str) -> Result<Value, E> {
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(integer.into());
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Ok(integer.into());
    }
    let float: f64 = text.parse().map_err(|_| E::custom("not a number"))?;
    Strict { depth: 0 }.visit_f64(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jws_05_and_jwt_07_one_object_and_nothing_after_it() {
        assert!(object(br#" {"a":1} "#).is_ok());
        let bad: [&[u8]; 9] = [
            b"",
            b"[]",
            b"\"x\"",
            b"null",
            b"{}{}",
            b"{\"alg\":\"ES256\"}ABCD",
            b"\xEF\xBB\xBF{}",
            b"{\0}\0",
            b"{\"a\":\"\xFF\"}",
        ];
        for text in bad {
            assert_eq!(object(text), Err(NotAnObject), "{text:?}");
        }
    }

    #[test]
    fn jws_06_and_jwt_06_duplicates_are_refused_at_every_depth_and_in_every_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"alg":"none","\u0061lg":"ES256"}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":[{"a":1,"a":2}]}"#,
        ] {
            assert_eq!(object(text.as_bytes()), Err(NotAnObject), "{text}");
        }
        assert!(object(br#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).is_ok());
    }

    #[test]
    fn jws_15_depth_is_bounded() {
        let nested =
            |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(object(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(object(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(object(format!("{{\"a\":{}", "[".repeat(100_000)).as_bytes()).is_err());
    }

    #[test]
    fn jwt_07_names_that_serde_json_would_take_for_something_else_are_refused() {
        for member in [
            r#""$serde_json::private::RawValue":"{}""#,
            r#""\u0024serde_json::private::RawValue":"{}""#,
            r#""$serde_json::private::Number":1"#,
        ] {
            for text in [format!("{{{member}}}"), format!(r#"{{"a":[{{{member}}}]}}"#)] {
                assert_eq!(object(text.as_bytes()), Err(NotAnObject), "{text}");
            }
        }
        assert!(object(br#"{"$serde_json":1,"serde_json::private::RawValue":1}"#).is_ok());
    }

    #[test]
    fn jwt_05_an_object_is_no_number_whatever_its_member_is_called() {
        let text = format!(r#"{{"exp":{{"{ARBITRARY_PRECISION}":"1"}}}}"#);
        // With that feature serde_json itself cannot tell the two apart.
        let number: Value = serde_json::from_str("1e0").unwrap();
        let text_is_kept = number.to_string().as_str() != "1.0";
        assert_eq!(object(text.as_bytes()).is_ok(), text_is_kept);
    }

    #[test]
    fn jwt_05_numbers_out_of_range_are_refused() {
        assert!(object(br#"{"exp":1e400}"#).is_err());
        assert!(object(br#"{"exp":1700000000.5}"#).is_ok());
        assert_eq!(number::<serde_json::Error>("1.5").unwrap(), Value::from(1.5));
        assert_eq!(number::<serde_json::Error>("-3").unwrap(), Value::from(-3));
        assert!(number::<serde_json::Error>("1e400").is_err());
    }
}
