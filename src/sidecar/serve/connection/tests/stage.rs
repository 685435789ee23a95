//! A proxy without a process: one worker on the test's own runtime, whose clock can be stopped.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, yield_now};

use super::super::{Protocols, serve};
use crate::authentication::Issuer;
use crate::env::Source;
use crate::resource_server::ResourceServer;
use crate::sidecar::access_log::AccessLog;
use crate::sidecar::desk::Shared;
use crate::sidecar::drain::Drain;
use crate::sidecar::front::Front;
use crate::sidecar::log_writer::{Writer, Written};
use crate::sidecar::proxy::Peer;
use crate::sidecar::rules::Rules;
use crate::sidecar::seat::Seat;
use crate::sidecar::settings::{LogFormat, Networks, Settings};
use crate::sidecar::telemetry::Telemetry;
use crate::sidecar::upstream::Places;

/// A proxy that lets everybody in, and a service on a socket of its own.
pub(super) struct Stage {
    pub(super) upstream: TcpListener,
    pub(super) front: Arc<Front>,
    pub(super) drain: Drain,
    log: (Writer, Written, Lines),
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stage {
    /// With as many places for connections to the service.
    pub(super) async fn with_places(places: usize) -> Self {
        let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = upstream.local_addr().unwrap();
        let variables = [
            ("PORTCULLIS_ISSUER", "https://as.example"),
            ("PORTCULLIS_AUDIENCE", "https://api.example"),
            ("PORTCULLIS_UPSTREAM", &format!("http://{address}")),
        ];
        let mut source = Source::new(variables.map(|(name, value)| (name.into(), value.into())));
        let (settings, _) = Settings::read(&mut source);
        let issuer = Issuer::discover("https://as.example").audience("https://api.example");
        let server = ResourceServer::builder().issuer(issuer).build().unwrap();
        let rules = Rules::parse("[[rule]]\npath = \"/{*rest}\"\npublic = true\n").unwrap();
        let telemetry = Arc::new(Telemetry::new(server.clone()));
        let routes = rules.compile(&server);
        let shared = Arc::new(Shared::new(&settings, server, routes, telemetry));
        let lines = Lines::default();
        let (writer, written) = Writer::start("log", lines.clone()).unwrap();
        let log = AccessLog::new(Some(writer.clone()), LogFormat::Text);
        let front = Arc::new(Front::new(shared, &settings, Arc::new(Places::new(places)), log));
        let drain = Drain::new();
        tokio::spawn(drain.wake_to_look());
        Self { upstream, front, drain, log: (writer, written, lines) }
    }

    pub(super) async fn new() -> Self {
        Self::with_places(16).await
    }

    pub(super) fn peer(&self) -> Peer {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1)).ip();
        Peer::new(address, false, &Networks::default(), self.drain.guest(), Seat::somewhere())
    }

    /// A client's connection.
    pub(super) fn open(&self) -> DuplexStream {
        let (near, far) = duplex(64 * 1024);
        let (peer, front) = (self.peer(), Arc::clone(&self.front));
        tokio::spawn(async move { serve(far, peer, front, &Protocols::new()).await });
        near
    }

    /// A connection over which these bytes have been sent, and the service's end of what follows
    /// from them, after the head.
    pub(super) async fn ask(&self, request: &str) -> (DuplexStream, TcpStream) {
        let mut client = self.open();
        client.write_all(request.as_bytes()).await.unwrap();
        let (mut upstream, _) = self.upstream.accept().await.unwrap();
        head(&mut upstream).await;
        (client, upstream)
    }

    /// The access log, of a proxy that nobody uses any more.
    pub(super) async fn lines(self) -> String {
        let Self { front, log: (writer, written, lines), .. } = self;
        front.log().flush();
        writer.close();
        written.wait().await;
        let lines = lines.0.lock().unwrap().clone();
        String::from_utf8(lines).unwrap()
    }
}

/// Reads up to an empty line.
pub(super) async fn head(from: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).unwrap()
}

/// Whatever is ready to be done is done.
pub(super) async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// Reads in the background what comes, up to the end.
pub(super) fn read_all(mut from: DuplexStream) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut all = String::new();
        // However it ends.
        let _ = from.read_to_string(&mut all).await;
        all
    })
}
