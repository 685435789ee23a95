//! Where the log goes: requests to standard output, everything else to standard error.

use std::io;
use std::sync::Mutex;
use std::thread::JoinHandle;

use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

use crate::sidecar::access_log::{AccessLog, Writer};
use crate::sidecar::settings::{LogFormat, Settings};

/// What there is to end with.
pub(super) struct Log {
    format: LogFormat,
    writer: Mutex<Option<(Writer, JoinHandle<()>)>>,
}

/// From now on, there is a log.
pub(super) fn start(settings: &Settings) -> io::Result<Log> {
    let filtered = registry().with(settings.log.filter.clone());
    let lines = fmt::layer().with_writer(io::stderr);
    let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
    match settings.log.format {
        LogFormat::Text => filtered.with(lines.with_ansi(is_terminal)).init(),
        LogFormat::Json => filtered.with(lines.json().flatten_event(true)).init(),
    }
    let wanted = tracing::enabled!(target: "portcullis::access", Level::INFO);
    let writer = if wanted { Some(Writer::start(io::stdout())?) } else { None };
    Ok(Log { format: settings.log.format, writer: Mutex::new(writer) })
}

impl Log {
    /// One worker's own.
    pub(super) fn access(&self) -> AccessLog {
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        AccessLog::new(writer.as_ref().map(|(writer, _)| writer.clone()), self.format)
    }

    /// Waits until everything is written.
    pub(super) fn finish(self) {
        let writer = self.writer.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((writer, thread)) = writer {
            drop(writer);
            // It has nothing to say.
            let _ = thread.join();
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
