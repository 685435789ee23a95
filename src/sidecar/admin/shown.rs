//! Values as people read them.

use std::fmt;
use std::time::Duration;

/// Text from outside, in one line and not too long. Characters that a terminal obeys are escaped.
pub(super) struct Line<'a>(pub(super) &'a str);

const LONGEST: usize = 300;

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        cut(f, self.0, LONGEST)
    }
}

/// The name of a key, of which the beginning is enough to know it by.
pub(super) struct Kid<'a>(pub(super) &'a str);

const LONGEST_KID: usize = 24;

impl fmt::Display for Kid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        cut(f, self.0, LONGEST_KID)
    }
}

fn cut(f: &mut fmt::Formatter<'_>, text: &str, longest: usize) -> fmt::Result {
    for char in text.chars().take(longest) {
        // Quotation marks are no danger here.
        match char {
            '"' | '\'' | '\\' => write!(f, "{char}")?,
            other => write!(f, "{}", other.escape_debug())?,
        }
    }
    if text.chars().nth(longest).is_some() { f.write_str("…") } else { Ok(()) }
}

/// A number with its thousands set apart.
pub(super) struct Count(pub(super) u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A time in its two largest units: `3 h 12 min`.
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
            (0, 0, 0, seconds) => write!(f, "{seconds} s"),
            (0, 0, minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            (0, hours, minutes, _) => write!(f, "{hours} h {minutes} min"),
            (days, hours, ..) => write!(f, "{days} d {hours} h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times() {
        for (number, shown) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")]
        {
            assert_eq!(Count(number).to_string(), shown);
        }
        for (seconds, shown) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 0 s"),
            (3_599, "59 min 59 s"),
            (3_600, "1 h 0 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d 0 h"),
            (1_000_000, "11 d 13 h"),
        ] {
            assert_eq!(Span(Duration::from_secs(seconds)).to_string(), shown);
        }
    }

    #[test]
    fn text_from_outside_stays_in_its_line() {
        assert_eq!(
            Line("a\r\nb\u{1b}[31m\"'\\\u{202e}é").to_string(),
            "a\\r\\nb\\u{1b}[31m\"'\\\\u{202e}é"
        );
        assert_eq!(Line(&"é".repeat(300)).to_string(), "é".repeat(300));
        assert_eq!(Line(&"é".repeat(301)).to_string(), "é".repeat(300) + "…");
        assert_eq!(Kid(&"k".repeat(25)).to_string(), "k".repeat(24) + "…");
    }
}
