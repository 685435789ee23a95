//! How texts from elsewhere, lists and times are written for people at a terminal.

use std::time::Duration;

/// Characters of one text. More of it helps nobody, and fills the screen.
const LONGEST: usize = 120;
/// Items of one list.
const MOST: usize = 8;

/// A text that somebody else wrote: on one line, without anything that a terminal obeys or that
/// cannot be seen, and not too long.
pub(super) fn shown(text: &str) -> String {
    cut(text, LONGEST)
}

/// As [`shown`], with another limit.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for character in text.chars().take(longest) {
        match character {
            // They mean nothing by themselves, and names in quotes are easier to read.
            '"' | '\'' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

/// Texts that somebody else wrote, in brackets.
pub(super) fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", enumerate(items.into_iter().map(shown), ", "))
}

/// The first of many texts, and how many more there are.
pub(super) fn enumerate(items: impl IntoIterator<Item = String>, separator: &str) -> String {
    let mut items = items.into_iter();
    let mut shown: Vec<String> = items.by_ref().take(MOST).collect();
    let more = items.count();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(separator)
}

/// A length of time by its two largest units.
pub(super) fn span(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = time.as_secs();
    let mut rest = seconds;
    let mut parts = Vec::new();
    let largest = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    for (unit, name) in UNITS.iter().skip(largest).take(2) {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {name}"));
        }
    }
    parts.join(" ")
}

/// Seconds since 1970 as date and time.
pub(super) fn utc(seconds: u64) -> String {
    const DAY: u64 = 86_400;
    let (year, month, day) = date(seconds / DAY);
    let second = seconds % DAY;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The date of a day, counted from 1970-01-01.
fn date(days: u64) -> (u64, usize, u64) {
    /// The calendar repeats itself after 400 years.
    const CYCLE: u64 = 146_097;
    let mut year = 1970 + days / CYCLE * 400;
    let mut rest = days % CYCLE;
    loop {
        let is = |multiple| year.is_multiple_of(multiple);
        let leap = is(4) && (!is(100) || is(400));
        let days_of_year = if leap { 366 } else { 365 };
        if rest < days_of_year {
            let february = if leap { 29 } else { 28 };
            let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, days_of_month) in (1..).zip(months) {
                if rest < days_of_month {
                    return (year, month, rest + 1);
                }
                rest -= days_of_month;
            }
        }
        rest = rest.saturating_sub(days_of_year);
        year += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_800_000_000, "2027-01-15 08:00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
        assert!(utc(u64::MAX).ends_with("UTC"));
    }

    #[test]
    fn lengths_of_time() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (11_520, "3 h 12 min"),
            (3_601, "1 h"),
            (90_000, "1 d 1 h"),
            (86_400 * 400, "400 d"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn long_lists_and_texts_are_cut() {
        assert_eq!(list(["a", "b"]), "[a, b]");
        assert_eq!(list([]), "[]");
        assert_eq!(list(["x"; 10]), "[x, x, x, x, x, x, x, x, and 2 more]");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc…");
        assert_eq!(shown(r#"it's "x""#), r#"it's "x""#);
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(shown("a\u{1b}[31m\n\u{9b}\u{202e}b\\"), "a\\u{1b}[31m\\n\\u{9b}\\u{202e}b\\\\");
    }

    proptest! {
        #[test]
        fn no_text_reaches_a_terminal_as_more_than_letters(text in any::<String>()) {
            let shown = shown(&text);
            prop_assert!(shown.chars().all(|c| !c.is_control() && c.escape_debug().count() <= 2));
            prop_assert!(shown.chars().count() <= 10 * LONGEST + 1);
        }

        #[test]
        fn days_follow_one_another(day in 0_u64..10_000_000) {
            let (year, month, number) = date(day);
            let next = date(day + 1);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&number));
            prop_assert!(
                next == (year, month, number + 1)
                    || next == (year, month + 1, 1)
                    || next == (year + 1, 1, 1)
            );
        }
    }
}
