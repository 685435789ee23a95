//! Scopes: what a requirement asks for, what a token grants, and when the two meet.
//!
//! 1. A **scope element** is a run of printable US-ASCII without space, `"` and `\` (RFC 6749
//!    §3.3). Elements are compared byte by byte: upper and lower case differ, nothing is decoded
//!    or normalised, order has no meaning.
//! 2. A **pattern** is an element in which every `*` stands for any run of characters, the empty
//!    one included, `.`, `:` and `/` too. All other characters mean themselves, both ends are
//!    anchored, there is no escape. Matching takes linear time.
//! 3. In a **requirement**, written by the programmer or operator, a pattern asks for any one
//!    granted element that it matches. A required `*` still asks for something to be granted.
//! 4. In a **token**, `*` is an ordinary character, for it is a legal one. Only where the issuer
//!    was declared to grant patterns does a granted `files:*` stand for all that it matches. Then
//!    a pattern on either side is satisfied where the two *overlap*; the stricter reading, the
//!    grant must *cover* the requirement, is a choice of configuration.
//! 5. A **ceiling**, a list of patterns, narrows what the tokens of an issuer may count for: what
//!    lies outside it counts as not granted, whatever the token says.
//! 6. A declared **hierarchy** (`admin` implies `read`) widens what a token grants when it is
//!    judged. It never shows in a challenge, nor in `AccessToken::scopes`.
//! 7. Token text is split at single spaces only, and what is no scope element is dropped: it
//!    grants nothing. More than 8192 bytes or 256 elements refuse the token. Configured lists are
//!    split at space, tab, line feed and carriage return, and what is no scope element there is a
//!    fault. No list is ever split at other Unicode white space.

mod ceiling;
mod element;
mod granted;
mod hierarchy;
mod pattern;
mod wildcard;

pub(crate) use ceiling::Ceiling;
pub(crate) use element::MAX_PATTERNS;
pub use element::{InvalidScope, Scope};
pub(crate) use granted::{GrantRules, GrantedScopes, Wildcards};
pub(crate) use hierarchy::Hierarchy;
pub use pattern::ScopePattern;
pub(crate) use wildcard::matches;

/// What clients ask authorization servers for to get a refresh token (OpenID Connect Core §11). It says
/// nothing to resources.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// The elements of a configured list.
pub(crate) fn split_config_list(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\n', '\r']).filter(|element| !element.is_empty())
}

/// Every element parsed, or every fault, each naming the element by its number.
pub(crate) fn parse_all<'a, T>(
    elements: impl IntoIterator<Item = &'a str>,
    parse: impl Fn(&str) -> Result<T, InvalidScope>,
) -> Result<Vec<T>, Vec<InvalidScope>> {
    let (mut parsed, mut faults) = (Vec::new(), Vec::new());
    for (number, element) in (1..).zip(elements) {
        match parse(element) {
            Ok(good) => parsed.push(good),
            Err(fault) => faults.push(fault.of_element(number)),
        }
    }
    if faults.is_empty() { Ok(parsed) } else { Err(faults) }
}

#[cfg(test)]
mod tests;
