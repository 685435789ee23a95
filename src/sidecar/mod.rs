//! The `portcullis` binary, for the crate's own use.
//!
//! It has one command so far, `portcullis demo`. Exit codes are those of sysexits: 0 after a clean
//! end, 64 where the command line is wrong, 78 where the configuration is, 1 for the rest.

#[allow(dead_code, unused_imports)]
mod admin;
mod command;
mod demo;
mod path;
mod rules;
mod telemetry;

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use command::Command;

use crate::config_error::ConfigError;

const USAGE: u8 = 64;
const CONFIGURATION: u8 = 78;

/// Why a command ended before its time.
#[derive(Debug)]
enum Failure {
    Configuration(ConfigError),
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
    let result = match Command::parse(&arguments) {
        Ok(Command::Demo) => demo::run(),
        Ok(Command::Help) => say(command::HELP),
        Ok(Command::Version) => say(concat!("portcullis ", env!("CARGO_PKG_VERSION"))),
        Err(problem) => return complain(&format!("portcullis: {problem}"), USAGE),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // One line for each fault, as it is.
        Err(Failure::Configuration(error)) => complain(&error, CONFIGURATION),
        Err(Failure::Io(error)) => complain(&format!("portcullis: {error}"), 1),
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
