//! What is logged by this thread. Tests run side by side, and a subscriber of each would not do:
//! whether an event is of interest to anybody is remembered for the whole process.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

static START: Once = Once::new();

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on `info` and above are written down.
pub fn start() {
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .with_writer(|| Log)
            .init();
    });
    take();
}

/// The lines that this thread has logged since it was last asked.
pub fn take() -> Vec<String> {
    let text = LOG.with_borrow_mut(std::mem::take);
    String::from_utf8(text).unwrap().lines().map(|line| line.trim().to_owned()).collect()
}
