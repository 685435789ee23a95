//! The command line.

use std::fmt;

use super::explain;
use super::help::Topic;
use crate::env::nearest;

/// What the process is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Serve,
    Demo,
    Check,
    Explain(explain::Options),
    Help(Topic),
    Version,
}

/// The names that may be meant where none is known.
const NAMES: [&str; 7] = ["serve", "demo", "check", "explain", "help", "--help", "--version"];

const HELP: [&str; 2] = ["--help", "-h"];

/// A command line that nothing can be done with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UsageError {
    UnknownCommand {
        given: Given,
        similar: Option<&'static str>,
    },
    UnknownOption {
        given: Given,
        similar: Option<&'static str>,
        topic: Topic,
    },
    Superfluous {
        given: Given,
        topic: Topic,
    },
    /// `--request` without one.
    NoRequest,
}

/// An argument as a message may repeat it. What is long may be a token whose command was forgotten.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given(Option<String>);

impl Given {
    fn new(argument: &str) -> Self {
        const LONGEST: usize = 15;
        Self((argument.chars().count() <= LONGEST).then(|| argument.to_owned()))
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(argument) => write!(f, "{argument:?}"),
            None => f.write_str("of this name"),
        }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (similar, topic) = match self {
            Self::UnknownCommand { given, similar } => {
                write!(f, "there is no command {given}")?;
                (similar, Topic::All)
            }
            Self::UnknownOption { given, similar, topic } => {
                write!(f, "there is no option {given}")?;
                (similar, *topic)
            }
            Self::NoRequest => {
                f.write_str("--request needs a method and a path: --request \"GET /orders/7\"")?;
                (&None, Topic::Explain)
            }
            Self::Superfluous { given: Given(Some(argument)), topic } => {
                write!(f, "{argument:?} is one argument too many")?;
                (&None, *topic)
            }
            Self::Superfluous { topic, .. } => {
                f.write_str("there is one argument too many")?;
                (&None, *topic)
            }
        };
        if let Some(similar) = similar {
            write!(f, "; is it {similar:?} that you mean?")?;
        }
        match topic.name() {
            Some(name) => write!(f, "\nTry: portcullis {name} --help"),
            None => f.write_str("\nTry: portcullis --help"),
        }
    }
}

impl Command {
    /// From the arguments after the name of the program.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, UsageError> {
        let Some((first, rest)) = arguments.split_first() else { return Ok(Self::Serve) };
        let (command, topic) = match first.as_str() {
            "serve" => (Self::Serve, Topic::Serve),
            "demo" => (Self::Demo, Topic::Demo),
            "check" => (Self::Check, Topic::Check),
            "explain" => return explain(rest),
            "help" => return help(rest),
            "--help" | "-h" => (Self::Help(Topic::All), Topic::All),
            "--version" | "-V" => (Self::Version, Topic::All),
            unknown => {
                let (given, similar) = (Given::new(unknown), nearest(unknown, NAMES));
                return Err(UsageError::UnknownCommand { given, similar });
            }
        };
        match rest.first() {
            None => Ok(command),
            Some(argument) if HELP.contains(&argument.as_str()) => Ok(Self::Help(topic)),
            Some(argument) => Err(not_for(topic, argument, &["--help"])),
        }
    }
}

/// Everything that is no option belongs to the token, for lines are pasted as they are:
/// `Authorization: Bearer …`, without quotes.
fn explain(arguments: &[String]) -> Result<Command, UsageError> {
    const OPTIONS: [&str; 4] = ["--request", "--offline", "--json", "--help"];
    let mut options = explain::Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--offline" => options.offline = true,
            "--json" => options.json = true,
            "--request" => {
                let line = arguments.next().and_then(|line| explain::RequestLine::parse(line));
                options.request = Some(line.ok_or(UsageError::NoRequest)?);
            }
            "--help" | "-h" => return Ok(Command::Help(Topic::Explain)),
            // Standard input, as without it.
            "-" => {}
            option if option.starts_with('-') => {
                return Err(not_for(Topic::Explain, option, &OPTIONS));
            }
            word => options.token.add(word),
        }
    }
    Ok(Command::Explain(options))
}

/// `help`, and `help` with the name of a command.
fn help(arguments: &[String]) -> Result<Command, UsageError> {
    match arguments {
        [] => Ok(Command::Help(Topic::All)),
        [name] => match Topic::of(name) {
            Some(topic) => Ok(Command::Help(topic)),
            None => {
                let names = NAMES.into_iter().filter(|name| Topic::of(name).is_some());
                let (given, similar) = (Given::new(name), nearest(name, names));
                Err(UsageError::UnknownCommand { given, similar })
            }
        },
        [_, superfluous, ..] => Err(not_for(Topic::All, superfluous, &["--help"])),
    }
}

fn not_for(topic: Topic, argument: &str, options: &[&'static str]) -> UsageError {
    let given = Given::new(argument);
    if argument.starts_with('-') {
        let similar = nearest(argument, options.iter().copied());
        UsageError::UnknownOption { given, similar, topic }
    } else {
        UsageError::Superfluous { given, topic }
    }
}

#[cfg(test)]
mod tests;
