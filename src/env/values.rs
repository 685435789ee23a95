//! What a value says: pure functions from its text. Problems tell elements of lists by their
//! number, never by their text.

use std::path::PathBuf;
use std::time::Duration;

use super::file;
use super::nearest::nearest;
use super::source::Problems;
use crate::authentication::{CallerTable, InvalidCallerRow};
use crate::authorization::Requirement;
use crate::jose::Algorithm;
use crate::scope::{Ceiling, InvalidScope, Scope, split_config_list};

/// What becomes of the habit of other programs.
const COMMAS: &str = "lists are separated by white space, not by commas";

/// As it stands.
pub(crate) fn text(text: &str) -> Result<String, Problems> {
    Ok(text.to_owned())
}

/// Something that cannot hold white space, such as a URL.
pub(crate) fn word(text: &str) -> Result<String, Problems> {
    if text.contains(char::is_whitespace) {
        return problem("must be one value without white space");
    }
    Ok(text.to_owned())
}

/// The path of a file that need not exist.
pub(crate) fn path(text: &str) -> Result<PathBuf, Problems> {
    file::path(text).map_err(|fault| vec![fault.to_owned()])
}

/// A list of exact strings.
pub(super) fn words(text: &str) -> Result<Vec<String>, Problems> {
    Ok(split_config_list(text).map(str::to_owned).collect())
}

/// Names of authorization servers.
pub(super) fn issuers(text: &str) -> Result<Vec<String>, Problems> {
    each_element(text, |element| {
        if element.ends_with(',') || element.contains(",http") {
            return Err(COMMAS.to_owned());
        }
        let documents =
            ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];
        match documents.into_iter().find(|document| element.ends_with(document)) {
            Some(document) => Err(format!("leave out {document}: it is found by itself")),
            None => Ok(element.to_owned()),
        }
    })
}

/// Names of claims.
pub(super) fn claim_names(text: &str) -> Result<Vec<String>, Problems> {
    each_element(text, |element| {
        if element.contains(',') { Err(COMMAS.to_owned()) } else { Ok(element.to_owned()) }
    })
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, Problems> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    problem(format!("must be {}", words.join(" or ")))
}

/// `500ms`, `30s`, `10m`, `24h`.
pub(crate) fn duration(text: &str) -> Result<Duration, Problems> {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let milliseconds = match text.split_at_checked(end) {
        Some((_, "ms")) => 1,
        Some((_, "s")) => 1000,
        Some((_, "m")) => 60 * 1000,
        Some((_, "h")) => 60 * 60 * 1000,
        _ => return problem("must be a whole number with a unit: 500ms, 30s, 10m, 24h"),
    };
    match text.get(..end) {
        None | Some("") => problem("must be a whole number with a unit: 500ms, 30s, 10m, 24h"),
        // Nothing but digits: only too many of them can be wrong.
        Some(number) => {
            match number.parse::<u64>().ok().and_then(|n| n.checked_mul(milliseconds)) {
                Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
                None => problem("is too long a time"),
            }
        }
    }
}

/// A whole number.
pub(super) fn count(text: &str) -> Result<usize, Problems> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(count) if digits => Ok(count),
        Err(_) if digits && !text.is_empty() => problem("is too large"),
        _ => problem("must be a whole number"),
    }
}

/// Registered names of signature algorithms.
pub(super) fn algorithms(text: &str) -> Result<Vec<Algorithm>, Problems> {
    each_element(text, |element| {
        element.parse().map_err(|error| {
            let known = Algorithm::all().map(Algorithm::name);
            match nearest(element, known) {
                Some(known) => format!("{error}; did you mean {known}?"),
                None => format!("{error}"),
            }
        })
    })
}

/// `name=value` pairs, split at the first `=`. A claim has one value, so it is named once.
pub(super) fn claims(text: &str) -> Result<Vec<(String, String)>, Problems> {
    let mut names = Vec::new();
    each_element(text, |element| match element.split_once('=') {
        Some(("", _) | (_, "")) | None => Err("must be name=value".to_owned()),
        Some((name, _)) if names.contains(&name) => {
            Err("names a claim that is named before".to_owned())
        }
        Some((name, value)) => {
            names.push(name);
            Ok((name.to_owned(), value.to_owned()))
        }
    })
}

