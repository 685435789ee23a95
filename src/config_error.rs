//! What is wrong with a configuration: every fault at once.

use std::fmt;

/// A configuration that cannot be used, with every fault that was found.
///
/// `Display` writes one line per fault, naming the setting. Values of secrets never appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    faults: Vec<Fault>,
}

/// One thing wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    setting: String,
    problem: String,
    about: Option<Setting>,
}

/// What a fault is about, whatever name it was configured by: a front that reads settings from
/// somewhere else than the program has names of its own for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Issuer,
    Audience,
    JwksUri,
    Jwks,
    Algorithms,
    Leeway,
    ScopeClaims,
    RequiredClaims,
    AllowedScopes,
    ImpliedScopes,
    GrantedWildcards,
    Callers,
    FirstParty,
    MaxIssuers,
    Realm,
    Resource,
    ScopesSupported,
    JwksSnapshot,
    #[cfg(feature = "introspection")]
    IntrospectionUri,
    #[cfg(feature = "introspection")]
    ClientId,
    #[cfg(feature = "introspection")]
    ClientSecret,
    #[cfg(feature = "introspection")]
    TokenUri,
}

impl Fault {
    pub(crate) fn new(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { setting: setting.into(), problem: problem.into(), about: None }
    }

    #[cfg(feature = "env")]
    pub(crate) fn about(&self) -> Option<Setting> {
        self.about
    }

    /// About another setting, by its name.
    pub(crate) fn labelled(self, setting: &str) -> Self {
        Self { setting: setting.to_owned(), ..self }
    }

    /// The name of the setting or variable at fault.
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// What is wrong with it and what would be right.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.problem)
    }
}

impl ConfigError {
    /// Every fault, in the order of the settings.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Collects faults while a configuration is read, so that one run reports all of them.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, setting: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Fault::new(setting, problem));
    }

    /// Like [`add`](Self::add), for a setting that a front may know by another name.
    pub(crate) fn add_about(
        &mut self,
        about: Setting,
        label: impl Into<String>,
        problem: impl Into<String>,
    ) {
        self.0.push(Fault { about: Some(about), ..Fault::new(label, problem) });
    }

    /// One that was found apart.
    pub(crate) fn take(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.0
    }

    /// `value` where nothing was found.
    pub(crate) fn or<T>(self, value: T) -> Result<T, ConfigError> {
        if self.0.is_empty() { Ok(value) } else { Err(ConfigError { faults: self.0 }) }
    }

    /// The error that one more fault makes it.
    #[cfg(feature = "testing")]
    pub(crate) fn and(
        mut self,
        setting: impl Into<String>,
        problem: impl Into<String>,
    ) -> ConfigError {
        self.add(setting, problem);
        ConfigError { faults: self.0 }
    }
}
