//! The thread that writes.

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

/// Batches of lines that wait to be written: about a megabyte.
const WAITING: usize = 32;

/// Takes lines, whole ones, for the thread to write.
#[derive(Clone)]
pub(in crate::sidecar) struct Writer {
    batches: SyncSender<Vec<u8>>,
    /// Lines that did not fit.
    lost: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread. It ends when the last writer is dropped and everything is written.
    pub(in crate::sidecar) fn start(
        mut output: impl Write + Send + 'static,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (batches, waiting) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let thread = thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_all(&waiting, &mut output, &counted))?;
        Ok((Self { batches, lost }, thread))
    }

    /// Takes all lines, and leaves room for as many.
    pub(super) fn take(&self, lines: &mut Vec<u8>) {
        if lines.is_empty() {
            return;
        }
        let room = Vec::with_capacity(lines.len().min(super::ENOUGH));
        match self.batches.try_send(mem::replace(lines, room)) {
            Ok(()) => {}
            Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                let count = memchr::memchr_iter(b'\n', &batch).count();
                self.lost.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            }
        }
    }
}

fn write_all(waiting: &Receiver<Vec<u8>>, output: &mut impl Write, lost: &AtomicU64) {
    for batch in waiting {
        // Nobody is left to be told when standard output is closed.
        let written = output.write_all(&batch).and_then(|()| output.flush());
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(lines = lost, "access log: not written, as nobody reads fast enough");
        }
        if let Err(error) = written {
            tracing::warn!(%error, "access log: cannot be written any more");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_is_written_before_the_end() {
        let memory = Memory::default();
        let (writer, thread) = Writer::start(memory.clone()).unwrap();
        for number in 0..10 {
            writer.take(&mut format!("{number}\n").into_bytes());
        }
        writer.take(&mut Vec::new());
        drop(writer);
        thread.join().unwrap();
        assert_eq!(*memory.0.lock().unwrap(), b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    }

    /// Writes nothing before it is told to.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stands_still_stops_nobody() {
        let (go, stuck) = channel();
        let (writer, thread) = Writer::start(Stuck(stuck)).unwrap();
        for _ in 0..WAITING + 10 {
            writer.take(&mut b"one\ntwo\n".to_vec());
        }
        // One may be in the thread's hands already.
        let lost = writer.lost.load(Ordering::Relaxed);
        assert!((18..=20).contains(&lost), "{lost}");
        for _ in 0..=WAITING {
            go.send(()).unwrap();
        }
        drop(writer);
        thread.join().unwrap();
    }
}
