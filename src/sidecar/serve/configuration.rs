//! Everything that is read before anything is done.

use std::env;
use std::sync::Arc;

use super::files::RulesFile;
use super::tls::Tls;
use crate::config_error::ConfigError;
use crate::resource_server::ResourceServerBuilder;
use crate::sidecar::rules::Rules;
use crate::sidecar::settings::Settings;

/// What the variables of the process say, and the files that they name.
pub(in crate::sidecar) struct Configuration {
    pub(in crate::sidecar) settings: Settings,
    pub(in crate::sidecar) engine: ResourceServerBuilder,
    pub(in crate::sidecar) rules: Rules,
    pub(super) rules_file: Option<RulesFile>,
    pub(super) tls: Option<Arc<Tls>>,
}

impl Configuration {
    /// # Errors
    /// Every fault of the variables; if there is none, those of a file.
    pub(in crate::sidecar) fn read() -> Result<Self, ConfigError> {
        let (settings, engine) = Settings::read(env::vars_os())?;
        let rules_file = settings.rules.clone().map(RulesFile::new);
        let rules = rules_file.as_ref().map_or(Ok(Rules::none()), RulesFile::load)?;
        let tls = settings.tls.as_ref().map(Tls::load).transpose()?;
        Ok(Self { settings, engine, rules, rules_file, tls })
    }
}
