//! Why a path is refused.

use std::fmt;

/// What makes a path mean different things to different servers.
///
/// `Display` is one fixed sentence for the developer of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum Ambiguous {
    NotAbsolute,
    EmptySegment,
    DotSegment,
    EncodedDot,
    EncodedSlash,
    Backslash,
    Semicolon,
    Control,
    BadEscape,
    EncodedTwice,
    NotUtf8,
    LookAlike,
}

impl Ambiguous {
    /// One fixed sentence, without a full stop.
    pub(in crate::sidecar) const fn sentence(self) -> &'static str {
        match self {
            Self::NotAbsolute => "The path must begin with a slash",
            Self::EmptySegment => "The path must not hold two slashes in a row",
            Self::DotSegment => "The path must not hold the segments . and ..",
            Self::EncodedDot => "The path must not hold an encoded dot (%2E)",
            Self::EncodedSlash => "The path must not hold an encoded slash (%2F)",
            Self::Backslash => "The path must not hold a backslash, encoded (%5C) or not",
            Self::Semicolon => "The path must not hold a semicolon, encoded (%3B) or not",
            Self::Control => "The path must not hold control characters, encoded or not",
            Self::BadEscape => "Every % in the path must be followed by two hexadecimal digits",
            Self::EncodedTwice => "The path must not be percent-encoded twice (%25 and two digits)",
            Self::NotUtf8 => "The percent-encoded bytes of the path must be UTF-8",
            Self::LookAlike => {
                "The path must not hold characters that some servers take for / \\ . ; or %"
            }
        }
    }
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// What decoding has brought to light.
pub(super) fn check_characters(decoded: &str) -> Result<(), Ambiguous> {
    let is_digit = |char: Option<char>| char.is_some_and(|char| char.is_ascii_hexdigit());
    let mut characters = decoded.chars();
    while let Some(character) = characters.next() {
        let mut next = characters.clone();
        if character == '%' && is_digit(next.next()) && is_digit(next.next()) {
            return Err(Ambiguous::EncodedTwice);
        }
        if character.is_control() {
            return Err(Ambiguous::Control);
        }
        if is_look_alike(character) {
            return Err(Ambiguous::LookAlike);
        }
    }
    Ok(())
}

/// Characters that compatibility normalisation (NFKC), or a conversion to a character set that
/// lacks them ("best fit"), turns into something with `/`, `\`, `.`, `;` or `%` in it.
fn is_look_alike(character: char) -> bool {
    matches!(
        character,
        // slashes
        '\u{FF0F}' | '\u{2215}' | '\u{2044}' | '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}'
        // backslashes
        | '\u{FF3C}' | '\u{FE68}' | '\u{2216}'
        // dots
        | '\u{FF0E}' | '\u{FE52}' | '\u{2024}' | '\u{2025}'
        // semicolons
        | '\u{FF1B}' | '\u{FE54}' | '\u{037E}'
        // per cent signs
        | '\u{FF05}' | '\u{FE6A}'
    )
}
