//! One line for every request.
//!
//! A line is put together by hand and kept until there are more of them or a moment has passed;
//! one thread writes for all workers. So a request costs no system call, and a reader of the log
//! that has stopped reading stops nobody: what does not fit is counted and told later.

mod line;
mod timestamp;

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub(super) use line::Line;

use self::timestamp::Timestamp;
use super::log_writer::Writer;
use super::settings::LogFormat;

/// Lines of one worker are handed over when they are this many bytes …
const ENOUGH: usize = 32 * 1024;
/// … or after this time.
const AT_LATEST: Duration = Duration::from_millis(200);

/// The access log of one worker. Without lines where the filter wants none.
#[derive(Clone)]
pub(super) struct AccessLog(Option<Arc<Worker>>);

struct Worker {
    format: LogFormat,
    writer: Writer,
    lines: Mutex<Lines>,
}

/// What is to be handed over.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    timestamp: Timestamp,
}

impl Worker {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves room for as many lines.
    fn hand_over(&self, lines: &mut Lines) {
        let room = Vec::with_capacity(lines.text.len().min(ENOUGH));
        self.writer.take(mem::replace(&mut lines.text, room));
    }
}

impl AccessLog {
    pub(super) fn new(writer: Option<Writer>, format: LogFormat) -> Self {
        let worker = |writer| Arc::new(Worker { format, writer, lines: Mutex::default() });
        Self(writer.map(worker))
    }

    /// To be called within the worker's runtime.
    pub(super) fn write(&self, line: &Line<'_>) {
        let Some(worker) = &self.0 else { return };
        let mut lines = worker.lines();
        let Lines { text, timestamp } = &mut *lines;
        let is_first = text.is_empty();
        let now = timestamp.at(SystemTime::now());
        match worker.format {
            LogFormat::Text => line.write_text(now, text),
            LogFormat::Json => line.write_json(now, text),
        }
        if text.len() >= ENOUGH {
            worker.hand_over(&mut lines);
        } else if is_first {
            self.hand_over_soon();
        }
    }

    /// Hands over what is there.
    pub(super) fn flush(&self) {
        if let Some(worker) = &self.0 {
            worker.hand_over(&mut worker.lines());
        }
    }

    fn hand_over_soon(&self) {
        let log = self.clone();
        // Where the runtime has ended, the last flush is still to come.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(AT_LATEST).await;
                log.flush();
            });
        }
    }
}
