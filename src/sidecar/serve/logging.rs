//! Where the log goes: requests to standard output, everything else to standard error.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

use crate::sidecar::access_log::AccessLog;
use crate::sidecar::log_writer::{Lost, Writer, Written};
use crate::sidecar::settings::{LogFormat, Settings};

/// For the last lines, where there is no other time left.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What there is to end with.
pub(super) struct Log {
    format: LogFormat,
    access: Option<(Writer, Written)>,
    others: (Writer, Written),
}

/// From now on, there is a log.
pub(super) fn start(settings: &Settings) -> io::Result<Log> {
    let filtered = registry().with(settings.log.filter.clone());
    let others = Writer::start("log", io::stderr())?;
    let writer = others.0.clone();
    let lines = fmt::layer()
        // It would be written to standard error, which may block.
        .log_internal_errors(false)
        .with_writer(move || writer.clone());
    // Which module says it matters to whoever looks for more than most need.
    let filter = &settings.log.filter;
    let mut levels = filter.iter().map(|(_, level)| level).chain(filter.default_level());
    let has_modules = levels.any(|level| level > LevelFilter::INFO);
    let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
    match settings.log.format {
        LogFormat::Text => {
            filtered.with(lines.with_ansi(is_terminal).with_target(has_modules)).init()
        }
        LogFormat::Json => filtered.with(lines.json().flatten_event(true)).init(),
    }
    let wanted = tracing::enabled!(target: "portcullis::access", Level::INFO);
    let access = if wanted { Some(Writer::start("access log", io::stdout())?) } else { None };
    Ok(Log { format: settings.log.format, access, others })
}

impl Log {
    /// One worker's own.
    pub(super) fn access(&self) -> AccessLog {
        AccessLog::new(self.access.as_ref().map(|(writer, _)| writer.clone()), self.format)
    }

    /// Lines that were not written, each count by the name that it has in metrics.
    pub(super) fn lost(&self) -> Vec<(&'static str, Lost)> {
        let access = self.access.as_ref().map(|(writer, _)| ("access", writer.lost()));
        access.into_iter().chain([("process", self.others.0.lost())]).collect()
    }

    /// Waits until everything is written: as long as there is time, a second at least, and not if
    /// `hurry` comes. Whoever does not read by then goes without.
    pub(super) async fn finish(self, deadline: Instant, hurry: impl Future<Output = ()>) {
        let written = async {
            // What is lost of the first is told in the second.
            for (writer, written) in self.access.into_iter().chain([self.others]) {
                writer.close();
                written.wait().await;
            }
        };
        tokio::select! {
            () = written => {}
            () = sleep_until(deadline.max(Instant::now() + LAST_LINES)) => {}
            () = hurry => {}
        }
    }
}

/// What the sidecar was told, without secrets.
pub(super) fn tell_settings(settings: &Settings) {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "portcullis");
    for (variable, value) in &settings.summary {
        tracing::info!("{variable}={value}");
    }
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
}
