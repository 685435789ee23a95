//! An authority on a socket.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::in_process::exchange;
use super::state::State;

/// After a failure to accept.
const PAUSE: Duration = Duration::from_millis(20);

/// A socket that nobody has been let in at yet.
pub(super) struct Socket {
    listener: TcpListener,
    address: SocketAddr,
}

impl Socket {
    /// Binds. Only loopback addresses: whoever reaches this server gets any token.
    pub(super) async fn bind(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{address} is not a loopback address: this authority is for tests only"),
            ));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn serve(self, state: Arc<State>) -> Server {
        Server(tokio::spawn(accept(self.listener, state)).abort_handle())
    }
}

/// A running server. Dropping it closes the socket and every connection.
#[derive(Debug)]
pub(super) struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Ends with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // For example too many open files: others may close some.
            Err(error) => {
                tracing::debug!("the test authority cannot accept: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let state = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(exchange(&state, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        connections.spawn(async {
            if let Err(error) = connection.await {
                tracing::debug!("connection to the test authority: {error}");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
