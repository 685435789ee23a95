//! What is logged, and how.

use tracing_subscriber::EnvFilter;

use crate::env::{Source, values, variables};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum LogFormat {
    Text,
    Json,
}

/// A filter of tracing, as text that is known to parse, and the form.
#[derive(Debug, Clone)]
pub(in crate::sidecar) struct LogSettings {
    pub(in crate::sidecar) filter: String,
    pub(in crate::sidecar) format: LogFormat,
}

pub(super) fn read(source: &mut Source) -> LogSettings {
    let filter = source.read(variables::LOG, |text| match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => values::problem(
            "must be a filter of tracing: info, debug, or portcullis=debug,portcullis::access=off",
        ),
    });
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = source.read(variables::LOG_FORMAT, |text| values::choice(text, &formats));
    LogSettings {
        filter: filter.value().unwrap_or_else(|| "info".to_owned()),
        format: format.value().unwrap_or(LogFormat::Text),
    }
}