/// One of them.
pub(super) fn claim(text: &str) -> Result<(String, String), Problems> {
    match <[_; 1]>::try_from(claims(text)?) {
        Ok([claim]) => Ok(claim),
        Err(_) => Err(vec!["must be one name=value".to_owned()]),
    }
}

/// Rows of a caller table, in their order.
pub(super) fn caller_table(text: &str) -> Result<CallerTable, Problems> {
    let rows =
        each_element(text, |row| row.parse().map_err(|fault: InvalidCallerRow| fault.to_string()))?;
    Ok(CallerTable::from(rows))
}

/// Scopes and patterns that are all required.
pub(super) fn requirement(text: &str) -> Result<Requirement, Problems> {
    Requirement::from_config(text).map_err(scope_problems)
}

/// Scopes that clients can ask for.
pub(super) fn concrete_scopes(text: &str) -> Result<String, Problems> {
    each_element(text, |element| match Scope::new(element) {
        Ok(_) if element.contains('*') => {
            Err("is a pattern, which no client can ask for".to_owned())
        }
        Ok(_) => Ok(()),
        Err(fault) => Err(fault.to_string()),
    })?;
    Ok(text.to_owned())
}

/// Patterns that make a ceiling. The text is what an issuer is configured with.
pub(super) fn ceiling(text: &str) -> Result<String, Problems> {
    Ceiling::from_config(text).map_err(scope_problems)?;
    Ok(text.to_owned())
}

fn scope_problems(errors: Vec<InvalidScope>) -> Problems {
    errors.iter().map(InvalidScope::to_string).collect()
}

pub(crate) fn each_element<'a, T>(
    text: &'a str,
    mut parse: impl FnMut(&'a str) -> Result<T, String>,
) -> Result<Vec<T>, Problems> {
    let (mut parsed, mut problems) = (Vec::new(), Vec::new());
    for (number, element) in (1..).zip(split_config_list(text)) {
        match parse(element) {
            Ok(value) => parsed.push(value),
            // What is wrong with both at once says less.
            Err(_) if element.contains(',') => problems.push(format!("element {number}: {COMMAS}")),
            Err(problem) => problems.push(format!("element {number}: {problem}")),
        }
    }
    if problems.is_empty() { Ok(parsed) } else { Err(problems) }
}

