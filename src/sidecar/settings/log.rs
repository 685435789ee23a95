//! What is logged, and how.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::env::{Problems, Source, nearest, values, variables};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum LogFormat {
    Text,
    Json,
}

/// Which lines, and their form.
#[derive(Debug, Clone)]
pub(in crate::sidecar) struct LogSettings {
    pub(in crate::sidecar) filter: Targets,
    pub(in crate::sidecar) format: LogFormat,
}

pub(super) fn read(source: &mut Source) -> LogSettings {
    let filter = source.read(variables::LOG, filter);
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = source.read(variables::LOG_FORMAT, |text| values::choice(text, &formats));
    LogSettings {
        filter: filter.value().unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)),
        format: format.value().unwrap_or(LogFormat::Text),
    }
}

/// A level for everything, and `target=level` for parts, with commas between.
fn filter(text: &str) -> Result<Targets, Problems> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let mut filter = Targets::new();
    let mut problems = Vec::new();
    for (number, directive) in (1..).zip(text.split(',').map(str::trim)) {
        let (target, level) = match directive.split_once('=') {
            Some((target, level)) => (Some(target.trim()), level.trim()),
            None => (None, directive),
        };
        let known = LEVELS.iter().find(|known| known.eq_ignore_ascii_case(level));
        match (target, known.and_then(|known| known.parse::<LevelFilter>().ok())) {
            (None, Some(level)) => filter = filter.with_default(level),
            (Some(target), Some(level)) if !target.is_empty() => {
                filter = filter.with_target(target, level);
            }
            _ => problems.push(match nearest(level, LEVELS) {
                Some(near) if known.is_none() => {
                    format!("element {number}: is no level; did you mean {near}?")
                }
                _ => format!(
                    "element {number}: must be off, error, warn, info, debug or trace, or such a \
                     level of a part: portcullis::access=off"
                ),
            }),
        }
    }
    if problems.is_empty() { Ok(filter) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_are_for_everything_or_for_a_part() {
        let parts = filter("warn, portcullis=debug,portcullis::access=OFF").unwrap();
        for (target, level, is_logged) in [
            ("hyper", Level::INFO, false),
            ("hyper", Level::WARN, true),
            ("portcullis::keys", Level::DEBUG, true),
            ("portcullis::keys", Level::TRACE, false),
            ("portcullis::access", Level::ERROR, false),
        ] {
            assert_eq!(parts.would_enable(target, &level), is_logged, "{target} {level}");
        }
        assert!(filter("info").unwrap().would_enable("anything", &Level::INFO));
    }

    #[test]
    fn what_is_no_level_is_a_fault() {
        for (text, problem) in [
            ("inof", "element 1: is no level; did you mean info?"),
            ("info,portcullis=debgu", "element 2: is no level; did you mean debug?"),
        ] {
            assert_eq!(filter(text).unwrap_err(), [problem], "{text}");
        }
        for bad in ["portcullis", "info,", "=info", "5", "info;debug", "portcullis="] {
            assert_eq!(filter(bad).unwrap_err().len(), 1, "{bad}");
        }
    }
}
