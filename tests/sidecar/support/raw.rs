//! A client that sends what it is told, byte by byte, and reads what comes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::process::PATIENCE;

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// One GET over a connection of its own; `fields` are whole lines.
pub(crate) fn get(address: SocketAddr, path: &str, fields: &str) -> Answer {
    get_from(address, "api.example", path, fields)
}

pub(crate) fn get_from(address: SocketAddr, host: &str, path: &str, fields: &str) -> Answer {
    let mut connection = Connection::open(address);
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").as_bytes());
    connection.answer().expect("an answer")
}

impl Answer {
    /// The value of a field that is there once.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(found, _)| found == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::try_open(address).unwrap()
    }

    /// `None` where nobody listens.
    pub(crate) fn try_open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Some(Self::over(stream))
    }

    /// Over what was accepted.
    pub(super) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        // Whoever is refused may have closed already.
        let _ = self.stream.write_all(bytes);
    }

    /// Whether the other side still takes it.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Reads this many bytes and forgets them; how many came before the end.
    pub(crate) fn skip(&mut self, length: u64) -> u64 {
        let mut left = length;
        while left > 0 {
            if self.read.is_empty() && self.more() == 0 {
                break;
            }
            let read = u64::try_from(self.read.len()).unwrap().min(left);
            self.read.drain(..usize::try_from(read).unwrap());
            left -= read;
        }
        length - left
    }

    /// Ends our side of it.
    pub(crate) fn finish(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// The next answer to a request that was no HEAD; `None` where the connection has ended. Those
    /// with 1xx, but for 101, are passed over.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        loop {
            let answer = self.answer_to(false)?;
            if answer.status >= 200 || answer.status == 101 {
                return Some(answer);
            }
        }
    }

    /// The next answer, whatever its status.
    pub(crate) fn answer_to(&mut self, is_head: bool) -> Option<Answer> {
        let Some(head) = self.until(b"\r\n\r\n") else {
            assert!(self.read.is_empty(), "cut off: {:?}", self.read);
            return None;
        };
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.map(field).collect();
        let mut answer = Answer { status, fields, body: Vec::new(), trailers: Vec::new() };
        if !is_head && status >= 200 && status != 204 && status != 304 {
            answer.body = self.body(&mut answer);
        }
        Some(answer)
    }

    fn body(&mut self, answer: &mut Answer) -> Vec<u8> {
        if let Some(length) = answer.field("content-length") {
            return self.exactly(length.parse().unwrap());
        }
        if answer.field("transfer-encoding") != Some("chunked") {
            return self.rest();
        }
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line(), 16).unwrap();
            if size == 0 {
                let line = |_| Some(self.line()).filter(|line| !line.is_empty());
                let lines: Vec<String> = std::iter::repeat(()).map_while(line).collect();
                answer.trailers = lines.iter().map(|line| field(line)).collect();
                return body;
            }
            body.extend(self.exactly(size));
            assert_eq!(self.line(), "");
        }
    }

    /// This many bytes.
    pub(crate) fn exactly(&mut self, length: usize) -> Vec<u8> {
        let bytes = self.up_to(length);
        bytes.unwrap_or_else(|| panic!("cut off after {} of {length}", self.read.len()))
    }

    /// This many bytes; `None` where the connection ends before.
    pub(crate) fn up_to(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            if self.more() == 0 {
                return None;
            }
        }
        Some(self.read.drain(..length).collect())
    }

    fn line(&mut self) -> String {
        let line = self.until(b"\r\n").expect("a line");
        String::from_utf8(line[..line.len() - 2].to_vec()).unwrap()
    }

    /// What comes up to this and with it; `None` where the connection has ended.
    pub(crate) fn until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(start) = find(&self.read, mark) {
                return Some(self.read.drain(..start + mark.len()).collect());
            }
            if self.more() == 0 {
                return None;
            }
        }
    }

    /// Everything up to the end of the connection, however it ends.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.more() > 0 {}
        std::mem::take(&mut self.read)
    }

    /// Whether the other side has closed, after everything was read.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.read.is_empty() && self.more() == 0
    }

    /// A connection that was reset has ended too.
    fn more(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(length) => {
                self.read.extend_from_slice(&buffer[..length]);
                length
            }
            // Reads with a time limit are not begun again by the system when a signal comes, such as that
            // a process of this test has ended.
            Err(error) if error.kind() == ErrorKind::Interrupted => self.more(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("nothing came in time; so far {:?}", String::from_utf8_lossy(&self.read))
            }
            Err(_) => 0,
        }
    }
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap();
    (name.to_ascii_lowercase(), value.trim().to_owned())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
