//! One claim out of the text of all, without a tree of the others.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};

/// Reads the claim of this name from an object, `None` where it has no such member.
pub(super) struct OneClaim<'a, T> {
    name: &'a str,
    claim: PhantomData<T>,
}

impl<'a, T> OneClaim<'a, T> {
    pub(super) fn new(name: &'a str) -> Self {
        Self { name, claim: PhantomData }
    }
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for OneClaim<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for OneClaim<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Option<T>, A::Error> {
        let mut found = None;
        while let Some(is_it) = claims.next_key_seed(Compare(self.name))? {
            if is_it {
                found = Some(claims.next_value()?);
            } else {
                claims.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether the name of a member is this one, however it is spelt.
struct Compare<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Compare<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Compare<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a claim")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read<T: DeserializeOwned>(text: &str, name: &str) -> Result<Option<T>, serde_json::Error> {
        OneClaim::new(name).deserialize(&mut serde_json::Deserializer::from_str(text))
    }

    #[test]
    fn a_claim_is_found_by_its_name_wherever_it_stands_and_however_it_is_spelt() {
        let claims = r#"{"a":1,"b":{"c":[2]},"\u0063":"x","d":null}"#;
        assert_eq!(read(claims, "a").unwrap(), Some(1));
        assert_eq!(read(claims, "b").unwrap(), Some(serde_json::json!({ "c": [2] })));
        assert_eq!(read(claims, "c").unwrap(), Some("x".to_owned()));
        assert_eq!(read::<Option<u8>>(claims, "d").unwrap(), Some(None));
        assert_eq!(read::<Value>(claims, "e").unwrap(), None);
        assert_eq!(read::<Value>("{}", "a").unwrap(), None);
        assert!(read::<bool>(claims, "a").is_err());
        assert!(read::<bool>(claims, "d").is_err());
    }
}
