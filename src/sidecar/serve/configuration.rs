//! Everything that is read before anything is done.

use std::sync::Arc;

use super::files::RulesFile;
use super::pem::Pems;
use super::tls::Tls;
use crate::config_error::ConfigError;
use crate::env::{Source, variables};
use crate::resource_server::ResourceServerBuilder;
use crate::sidecar::rules::Rules;
use crate::sidecar::settings::Settings;

/// What the variables of the process say, and the files that they name.
pub(in crate::sidecar) struct Configuration {
    pub(in crate::sidecar) settings: Settings,
    pub(in crate::sidecar) engine: ResourceServerBuilder,
    pub(in crate::sidecar) rules: Rules,
    pub(super) rules_file: Option<RulesFile>,
    pub(super) tls: Option<(Arc<Tls>, Pems)>,
}

impl Configuration {
    /// # Errors
    /// Every fault, of the variables and of the files that they name.
    pub(in crate::sidecar) fn read(mut source: Source) -> Result<Self, ConfigError> {
        let (mut settings, engine) = Settings::read(&mut source);
        let tells_parties = [variables::FIRST_PARTY_CLIENTS, variables::FIRST_PARTY_CLAIM]
            .iter()
            .any(|name| !source.origin(name).is_unset());
        let mut rules_file = settings.rules.clone().map(|path| RulesFile::new(path, tells_parties));
        let rules = rules_file.as_mut().map_or_else(Rules::none, |file| file.load(&mut source));
        let tls = settings.tls.as_ref().and_then(|files| Tls::load(files, &mut source));
        let ((), warnings) = source.finish_quietly(())?;
        settings.warnings = warnings;
        Ok(Self { settings, engine, rules, rules_file, tls })
    }
}
