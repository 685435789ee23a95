//! Refusals on the wire, frame by frame (RFC 9113 §4, §6).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use portcullis::scope;
use portcullis::tonic::Methods;

use crate::orders::CREATE;
use crate::shop::{Served, authority, shop};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

/// A client that writes frames as it is told. It blocks.
struct Wire(TcpStream);

impl Wire {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut wire = Self(stream);
        wire.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        wire.send(SETTINGS, 0, 0, &[]);
        wire
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        self.0.write_all(&length[1..]).unwrap();
        self.0.write_all(&[kind, flags]).unwrap();
        self.0.write_all(&stream.to_be_bytes()).unwrap();
        self.0.write_all(payload).unwrap();
    }

    fn next(&mut self) -> Frame {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).unwrap();
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Frame { kind: head[3], flags: head[4], stream, payload }
    }

    /// What comes on this stream up to the answer to a ping, which is sent now.
    fn rest_of(&mut self, stream: u32) -> Vec<Frame> {
        self.send(PING, 0, 0, b"portcull");
        let mut frames = Vec::new();
        loop {
            let frame = self.next();
            match frame.kind {
                PING if frame.flags & ACK != 0 => return frames,
                SETTINGS if frame.flags & ACK == 0 => self.send(SETTINGS, ACK, 0, &[]),
                _ if frame.stream == stream => frames.push(frame),
                _ => {}
            }
        }
    }

    /// The frames of the answer: those up to the end of the stream, and what follows.
    fn answer(&mut self, stream: u32) -> Vec<Frame> {
        let mut frames = Vec::new();
        // A ping may overtake what is still being decided.
        while !frames.iter().any(|frame: &Frame| frame.flags & END_STREAM != 0) {
            frames.extend(self.rest_of(stream));
        }
        frames.extend(self.rest_of(stream));
        frames
    }
}

/// A header block of literals without Huffman coding and without indexing (RFC 7541 §6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "longer ones are written in another way");
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

fn call(content_type: &str) -> Vec<u8> {
    block(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":path", CREATE),
        (":authority", "api.example"),
        ("content-type", content_type),
        ("te", "trailers"),
    ])
}

async fn protected() -> Served {
    let api = authority().resource_server().realm("rs").build().unwrap();
    shop(api.methods(Methods::new().require(CREATE, scope("orders.write"))).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_02_a_refusal_is_one_headers_frame_that_ends_the_stream() {
    let served = protected().await;
    let mut wire = Wire::open(served.address);
    wire.send(HEADERS, END_HEADERS | END_STREAM, 1, &call("application/grpc"));
    let frames = wire.answer(1);
    let [frame] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!(frame.kind, HEADERS);
    assert_eq!(frame.flags & (END_STREAM | END_HEADERS), END_STREAM | END_HEADERS);
    // `:status: 200` of the static table (RFC 7541 appendix A).
    assert_eq!(frame.payload[0], 0x88);
}

/// The client is still sending its messages.
#[tokio::test(flavor = "multi_thread")]
async fn grpc_06_a_refusal_before_the_end_of_the_request_is_followed_by_rst_stream_no_error() {
    let served = protected().await;
    let mut wire = Wire::open(served.address);
    wire.send(HEADERS, END_HEADERS, 1, &call("application/grpc+proto"));
    wire.send(DATA, 0, 1, &[0, 0, 0, 0, 0]);
    let frames = wire.answer(1);
    let kinds: Vec<_> = frames.iter().map(|frame| (frame.kind, frame.flags & END_STREAM)).collect();
    assert_eq!(kinds, [(HEADERS, END_STREAM), (RST_STREAM, 0)], "{frames:?}");
    assert_eq!(frames[1].payload, [0; 4], "NO_ERROR");
}

/// The same path, by another kind of client.
#[tokio::test(flavor = "multi_thread")]
async fn grpc_01_what_is_no_grpc_has_a_body() {
    let served = protected().await;
    let mut wire = Wire::open(served.address);
    wire.send(HEADERS, END_HEADERS | END_STREAM, 1, &call("application/grpcx"));
    let frames = wire.answer(1);
    assert_eq!(frames[0].kind, HEADERS);
    assert_eq!(frames[0].flags & END_STREAM, 0, "{frames:?}");
    let body: Vec<u8> = frames
        .iter()
        .filter(|frame| frame.kind == DATA)
        .flat_map(|frame| frame.payload.clone())
        .collect();
    assert!(String::from_utf8(body).unwrap().contains("An access token is required"));
}
