//! Strict JSON: one object, no duplicate member at any depth, bounded depth, nothing after it.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

pub(crate) type Object = Map<String, Value>;

/// Deeper nesting is refused (SPEC JWS-15): no token needs it, and depth is stack.
pub(crate) const MAX_DEPTH: usize = 16;

/// Room for the claims of most tokens, so that it is made once.
const USUAL_MEMBERS: usize = 16;
/// From here on, comparing each name with all before it costs more than sorting them.
const MANY_MEMBERS: usize = 32;

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

/// A JSON value that borrows from its text what is spelt there as it is meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Members<'a>),
}

impl Json<'_> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// The members of an object, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Members<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0.iter().find(|(known, _)| is_same(known, name)).map(|(_, value)| value)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// Takes a member out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(index).1)
    }
}

/// Reads one JSON object (RFC 8259).
pub(crate) fn members(text: &str) -> Result<Members<'_>, NotAnObject> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(|_| NotAnObject)?;
    deserializer.end().map_err(|_| NotAnObject)?;
    match value {
        Json::Object(members) => Ok(members),
        _ => Err(NotAnObject),
    }
}

/// As [`members`], for those who keep it: from UTF-8 `bytes`.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, NotAnObject> {
    let text = std::str::from_utf8(bytes).map_err(|_| NotAnObject)?;
    members(text).map(Object::from)
}

impl From<Members<'_>> for Object {
    fn from(members: Members<'_>) -> Self {
        members.0.into_iter().map(|(name, value)| (name.into_owned(), value.into())).collect()
    }
}

impl From<Json<'_>> for Value {
    fn from(json: Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => Self::Number(number),
            Json::String(text) => Self::String(text.into_owned()),
            Json::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Json::Object(members) => Self::Object(members.into()),
        }
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
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(value.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            if name.starts_with(RESERVED) {
                if name == ARBITRARY_PRECISION && *KEEPS_TEXT_OF_NUMBERS {
                    return number(&members.next_value::<String>()?);
                }
                return Err(A::Error::custom("reserved name"));
            }
            if object.is_empty() {
                object.reserve(USUAL_MEMBERS);
            }
            object.push((name, members.next_value_seed(self.deeper()?)?));
        }
        if has_duplicates(&object) {
            return Err(A::Error::custom("duplicate member"));
        }
        Ok(Json::Object(Members(object)))
    }
}

/// The name of a member, borrowed where it is spelt without escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(name.into()))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(name.to_owned().into()))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Names that differ in length, beginning or end are told apart without being compared, which in
/// tokens is nearly all of them. No worse than sorting where there are many.
fn has_duplicates(members: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    if members.len() <= MANY_MEMBERS {
        let mut marks = 0;
        return members.iter().enumerate().any(|(index, (name, _))| {
            let mark = mark(name);
            let is_seen = marks & mark != 0;
            marks |= mark;
            is_seen && members.iter().take(index).any(|(known, _)| known == name)
        });
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

/// Many names of claims have the same length. Their ends tell most of them apart for less than a
/// comparison takes to begin.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    one.len() == other.len()
        && one.first() == other.first()
        && one.last() == other.last()
        && one == other
}

/// One bit, the same for the same name.
fn mark(name: &str) -> u64 {
    let end = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let bytes = name.as_bytes();
    1 << ((5 * bytes.len() + end(bytes.first()) + 3 * end(bytes.last())) % 64)
}

/// A number in the text that `arbitrary_precision` kept, judged as it would be without.
fn number<E: Error>(text: &str) -> Result<Json<'static>, E> {
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(Json::Number(integer.into()));
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Ok(Json::Number(integer.into()));
    }
    let float: f64 = text.parse().map_err(|_| E::custom("not a number"))?;
    Number::from_f64(float).map(Json::Number).ok_or_else(|| E::custom("number out of range"))
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

        // However many members there are, and wherever the second one is.
        for count in [2, MANY_MEMBERS, MANY_MEMBERS + 1, 500] {
            let names: Vec<String> = (0..count).map(|index| format!("\"m{index}\":1")).collect();
            assert!(object(format!("{{{}}}", names.join(",")).as_bytes()).is_ok(), "{count}");
            for again in [0, count / 2, count - 1] {
                let text = format!("{{{},\"m{again}\":1}}", names.join(","));
                assert!(object(text.as_bytes()).is_err(), "{again} of {count}");
            }
        }
    }

    #[test]
    fn what_is_spelt_plainly_is_borrowed() {
        let members = members(r#"{"plain":"text","\u0065scaped":"\u0074ext"}"#).unwrap();
        let borrowed = |name: &str| match members.get(name) {
            Some(Json::String(Cow::Borrowed(text))) => Some(*text),
            _ => None,
        };
        assert_eq!(borrowed("plain"), Some("text"));
        assert_eq!(borrowed("escaped"), None);
        assert_eq!(members.get("escaped").and_then(Json::as_str), Some("text"));
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
        assert_eq!(number::<serde_json::Error>("1.5").map(Value::from).unwrap(), Value::from(1.5));
        assert_eq!(number::<serde_json::Error>("-3").map(Value::from).unwrap(), Value::from(-3));
        assert!(number::<serde_json::Error>("1e400").is_err());
    }
}
