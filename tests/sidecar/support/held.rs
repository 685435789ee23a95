//! A service that begins its answers at once, and ends them when it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What it answers, in the two parts in which it comes.
pub(crate) const PARTS: [&str; 2] = ["begun, ", "and ended"];

/// One request per connection. Its threads end with the process.
pub(crate) struct Held {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Default)]
struct State {
    begun: usize,
    is_released: bool,
}

impl Held {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let state = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), Arc::clone(&state));
                thread::spawn(move || state.answer(stream));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many answers have begun.
    pub(crate) fn begun(&self) -> usize {
        self.shared.state.lock().unwrap().begun
    }

    /// All answers end now, those to come at once.
    pub(crate) fn release(&self) {
        self.shared.state.lock().unwrap().is_released = true;
        self.shared.released.notify_all();
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                // A connection that was opened for nothing, or cut off.
                _ => return,
            }
        }
        let length = PARTS.concat().len();
        let begin = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", PARTS[0]);
        stream.write_all(begin.as_bytes()).unwrap();
        let mut state = self.state.lock().unwrap();
        state.begun += 1;
        while !state.is_released {
            state = self.released.wait(state).unwrap();
        }
        drop(state);
        // Whoever waited may have been cut off.
        let _ = stream.write_all(PARTS[1].as_bytes());
    }
}
