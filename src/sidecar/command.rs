//! The command line.

use std::fmt;

use crate::env::nearest;

/// What the process is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Demo,
    Help,
    Version,
}

pub(super) const HELP: &str = "\
portcullis: checks OAuth 2.0 access tokens in front of an API

Usage: portcullis COMMAND

Commands:
  demo    runs a development authorization server and a protected API on this
          machine alone, and prints curl lines that show what the API answers

Options:
  -h, --help       prints this text
  -V, --version    prints the version

Environment:
  PORTCULLIS_LISTEN    address of the demo API, a loopback one
                       (default 127.0.0.1:8080, or a free port if that is taken)
";

/// The names that may be meant where none is known.
const NAMES: [&str; 3] = ["demo", "--help", "--version"];

/// Part of the design, and not there yet.
const PLANNED: [&str; 3] = ["serve", "check", "explain"];

/// A command line that nothing can be done with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UsageError {
    Nothing,
    Planned(String),
    Unknown { argument: String, similar: Option<&'static str> },
    Superfluous(String),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("a command is missing")?,
            Self::Planned(name) => write!(f, "the command {name:?} is not there yet")?,
            Self::Unknown { argument, similar: None } => {
                write!(f, "there is no command {argument:?}")?;
            }
            Self::Unknown { argument, similar: Some(similar) } => {
                write!(f, "there is no command {argument:?}; is it {similar:?} that you mean?")?;
            }
            Self::Superfluous(argument) => write!(f, "{argument:?} is one argument too many")?,
        }
        f.write_str("\nTry: portcullis --help")
    }
}

impl Command {
    /// From the arguments after the name of the program.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, UsageError> {
        let Some((first, rest)) = arguments.split_first() else { return Err(UsageError::Nothing) };
        let command = match first.as_str() {
            "demo" => Self::Demo,
            "help" | "--help" | "-h" => Self::Help,
            "--version" | "-V" => Self::Version,
            planned if PLANNED.contains(&planned) => {
                return Err(UsageError::Planned(first.clone()));
            }
            unknown => {
                let argument = first.clone();
                return Err(UsageError::Unknown { argument, similar: nearest(unknown, NAMES) });
            }
        };
        match rest {
            [] => Ok(command),
            [only] if matches!(only.as_str(), "--help" | "-h") => Ok(Self::Help),
            [superfluous, ..] => Err(UsageError::Superfluous(superfluous.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, UsageError> {
        let arguments: Vec<String> = line.split_terminator(' ').map(str::to_owned).collect();
        Command::parse(&arguments)
    }

    #[test]
    fn known_commands() {
        for (line, command) in [
            ("demo", Command::Demo),
            ("help", Command::Help),
            ("--help", Command::Help),
            ("-h", Command::Help),
            ("demo --help", Command::Help),
            ("--version", Command::Version),
            ("-V", Command::Version),
        ] {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn unknown_commands_are_refused_with_the_nearest_known_one() {
        for (argument, similar) in [
            ("dmeo", Some("demo")),
            ("Demo", Some("demo")),
            ("demos", Some("demo")),
            ("--hlep", Some("--help")),
            ("--versoin", Some("--version")),
            ("proxy", None),
            ("demonstrate", None),
            ("-", None),
        ] {
            let argument = argument.to_owned();
            assert_eq!(parse(&argument), Err(UsageError::Unknown { argument, similar }));
        }
    }

    #[test]
    fn other_mistakes() {
        assert_eq!(parse(""), Err(UsageError::Nothing));
        assert_eq!(parse("serve"), Err(UsageError::Planned("serve".to_owned())));
        assert_eq!(parse("demo now"), Err(UsageError::Superfluous("now".to_owned())));
    }

    #[test]
    fn messages_stay_on_their_lines() {
        let error = parse("a\nb\u{1b}[31m").unwrap_err().to_string();
        assert_eq!(error.lines().count(), 2);
        assert!(error.lines().all(|line| line.chars().all(|char| !char.is_control())));
    }
}
