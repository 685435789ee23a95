//! The variables that are given, read one by one, and every fault that shows on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use super::file;
use super::kubernetes::is_service_link;
use super::names::{self, Form};
use crate::config_error::{ConfigError, Faults};

/// What a pure parser finds wrong with a text: at least one problem.
pub(crate) type Problems = Vec<String>;

/// All variables, without a `Debug` that could show them.
pub(crate) struct Source {
    given: BTreeMap<&'static str, Given>,
    unusable: BTreeSet<&'static str>,
    /// By place in the report.
    faults: BTreeMap<(usize, String), Vec<String>>,
    warnings: Vec<&'static str>,
}

/// One variable; empty counts as unset.
#[derive(Default)]
struct Given {
    value: Option<OsString>,
    file: Option<OsString>,
}

/// What became of a variable.
pub(crate) enum Read<T> {
    Unset,
    /// Its fault is reported; what follows from it alone is not worth another.
    Unusable,
    Value(T),
}

/// A value, or where it is.
pub(crate) enum Origin {
    Value(String),
    File(PathBuf),
}

impl<T> Read<T> {
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unset | Self::Unusable => None,
        }
    }

    pub(crate) fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }
}

impl Source {
    pub(crate) fn new(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut source = Self {
            given: BTreeMap::new(),
            unusable: BTreeSet::new(),
            faults: BTreeMap::new(),
            warnings: Vec::new(),
        };
        for (name, value) in vars {
            let name = name.to_string_lossy();
            if !name.starts_with(names::PREFIX) || value.is_empty() {
                continue;
            }
            match names::known(&name) {
                Some((variable, form)) => {
                    let given = source.given.entry(variable).or_default();
                    let slot = match form {
                        Form::Value => &mut given.value,
                        Form::File => &mut given.file,
                    };
                    slot.get_or_insert(value);
                }
                None if is_service_link(&name, &value) => {}
                None => source.unknown(&name),
            }
        }
        source
    }

    /// The value of a variable, wherever it is, as `parse` understands it.
    pub(crate) fn read<T>(
        &mut self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Problems>,
    ) -> Read<T> {
        let text = match self.origin(variable) {
            Read::Unset => return Read::Unset,
            Read::Unusable => return Read::Unusable,
            Read::Value(Origin::Value(text)) => Ok(text),
            Read::Value(Origin::File(path)) => file::read(&path).map_err(|problem| vec![problem]),
        };
        let parsed = text.and_then(|text| match text.as_str() {
            "" => Ok(None),
            text if text.trim_ascii().is_empty() => Err(vec!["holds only white space".to_owned()]),
            text => parse(text).map(Some),
        });
        match parsed {
            Ok(Some(value)) => Read::Value(value),
            Ok(None) => Read::Unset,
            Err(problems) => self.unusable(variable, problems),
        }
    }

    /// Like [`read`](Self::read); unset is a fault, which says what is wanted.
    pub(crate) fn read_required<T>(
        &mut self,
        variable: &'static str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, Problems>,
    ) -> Option<T> {
        match self.read(variable, parse) {
            Read::Unset => self.unusable(variable, vec![format!("is required: {wanted}")]).value(),
            read => read.value(),
        }
    }

    /// A variable that has to be there and is not.
    #[cfg(feature = "introspection")]
    pub(super) fn missing(&mut self, variable: &'static str, problem: String) {
        self.unusable::<()>(variable, vec![problem]);
    }

    /// A variable whose value is taken from another one's: what is wrong with it is said of that.
    #[cfg(feature = "introspection")]
    pub(super) fn follows_from_another(&mut self, variable: &'static str) {
        self.unusable.insert(variable);
    }

    /// Like [`read`](Self::read), for a list in which a comma can be right and hardly is.
    pub(super) fn read_list<T>(
        &mut self,
        variable: &'static str,
        of_commas: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Problems>,
    ) -> Read<T> {
        let mut has_comma = false;
        let read = self.read(variable, |text| {
            has_comma = text.contains(',');
            parse(text)
        });
        if has_comma {
            self.warn(of_commas);
        }
        read
    }

    /// Where the value of a variable is; a file is not opened.
    pub(crate) fn origin(&mut self, variable: &'static str) -> Read<Origin> {
        let Some(given) = self.given.get(variable) else { return Read::Unset };
        let origin = match (&given.value, &given.file) {
            (None, None) => return Read::Unset,
            (Some(_), Some(_)) => {
                let file = names::in_form(variable, Form::File);
                Err(format!("cannot be set together with {file}"))
            }
            (Some(value), None) => match value.to_str() {
                Some(text) => Ok(Origin::Value(text.to_owned())),
                None => Err("is not UTF-8".to_owned()),
            },
            (None, Some(path)) => match path.to_str() {
                Some(text) => file::path(text).map(Origin::File).map_err(str::to_owned),
                None => Err("is not UTF-8".to_owned()),
            },
        };
        match origin {
            Ok(origin) => Read::Value(origin),
            Err(problem) => self.unusable(variable, vec![problem]),
        }
    }

    /// Adds a fault, under the name by which the variable was given; the same one only once.
    pub(crate) fn fault(&mut self, variable: &'static str, problem: impl Into<String>) {
        let name = names::in_form(variable, self.form(variable));
        let place = (names::position(variable) + 1, name);
        let problems = self.faults.entry(place).or_default();
        let problem = problem.into();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Whether a fault of the variable's own text is known.
    pub(super) fn is_unusable(&self, variable: &'static str) -> bool {
        self.unusable.contains(variable)
    }

    /// To be said when the configuration is good.
    pub(crate) fn warn(&mut self, warning: &'static str) {
        self.warnings.push(warning);
    }

    /// `value` where no fault was found; warnings are logged.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, ConfigError> {
        let (value, warnings) = self.finish_quietly(value)?;
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        Ok(value)
    }

    /// `value` and what there is to warn of, where no fault was found.
    pub(crate) fn finish_quietly<T>(self, value: T) -> Result<(T, Vec<&'static str>), ConfigError> {
        let mut faults = Faults::default();
        for ((_, name), problems) in self.faults {
            for problem in problems {
                faults.add(name.clone(), problem);
            }
        }
        Ok((faults.or(value)?, self.warnings))
    }

    fn unusable<T>(&mut self, variable: &'static str, problems: Problems) -> Read<T> {
        for problem in problems {
            self.fault(variable, problem);
        }
        self.unusable.insert(variable);
        Read::Unusable
    }

    fn unknown(&mut self, name: &str) {
        let problem = match names::suggestion(name) {
            Some(known) => format!("is no known variable; did you mean {known}?"),
            None => "is no known variable".to_owned(),
        };
        self.faults.insert((0, name.escape_debug().to_string()), vec![problem]);
    }

    fn form(&self, variable: &str) -> Form {
        match self.given.get(variable) {
            Some(Given { value: None, file: Some(_) }) => Form::File,
            _ => Form::Value,
        }
    }
}