pub(crate) fn problem<T>(text: impl Into<String>) -> Result<T, Problems> {
    Err(vec![text.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_whole_number_and_a_unit() {
        for (text, milliseconds) in [
            ("0s", 0),
            ("500ms", 500),
            ("30s", 30_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("007s", 7000),
            ("18446744073709551615ms", u64::MAX),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for bad in [
            "", "30", "s", "ms", "-1s", "+1s", "1.5s", "1e3s", "30 s", " 30s", "30s ", "30S", "1d",
            "1us", "1h30m", "30sec", "٣s", "0x1s", "1_000s",
        ] {
            let expected = "must be a whole number with a unit: 500ms, 30s, 10m, 24h";
            assert_eq!(duration(bad), Err(vec![expected.to_owned()]), "{bad}");
        }
        for long in ["18446744073709551616ms", "18446744073709551615s", "99999999999999999999h"] {
            assert_eq!(duration(long), Err(vec!["is too long a time".to_owned()]), "{long}");
        }
    }

    #[test]
    fn counts_are_digits() {
        for (text, expected) in [("0", 0), ("10000", 10_000), ("007", 7)] {
            assert_eq!(count(text), Ok(expected));
        }
        for bad in ["", "-1", "+1", "1.0", "1k", " 1", "off", "٣"] {
            assert_eq!(count(bad), Err(vec!["must be a whole number".to_owned()]), "{bad}");
        }
        assert_eq!(count(&"9".repeat(40)), Err(vec!["is too large".to_owned()]));
    }

    #[test]
    fn wild_05_lists_are_split_at_ascii_white_space_alone() {
        let list = words(" a\tb\r\nc\n\n d ").unwrap();
        assert_eq!(list, ["a", "b", "c", "d"]);
        for other in ['\u{A0}', '\u{2003}', '\u{B}', '\u{C}', '\u{85}', ',', ';'] {
            let text = format!("a{other}b");
            assert_eq!(words(&text), Ok(vec![text.clone()]));
        }
    }

    #[test]
    fn a_comma_where_none_can_be_right_is_told() {
        let fault = |number| format!("element {number}: {COMMAS}");
        for text in ["https://a,https://b", "https://a, https://b"] {
            assert_eq!(issuers(text), Err(vec![fault(1)]), "{text}");
        }
        assert_eq!(issuers("https://a/x,y https://b").unwrap().len(), 2);
        assert_eq!(algorithms("ES256 RS256,PS256"), Err(vec![fault(2)]));
        assert_eq!(claim_names("scope,scp"), Err(vec![fault(1)]));
        assert_eq!(claims("a=b ,c"), Err(vec![fault(2)]));
        assert!(claims("a=b,c").is_ok());
    }

    #[test]
    fn the_address_of_metadata_is_no_issuer() {
        for document in ["openid-configuration", "oauth-authorization-server"] {
            let problems = issuers(&format!("https://a/.well-known/{document}")).unwrap_err();
            let expected = format!("leave out /.well-known/{document}: it is found by itself");
            assert_eq!(problems, [format!("element 1: {expected}")]);
        }
    }

    #[test]
    fn algorithms_are_registered_names() {
        assert_eq!(
            algorithms("ES256 Ed25519"),
            Ok(vec![Algorithm::ES256, Algorithm::Ed25519]),
            "in the order given"
        );
        let unknown = "not a supported signature algorithm";
        assert_eq!(
            algorithms("RS265 ES256 none es256"),
            Err(vec![
                format!("element 1: {unknown}; did you mean RS256?"),
                format!("element 3: {unknown}"),
                format!("element 4: {unknown}; did you mean ES256?"),
            ])
        );
    }

    #[test]
    fn claims_are_split_at_the_first_equals_sign() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            claims("tnt_id=acme q=a=b https://x/y=1"),
            Ok(vec![pair("tnt_id", "acme"), pair("q", "a=b"), pair("https://x/y", "1")])
        );
        assert_eq!(
            claims("a =b c= d=1 = d=2"),
            Err(vec![
                "element 1: must be name=value".to_owned(),
                "element 2: must be name=value".to_owned(),
                "element 3: must be name=value".to_owned(),
                "element 5: must be name=value".to_owned(),
                "element 6: names a claim that is named before".to_owned(),
            ])
        );
    }

    #[test]
    fn one_claim_is_neither_none_nor_two() {
        assert_eq!(claim("owner=app"), Ok(("owner".to_owned(), "app".to_owned())));
        for bad in ["", " ", "owner", "owner=app kind=own"] {
            assert!(claim(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn choices_are_exact() {
        let choices = [("off", false), ("dangerously", true)];
        assert_eq!(choice("dangerously", &choices), Ok(true));
        for bad in ["Dangerously", "on", "", " off", "true"] {
            let expected = vec!["must be off or dangerously".to_owned()];
            assert_eq!(choice(bad, &choices), Err(expected), "{bad}");
        }
    }

    #[test]
    fn words_hold_no_white_space() {
        assert_eq!(word("https://h/x"), Ok("https://h/x".to_owned()));
        for bad in ["https://a https://b", " x", "x\n", "a\u{A0}b"] {
            assert!(word(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn wild_08_wild_09_chal_06_scopes_in_configuration_are_checked() {
        assert!(requirement("a push.* b").is_ok());
        let problems = requirement("ok a\"b réad*").unwrap_err();
        assert_eq!(problems.len(), 2);
        assert!(problems[0].starts_with("element 2: ") && problems[1].starts_with("element 3: "));
        assert!(ceiling(&"x".repeat(256)).is_ok());
        assert!(ceiling(&"x".repeat(257)).is_err());
        assert!(ceiling(&"* ".repeat(65)).is_err());
        assert_eq!(ceiling("a* b"), Ok("a* b".to_owned()));
    }
}
