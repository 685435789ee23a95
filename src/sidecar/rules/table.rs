//! Typed values of one TOML table, with the place of every fault.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Faults;
use crate::env::nearest;
use crate::scope::split_config_list;

/// What would be empty is most likely a mistake, and could mean "nothing" as well as "anything".
const EMPTY: &str = "must not be empty; leave it out instead";

/// A table whose faults are collected. What is absent or wrong is `None`; a fault is added where
/// it is wrong.
pub(super) struct Table<'a, 't> {
    entries: &'a DeTable<'a>,
    faults: &'a mut Faults<'t>,
}

impl<'a, 't> Table<'a, 't> {
    /// Other keys than these are faults.
    pub(super) fn new(
        entries: &'a DeTable<'a>,
        keys: &[&str],
        what: &str,
        faults: &'a mut Faults<'t>,
    ) -> Self {
        check_keys(entries, keys, what, faults);
        Self { entries, faults }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// How many faults have been found so far.
    pub(super) fn faults(&self) -> usize {
        self.faults.count()
    }

    pub(super) fn fault(&mut self, span: &Range<usize>, key: &str, problem: &str) {
        self.faults.add(span, format!("{key} {problem}"));
    }

    /// About a key, where it stands.
    pub(super) fn fault_at(&mut self, key: &str, problem: &str) {
        let span = self.entries.get_key_value(key).map_or(0..0, |(key, _)| key.span());
        self.fault(&span, key, problem);
    }

    fn get(&self, key: &str) -> Option<(&'a DeValue<'a>, Range<usize>)> {
        self.entries.get(key).map(|value| (value.get_ref(), value.span()))
    }

    pub(super) fn text(&mut self, key: &str) -> Option<(&'a str, Range<usize>)> {
        let (value, span) = self.get(key)?;
        match value.as_str() {
            Some(text) => Some((text, span)),
            None => {
                self.fault(&span, key, "must be a string, in quotes");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let (value, span) = self.get(key)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.fault(&span, key, "must be true or false");
        }
        flag
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let (text, span) = self.text(key)?;
        let chosen = choices.iter().find(|(word, _)| *word == text);
        if chosen.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            self.fault(&span, key, &format!("must be {}", words.join(" or ")));
        }
        chosen.map(|(_, value)| *value)
    }

    /// Strings, at least one; each as `parse` reads it.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        mut parse: impl FnMut(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let (value, span) = self.get(key)?;
        let Some(items) = value.as_array() else {
            self.fault(&span, key, r#"must be a list of strings, as in ["a", "b"]"#);
            return None;
        };
        if items.is_empty() {
            self.fault(&span, key, EMPTY);
        }
        let mut parsed = Vec::new();
        for item in items {
            match item.get_ref().as_str().map(&mut parse) {
                Some(Ok(good)) => parsed.push(good),
                Some(Err(problem)) => self.fault(&item.span(), key, &format!("holds {problem}")),
                None => self.fault(&item.span(), key, "must hold strings alone, in quotes"),
            }
        }
        Some(parsed)
    }

    /// As [`list`](Self::list), or one string whose words are the list.
    pub(super) fn words<T>(
        &mut self,
        key: &str,
        mut parse: impl FnMut(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        if !self.get(key)?.0.is_str() {
            return self.list(key, parse);
        }
        let (text, span) = self.text(key)?;
        let mut parsed = Vec::new();
        for word in split_config_list(text) {
            match parse(word) {
                Ok(good) => parsed.push(good),
                Err(problem) => self.fault(&span, key, &format!("holds {problem}")),
            }
        }
        if text.trim().is_empty() {
            self.fault(&span, key, EMPTY);
        }
        Some(parsed)
    }

    /// Names and values, at least one.
    pub(super) fn pairs<T>(
        &mut self,
        key: &str,
        mut parse: impl FnMut(&str) -> Result<T, String>,
    ) -> Option<Vec<(String, T)>> {
        let (value, span) = self.get(key)?;
        let Some(entries) = value.as_table() else {
            self.fault(&span, key, r#"must be a table, as in { name = "value" }"#);
            return None;
        };
        if entries.is_empty() {
            self.fault(&span, key, EMPTY);
        }
        let mut parsed = Vec::new();
        for (name, value) in entries {
            let name = name.get_ref();
            match scalar(value).map(|text| parse(&text)) {
                Some(Ok(good)) => parsed.push((name.to_string(), good)),
                Some(Err(problem)) => {
                    self.fault(&value.span(), key, &format!("{name:?}: {problem}"));
                }
                None => {
                    let problem = "must be a string, an integer, true or false; a name with a dot is put in quotes";
                    self.fault(&value.span(), key, &format!("{name:?}: {problem}"));
                }
            }
        }
        Some(parsed)
    }
}

/// Adds a fault for each key that is none of these.
pub(super) fn check_keys(
    entries: &DeTable<'_>,
    keys: &[&str],
    what: &str,
    faults: &mut Faults<'_>,
) {
    for key in entries.keys() {
        let name: &str = key.get_ref();
        if keys.contains(&name) {
            continue;
        }
        let hint = match nearest(name, keys) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("known: {}", keys.join(", ")),
        };
        faults.add(&key.span(), format!("there is no {what} {name:?}; {hint}"));
    }
}

/// As JSON would write it, strings without their quotes.
fn scalar(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
        }
        DeValue::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}
