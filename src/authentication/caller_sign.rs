//! What the claims of a token may show about its caller.

use std::fmt;
use std::str::FromStr;

use crate::jose::json::{Json, Members};
use crate::scope;

/// Something that a token's claims show.
///
/// `Display` writes it as `PORTCULLIS_CALLER_TABLE` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerSign(Sign);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Sign {
    Is(Box<str>, Box<str>),
    Like(Box<str>, Box<str>),
    Has(Box<str>),
    Same(Box<str>, Box<str>),
    Different(Box<str>, Box<str>),
}

impl CallerSign {
    /// The claim is this string, or an array that holds it. Written `claim=value`.
    pub fn is(claim: &str, value: &str) -> Self {
        Self(Sign::Is(claim.into(), value.into()))
    }

    /// The claim is a string of this form, in which `*` stands for any run of characters. Written
    /// `claim=pattern`, with at least one `*`.
    pub fn like(claim: &str, pattern: &str) -> Self {
        Self(Sign::Like(claim.into(), pattern.into()))
    }

    /// The claim is there and not `null`. Written `claim`.
    pub fn has(claim: &str) -> Self {
        Self(Sign::Has(claim.into()))
    }

    /// Both claims are the same string, and not an empty one. Written `one==other`.
    pub fn same(one: &str, other: &str) -> Self {
        Self(Sign::Same(one.into(), other.into()))
    }

    /// Both claims are strings, neither is empty, and they differ. Written `one!=other`.
    pub fn different(one: &str, other: &str) -> Self {
        Self(Sign::Different(one.into(), other.into()))
    }

    pub(super) fn is_shown_by(&self, token: &Members<'_>) -> bool {
        let text = |name: &str| token.get(name)?.as_str().filter(|text| !text.is_empty());
        let both = |one, other| Some((text(one)?, text(other)?));
        match &self.0 {
            Sign::Is(name, value) => is_or_holds(token.get(name), value),
            Sign::Like(name, pattern) => {
                text(name).is_some_and(|claim| scope::matches(pattern, claim))
            }
            Sign::Has(name) => token.get(name).is_some_and(|claim| *claim != Json::Null),
            Sign::Same(one, other) => both(one, other).is_some_and(|(one, other)| one == other),
            Sign::Different(one, other) => {
                both(one, other).is_some_and(|(one, other)| one != other)
            }
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        match &self.0 {
            Sign::Has(name) => !name.is_empty(),
            Sign::Is(one, other)
            | Sign::Like(one, other)
            | Sign::Same(one, other)
            | Sign::Different(one, other) => !one.is_empty() && !other.is_empty(),
        }
    }
}

/// Whether a claim is this string, or an array that holds it.
pub(super) fn is_or_holds(claim: Option<&Json<'_>>, value: &str) -> bool {
    match claim {
        Some(Json::String(text)) => text == value,
        Some(Json::Array(items)) => items.iter().any(|item| item.as_str() == Some(value)),
        _ => false,
    }
}

impl fmt::Display for CallerSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Sign::Is(name, value) | Sign::Like(name, value) => write!(f, "{name}={value}"),
            Sign::Has(name) => f.write_str(name),
            Sign::Same(one, other) => write!(f, "{one}=={other}"),
            Sign::Different(one, other) => write!(f, "{one}!={other}"),
        }
    }
}

impl FromStr for CallerSign {
    type Err = InvalidCallerRow;

    fn from_str(text: &str) -> Result<Self, InvalidCallerRow> {
        // The first `=` decides: a value may hold others.
        let sign = match text.split_once('=') {
            None => Self::has(text),
            Some((one, rest)) => match (one.strip_suffix('!'), rest.strip_prefix('=')) {
                (Some(one), _) => Self::different(one, rest),
                (None, Some(other)) => Self::same(one, other),
                (None, None) if rest.contains('*') => Self::like(one, rest),
                (None, None) => Self::is(one, rest),
            },
        };
        if sign.is_complete() { Ok(sign) } else { Err(InvalidCallerRow(())) }
    }
}

/// A row of a caller table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCallerRow(pub(super) ());

impl fmt::Display for InvalidCallerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "must be client:, user: or unknown: and claim, claim=value, claim==claim or \
             claim!=claim",
        )
    }
}

impl std::error::Error for InvalidCallerRow {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::json;

    #[test]
    fn each_sign_is_shown_by_what_it_says_and_nothing_else() {
        for (sign, claims, is_shown) in [
            ("gty=cc", r#"{"gty":"cc"}"#, true),
            ("gty=cc", r#"{"gty":["x","cc"]}"#, true),
            ("gty=cc", r#"{"gty":"ccc"}"#, false),
            ("gty=cc", r#"{"gty":{"cc":"cc"}}"#, false),
            ("sub=*@clients", r#"{"sub":"c@clients"}"#, true),
            ("sub=*@clients", r#"{"sub":"@clients"}"#, true),
            ("sub=*@clients", r#"{"sub":"c@clients.example"}"#, false),
            ("sub=*@clients", r#"{"sub":["c@clients"]}"#, false),
            ("sub=*|*", r#"{"sub":"auth0|7"}"#, true),
            ("sub=*|*", r#"{"sub":"auth0"}"#, false),
            ("name=a-*", r#"{"name":"b-a-"}"#, false),
            ("kind", r#"{"kind":false}"#, true),
            ("kind", r#"{"kind":null}"#, false),
            ("a==b", r#"{"a":"x","b":"x"}"#, true),
            ("a==b", r#"{"a":1,"b":1}"#, false),
            ("a!=b", r#"{"a":"x","b":"y"}"#, true),
            ("a!=b", r#"{"a":"x"}"#, false),
        ] {
            let claims = json::members(claims).unwrap();
            let parsed: CallerSign = sign.parse().unwrap();
            assert_eq!(parsed.is_shown_by(&claims), is_shown, "{sign} {claims:?}");
            assert_eq!(parsed.to_string(), sign);
        }
    }

    #[test]
    fn a_value_with_a_star_is_taken_as_it_is_where_the_program_says_so() {
        let claims = json::members(r#"{"aud":"*"}"#).unwrap();
        assert!(CallerSign::is("aud", "*").is_shown_by(&claims));
        assert!(!CallerSign::is("aud", "*").is_shown_by(&json::members(r#"{"aud":"x"}"#).unwrap()));
        assert_eq!("aud=*".parse(), Ok(CallerSign::like("aud", "*")));
    }
}
