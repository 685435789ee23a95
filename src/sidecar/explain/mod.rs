//! `portcullis explain`: would this token pass, and if not, why not?
//!
//! 1. The verdict is the engine's, from [`ResourceServer::verify`](crate::ResourceServer::verify).
//! 2. The lines beside it come from the engine's own checks, each made by itself ([`lines`]), so
//!    that all reasons show and not the first alone.
//! 3. Where the two disagree, that is said ([`verdict`]).
//! 4. What is printed of a token are the values that a check is about, escaped and cut; never one
//!    of its three parts.

mod claims;
mod header;
mod input;
mod json;
mod keys;
mod lifetime;
mod lines;
mod offline;
mod report;
mod scopes;
mod text;
mod values;
mod verdict;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::SystemTime;

use tokio::runtime;

use self::input::Presented;
pub(super) use self::keys::name as name_of_key;
use self::offline::NoNetwork;
use self::report::Report;
use self::verdict::Verdict;
use super::configured::Configured;
use super::{Failure, say};
use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::resource_server::ResourceServerBuilder;

/// What the command line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) token: Presented,
    pub(super) offline: bool,
    pub(super) json: bool,
}

/// Explains, and ends with 0 for a token that would pass.
pub(super) fn run(options: Options) -> Result<ExitCode, Failure> {
    let Configured { engine, .. } = Configured::read()?;
    let token = options.token.read(io::stdin())?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let now = SystemClock.now();
    let report = runtime.block_on(explain(engine, &token, now, options.offline))?;
    say(&if options.json { json::write(&report)? } else { text::write(&report, wants_colour()) })?;
    Ok(if report.verdict.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All that there is to say about a token at one moment.
async fn explain(
    engine: ResourceServerBuilder,
    token: &str,
    now: SystemTime,
    offline: bool,
) -> Result<Report, ConfigError> {
    let engine = engine.clock(Stopped(now)).token_cache(0);
    let engine = if offline { engine.http_client(NoNetwork) } else { engine };
    let server = engine.build()?;
    let judged = server.verify(token).await;
    let refused = judged.as_ref().err().map(|rejection| rejection.kind());
    let lines = lines::write(&server, token, now, refused, offline).await;
    let verdict = Verdict::new(&server, judged.err(), &lines, offline);
    Ok(Report { lines, verdict })
}

/// The engine and the lines have to mean the same instant.
struct Stopped(SystemTime);

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}

/// See <https://no-color.org>.
fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests;
