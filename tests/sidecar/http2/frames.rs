//! A client that speaks HTTP/2 byte by byte.

use std::net::SocketAddr;

use crate::support::Connection;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const ACK: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;
pub(super) const WITH_PRIORITY: u8 = 32;
pub(super) const WHOLE: u8 = END_HEADERS | END_STREAM;

/// How a stream has ended, or the connection before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered { is_200: bool },
    Reset,
    GoneAway,
    Closed,
}

pub(super) struct Client(Connection);

impl Client {
    pub(super) fn open(address: SocketAddr) -> Self {
        let mut connection = Connection::open(address);
        connection.send(&[PREFACE, &frame(SETTINGS, 0, 0, b"")].concat());
        Self(connection)
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.0.send(bytes);
    }

    /// The next frame: kind, flags, stream, payload.
    pub(super) fn next(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let head = self.0.up_to(9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let payload = self.0.up_to(usize::try_from(length).unwrap())?;
        Some((head[3], head[4], stream, payload))
    }

    /// How this stream ends.
    pub(super) fn end_of(&mut self, wanted: u32) -> End {
        while let Some((kind, _, stream, payload)) = self.next() {
            match kind {
                // The first entry of the static table with a status is that of 200.
                HEADERS if stream == wanted => {
                    return End::Answered { is_200: payload.first() == Some(&0x88) };
                }
                RST_STREAM if stream == wanted => return End::Reset,
                // Farewells without an error announce an end that comes later.
                GOAWAY if payload[4..8] != [0; 4] => return End::GoneAway,
                _ => {}
            }
        }
        End::Closed
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals without indexing (RFC 7541 §6.2.2).
pub(super) fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            integer(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// RFC 7541 §5.1, with a prefix of seven bits.
fn integer(block: &mut Vec<u8>, value: usize) {
    if value < 127 {
        block.push(u8::try_from(value).unwrap());
        return;
    }
    block.push(127);
    let mut rest = value - 127;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}
