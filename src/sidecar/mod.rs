//! The `portcullis` binary, for the crate's own use.
//!
//! Exit codes are those of sysexits: 0 after a clean end, 64 where the command line is wrong, 78
//! where the configuration is, 1 for the rest.

mod access_log;
mod admin;
mod check;
mod command;
mod configured;
mod demo;
mod desk;
mod drain;
mod explain;
mod ext_authz;
mod field_class;
mod forward_auth;
mod front;
mod help;
mod hint;
mod identity;
mod judge;
mod known_fields;
mod log_writer;
mod pace;
mod path;
mod proxy;
mod rules;
mod seat;
mod serve;
mod settings;
mod telemetry;
mod upstream;
mod well_known;
mod words;

#[cfg(feature = "__internals")]
pub(crate) mod doors;

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use command::Command;

use crate::config_error::{ConfigError, Fault};

const USAGE: u8 = 64;
const CONFIGURATION: u8 = 78;

/// Why a command ended before its time.
#[derive(Debug)]
enum Failure {
    Configuration(ConfigError),
    /// What is wrong with the command line or with what was read because of it.
    Usage(String),
    Io(io::Error),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Configuration(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let done = |()| ExitCode::SUCCESS;
    let result = match Command::parse(&arguments) {
        Ok(Command::Serve) => serve::run().map(done),
        Ok(Command::Demo) => demo::run().map(done),
        Ok(Command::Check) => check::run(),
        Ok(Command::Explain(options)) => explain::run(options),
        Ok(Command::Help(topic)) => say(&topic.text()).map(done),
        Ok(Command::Version) => say(concat!("portcullis ", env!("CARGO_PKG_VERSION"))).map(done),
        Err(problem) => Err(Failure::Usage(problem.to_string())),
    };
    match result {
        Ok(code) => code,
        Err(Failure::Configuration(error)) => complain(&faults(&error), CONFIGURATION),
        Err(Failure::Usage(problem)) => complain(&format!("portcullis: {problem}"), USAGE),
        Err(Failure::Io(error)) => complain(&format!("portcullis: {error}"), 1),
    }
}

/// One line for each fault, as it is. Who has not set what is required may not know what there is.
fn faults(error: &ConfigError) -> String {
    let is_missing = |fault: &Fault| fault.problem().starts_with("is required");
    if error.faults().iter().any(is_missing) {
        format!("{error}\nportcullis --help lists them all")
    } else {
        error.to_string()
    }
}

/// Writes a line, or several, to standard output.
fn say(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", text.trim_end())?;
    Ok(output.flush()?)
}

fn complain(problem: &dyn fmt::Display, code: u8) -> ExitCode {
    // Where standard error is closed, the exit code has to do.
    let _ = writeln!(io::stderr().lock(), "{problem}");
    ExitCode::from(code)
}
