//! A service that reads bytes, notes them, and answers as a test tells it.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::raw::Connection;

/// A request as a strict server reads it.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawRequest {
    /// With its empty line.
    pub(crate) head: String,
    /// Without the framing of chunks.
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: String,
    /// Whether it came to its end.
    pub(crate) is_complete: bool,
}

/// One thread for each connection.
pub(crate) struct RawUpstream {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    requests: Mutex<Vec<RawRequest>>,
    is_over: AtomicBool,
    open: Mutex<usize>,
    closed: Condvar,
}

impl RawRequest {
    pub(crate) fn line(&self) -> &str {
        self.head.split("\r\n").next().unwrap()
    }

    /// The values of a field, in order.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.head.split("\r\n").skip(1);
        let fields = lines.filter_map(|line| line.split_once(':'));
        fields
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }
}

impl RawUpstream {
    /// Answers `ok` to every request.
    pub(crate) fn start() -> Self {
        Self::serving(|connection| {
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            true
        })
    }

    /// Calls `answer` after each request, which says whether the connection stays.
    pub(crate) fn serving(
        answer: impl Fn(&mut Connection) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::speaking(move |connection, note| {
            while let Some(request) = connection.request() {
                let is_complete = request.is_complete;
                note(request);
                if !is_complete || !answer(connection) {
                    break;
                }
            }
        })
    }

    /// Leaves connections to `speak`, which is told where to note requests.
    pub(crate) fn speaking(
        speak: impl Fn(&mut Connection, &dyn Fn(RawRequest)) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let (speak, shared) = (Arc::new(speak), Arc::clone(&state));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (speak, open) = (Arc::clone(&speak), Open::count(&shared));
                thread::spawn(move || {
                    let note = |request| open.0.requests.lock().unwrap().push(request);
                    let stream = stream.unwrap();
                    let ended = stream.try_clone().unwrap();
                    speak(&mut Connection::over(stream), &note);
                    // A process that another test starts at this moment has the socket too until it
                    // runs its own program, so that closing it alone would end nothing yet.
                    let _ = ended.shutdown(Shutdown::Write);
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many have come since something was taken.
    pub(crate) fn count(&self) -> usize {
        self.state.requests.lock().unwrap().len()
    }

    /// What has come since the last time.
    pub(crate) fn take(&self) -> Vec<RawRequest> {
        std::mem::take(&mut self.state.requests.lock().unwrap())
    }

    /// Everything, once all connections have ended.
    pub(crate) fn take_all(&self) -> Vec<RawRequest> {
        self.wait_for_end();
        self.take()
    }

    /// Waits until no connection is open.
    pub(crate) fn wait_for_end(&self) {
        let open = self.state.open.lock().unwrap();
        drop(self.state.closed.wait_while(open, |open| *open > 0).unwrap());
    }
}

impl Drop for RawUpstream {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// A connection, however its thread ends.
struct Open(Arc<State>);

impl Open {
    fn count(state: &Arc<State>) -> Self {
        *state.open.lock().unwrap() += 1;
        Self(Arc::clone(state))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap() -= 1;
        self.0.closed.notify_all();
    }
}

impl Connection {
    /// The next request; `None` where the connection has ended.
    pub(crate) fn request(&mut self) -> Option<RawRequest> {
        let mut request = self.request_head()?;
        request.is_complete = self.request_body(&mut request).is_some();
        Some(request)
    }

    /// Its head alone.
    pub(crate) fn request_head(&mut self) -> Option<RawRequest> {
        let head = self.until(b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&head).into_owned();
        Some(RawRequest { head, ..RawRequest::default() })
    }

    fn request_body(&mut self, request: &mut RawRequest) -> Option<()> {
        if request.values("transfer-encoding").is_empty() {
            let length = request.values("content-length").first().map_or("0", |length| length);
            request.body = self.up_to(length.parse().unwrap())?;
            return Some(());
        }
        loop {
            let size = self.until(b"\r\n")?;
            let size = std::str::from_utf8(&size).unwrap().trim_end();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                break;
            }
            request.body.extend(self.up_to(size)?);
            assert_eq!(self.until(b"\r\n")?, b"\r\n");
        }
        loop {
            let line = self.until(b"\r\n")?;
            if line == b"\r\n" {
                return Some(());
            }
            request.trailers.push_str(std::str::from_utf8(&line).unwrap());
        }
    }
}
