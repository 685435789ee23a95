//! An independent reader of `WWW-Authenticate`, written from the grammar of RFC 9110 §11.6.1, so
//! that the writer is not checked against itself.

use std::collections::BTreeMap;

/// One challenge: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub scheme: String,
    pub parameters: BTreeMap<String, String>,
}

impl Challenge {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

/// Reads a field with exactly one challenge, whose parameters are all quoted strings.
#[track_caller]
pub fn challenge(field: &str) -> Challenge {
    parse(field).unwrap_or_else(|| panic!("no challenge: {field}"))
}

/// `None` for anything but one challenge with distinct, quoted parameters.
pub fn parse(field: &str) -> Option<Challenge> {
    let (scheme, mut rest) = token(field)?;
    rest = rest.strip_prefix(' ')?.trim_start_matches(' ');
    let mut parameters = BTreeMap::new();
    loop {
        let (name, after) = token(rest)?;
        let (value, after) =
            quoted_string(after.trim_start_matches([' ', '\t']).strip_prefix('=')?)?;
        // RFC 9110 §11.2: each name at most once, compared without regard to case.
        if parameters.insert(name.to_ascii_lowercase(), value).is_some() {
            return None;
        }
        let after = after.trim_start_matches([' ', '\t']);
        if after.is_empty() {
            return Some(Challenge { scheme: scheme.to_owned(), parameters });
        }
        rest = after.strip_prefix(',')?.trim_start_matches([' ', '\t']);
    }
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_tchar(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut characters = text.strip_prefix('"')?.char_indices();
    let mut value = String::new();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[index + 2..])),
            '\\' => value.push(characters.next().map(|(_, escaped)| escaped).filter(is_text)?),
            _ if is_text(&character) => value.push(character),
            _ => return None,
        }
    }
    None
}

/// What may stand in a quoted-string, some of it escaped only; without obs-text, which nobody
/// should send.
fn is_text(character: &char) -> bool {
    matches!(character, '\t' | ' '..='~')
}
