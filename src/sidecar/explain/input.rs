//! The token, from wherever it is pasted.

use std::fmt;
use std::io::{self, Read};

use crate::sidecar::Failure;

/// More than that is no token, whatever it is. Bytes.
const MOST: u64 = 64 * 1024;

/// What stands on the command line as token; nothing means standard input.
#[derive(Default, PartialEq, Eq)]
pub(in crate::sidecar) struct Presented(Option<String>);

impl Presented {
    /// One word more.
    pub(in crate::sidecar) fn add(&mut self, word: &str) {
        match &mut self.0 {
            Some(text) => *text = format!("{text} {word}"),
            None => self.0 = Some(word.to_owned()),
        }
    }

    #[cfg(test)]
    pub(in crate::sidecar) fn given(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The token itself.
    pub(super) fn read(self, standard_input: impl Read) -> Result<String, Failure> {
        let text = match self.0 {
            Some(text) => text.into_bytes(),
            None => {
                let mut text = Vec::new();
                standard_input.take(MOST + 1).read_to_end(&mut text).map_err(|error| {
                    io::Error::new(error.kind(), format!("standard input: {error}"))
                })?;
                text
            }
        };
        if u64::try_from(text.len()).is_ok_and(|length| length > MOST) {
            return Err(Failure::Usage("more than 64 KiB cannot be a token".to_owned()));
        }
        let text = String::from_utf8_lossy(&text);
        match token(&text) {
            "" => {
                Err(Failure::Usage("there is no token\nTry: portcullis explain --help".to_owned()))
            }
            token => Ok(token.to_owned()),
        }
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "[redacted]" } else { "[standard input]" })
    }
}

/// Without what stands before a token in a request, and white space around it.
fn token(text: &str) -> &str {
    let text = after(text.trim(), "Authorization:").unwrap_or(text).trim();
    match after(text, "Bearer") {
        Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => rest.trim(),
        _ => text,
    }
}

fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Option<String> {
        Presented::default().read(text).ok()
    }

    #[test]
    fn a_token_is_found_in_what_people_paste() {
        for text in [
            "a.b.c",
            " a.b.c\n",
            "\tBearer a.b.c\r\n",
            "bearer  a.b.c",
            "Authorization: Bearer a.b.c",
            "authorization:BEARER a.b.c",
            "Authorization: a.b.c",
        ] {
            assert_eq!(token(text), "a.b.c", "{text:?}");
            assert_eq!(read(text.as_bytes()).as_deref(), Some("a.b.c"), "{text:?}");
        }
        assert_eq!(token("Bearera.b.c"), "Bearera.b.c");
        assert_eq!(token("a b"), "a b");
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        for text in ["", " \n", "Bearer", "Authorization: Bearer \n"] {
            assert_eq!(read(text.as_bytes()), None, "{text:?}");
        }
        let limit = 64 * 1024;
        assert!(read(&vec![b'a'; limit]).is_some());
        assert_eq!(read(&vec![b'a'; limit + 1]), None);
        assert!(Presented(Some("a".repeat(limit + 1))).read(io::empty()).is_err());
    }

    proptest! {
        #[test]
        fn the_token_is_a_part_of_the_text(text in any::<String>()) {
            prop_assert!(text.contains(token(&text)));
            prop_assert_eq!(token(&text).trim(), token(&text));
        }
    }
}
