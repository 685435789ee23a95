//! Threads that write, so that nobody waits for a reader of the log that has stopped reading.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// Bytes that may wait to be written; what comes on top is lost.
const WAITING: usize = 1024 * 1024;

/// Takes lines, whole ones, for the thread to write.
#[derive(Clone)]
pub(super) struct Writer(Arc<Queue>);

/// Counts lines that were not written since the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Lost(Arc<AtomicU64>);

impl Lost {
    pub(super) fn lines(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The end of a thread, which may never come.
pub(super) struct Written(oneshot::Receiver<Infallible>);

impl Written {
    /// Returns when the thread has written everything, or cannot write any more.
    pub(super) async fn wait(self) {
        // Nothing is ever sent: this is the end of the sender.
        let _ = self.0.await;
    }
}

struct Queue {
    /// What is written, for people.
    what: &'static str,
    state: Mutex<State>,
    changed: Condvar,
    lost: Lost,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Vec<u8>>,
    /// Bytes that are not written yet, those in the hands of the thread among them.
    waiting: usize,
    /// Lines that did not fit, and that nobody has been told of.
    lost: usize,
    is_closed: bool,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        what: &'static str,
        mut output: impl Write + Send + 'static,
    ) -> io::Result<(Self, Written)> {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let queue = Arc::new(Queue { what, state, changed, lost: Lost::default() });
        let (ends, written) = oneshot::channel();
        let taken_from = Arc::clone(&queue);
        thread::Builder::new().name(what.replace(' ', "-")).spawn(move || {
            write_all(&taken_from, &mut output);
            drop(ends);
        })?;
        Ok((Self(queue), Written(written)))
    }

    /// Takes all of these lines, or none.
    pub(super) fn take(&self, lines: Vec<u8>) {
        if lines.is_empty() {
            return;
        }
        let mut state = self.0.lock();
        if state.waiting.saturating_add(lines.len()) > WAITING {
            self.0.lose(&mut state, &lines);
        } else {
            state.waiting += lines.len();
            state.batches.push_back(lines);
            drop(state);
            self.0.changed.notify_one();
        }
    }

    pub(super) fn lost(&self) -> Lost {
        self.0.lost.clone()
    }

    /// The thread ends when it has written what is there.
    pub(super) fn close(&self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_one();
    }
}

/// For whoever writes whole lines at a time.
impl Write for Writer {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.take(lines.to_vec());
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, state: &mut State, lines: &[u8]) {
        let count = memchr::memchr_iter(b'\n', lines).count();
        state.lost += count;
        self.lost.0.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// All that waits, and how many lines were lost; `None` at the end.
    fn next(&self) -> Option<(VecDeque<Vec<u8>>, usize)> {
        let is_idle =
            |state: &mut State| state.batches.is_empty() && state.lost == 0 && !state.is_closed;
        let mut state =
            self.changed.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let next = (mem::take(&mut state.batches), mem::take(&mut state.lost));
        (!next.0.is_empty() || next.1 > 0).then_some(next)
    }

    /// Nothing is kept that nobody is going to write.
    fn give_up(&self) {
        let mut state = self.lock();
        for batch in mem::take(&mut state.batches) {
            self.lose(&mut state, &batch);
        }
        state.waiting = WAITING;
    }
}

/// How long nothing is written after a failure.
const AFTER_A_FAILURE: Duration = Duration::from_millis(500);

fn write_all(queue: &Queue, output: &mut impl Write) {
    let what = queue.what;
    while let Some((batches, lost)) = queue.next() {
        for batch in batches {
            let written = output.write_all(&batch).and_then(|()| output.flush());
            queue.lock().waiting -= batch.len();
            let Err(error) = written else { continue };
            queue.lose(&mut queue.lock(), &batch);
            tracing::warn!(%error, "{what}: cannot be written");
            // Nobody is left to read.
            if error.kind() == io::ErrorKind::BrokenPipe {
                queue.give_up();
                return;
            }
            // A disk that is full may not be so for ever.
            thread::sleep(AFTER_A_FAILURE);
        }
        // Now there is room, also where this line has to go the same way.
        if lost > 0 {
            tracing::warn!(lines = lost, "{what}: not written, as nobody reads fast enough");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// Writes down what comes; the first time, not before it is told to.
    struct Slow(Option<Receiver<()>>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(go) = self.0.take() {
                go.recv().unwrap();
            }
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn everything_is_written_before_the_end() {
        let memory = Arc::new(Mutex::new(Vec::new()));
        let (writer, written) = Writer::start("a log", Slow(None, Arc::clone(&memory))).unwrap();
        for number in 0..10 {
            writer.take(format!("{number}\n").into_bytes());
        }
        writer.take(Vec::new());
        writer.close();
        written.wait().await;
        assert_eq!(*memory.lock().unwrap(), b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    }

    #[tokio::test]
    async fn a_reader_that_stands_still_stops_nobody_and_costs_what_is_above_a_megabyte() {
        let (go, stuck) = channel();
        let memory = Arc::new(Mutex::new(Vec::new()));
        let output = Slow(Some(stuck), Arc::clone(&memory));
        let (writer, written) = Writer::start("a log", output).unwrap();
        // Small ones: it is bytes that count.
        for _ in 0..WAITING / 8 + 10 {
            writer.take(b"one\ntwo\n".to_vec());
        }
        assert_eq!((writer.0.lock().lost, writer.lost().lines()), (20, 20));
        go.send(()).unwrap();
        writer.close();
        written.wait().await;
        assert_eq!(memory.lock().unwrap().len(), WAITING);
        let state = writer.0.lock();
        // Also those that were lost after the last batch have been told of.
        assert_eq!((state.lost, state.waiting), (0, 0));
        assert_eq!(writer.lost().lines(), 20);
    }

    #[tokio::test]
    async fn an_output_that_is_closed_is_the_end() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (writer, written) = Writer::start("a log", Closed).unwrap();
        writer.take(b"one\n".to_vec());
        written.wait().await;
        // Nothing is kept that nobody is going to write.
        writer.take(b"two\n".to_vec());
        assert!(writer.0.lock().batches.is_empty());
        assert_eq!(writer.lost().lines(), 2);
    }
}
