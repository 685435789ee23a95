//! What `check` and `explain` look at: a sidecar, or an engine in somebody's program.

use std::env;

use super::rules::Rules;
use super::serve::Configuration;
use super::settings::Settings;
use crate::config_error::ConfigError;
use crate::env::{Source, read_engine, variables};
use crate::resource_server::ResourceServerBuilder;

/// The configuration of the process.
pub(super) struct Configured {
    pub(super) engine: ResourceServerBuilder,
    /// `None` where the variables are those of a program that uses the library.
    pub(super) sidecar: Option<(Settings, Rules)>,
    pub(super) warnings: Vec<&'static str>,
}

impl Configured {
    /// Everything where a service, rules or a mode are named, as `serve` reads it; else the engine's part.
    ///
    /// # Errors
    /// Every fault.
    pub(super) fn read() -> Result<Self, ConfigError> {
        let mut source = Source::new(env::vars_os());
        let names = [variables::UPSTREAM, variables::RULES, variables::MODE];
        if !names.into_iter().all(|name| source.origin(name).is_unset()) {
            let Configuration { settings, engine, rules, .. } = Configuration::read(source)?;
            let warnings = settings.warnings.clone();
            return Ok(Self::new(engine, Some((settings, rules)), warnings));
        }
        let engine = read_engine(&mut source);
        let (engine, warnings) = source.finish_quietly(engine)?;
        Ok(Self::new(engine, None, warnings))
    }

    /// Looking leaves no file behind.
    fn new(
        engine: ResourceServerBuilder,
        sidecar: Option<(Settings, Rules)>,
        warnings: Vec<&'static str>,
    ) -> Self {
        Self { engine: engine.without_jwks_snapshot(), sidecar, warnings }
    }
}
