//! An authorization server on a real socket that does what a test tells it to, down to the byte.
//! No HTTP library stands in between, as none would misbehave.
//!
//! ```ignore
//! let fake = ScriptedAs::start(|asked| match (asked.path(), asked.number()) {
//!     ("/jwks", 1) => Reply::json(keys).header("etag", "\"1\""),
//!     ("/jwks", _) => Reply::hang(),
//!     _ => Reply::status(404),
//! }).await;
//! fake.answer_with(|_| Reply::redirect(302, "https://elsewhere.example/"));
//! fake.stop().await; // connections are refused from here on
//! fake.restart().await;
//! ```

mod asked;
mod reply;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub use asked::Asked;
pub use reply::Reply;

/// Far above what any client of the tests takes to go away.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

/// Serves one request per connection. Dropping it closes the listener and every connection.
pub struct ScriptedAs {
    /// Scheme, host and port; the port stays the same over [`restart`](Self::restart).
    pub origin: String,
    port: u16,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

struct Shared {
    origin: String,
    script: Mutex<Arc<Script>>,
    log: Mutex<Vec<Asked>>,
    sent: AtomicU64,
    connections: watch::Sender<usize>,
}

impl ScriptedAs {
    pub async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::launch(None, script).await
    }

    /// Speaks TLS with a certificate for `localhost`.
    pub async fn start_tls(
        tls: TlsAcceptor,
        script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::launch(Some(tls), script).await
    }

    async fn launch(
        tls: Option<TlsAcceptor>,
        script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = listen(0);
        let port = listener.local_addr().unwrap().port();
        let origin = match tls {
            None => format!("http://127.0.0.1:{port}"),
            Some(_) => format!("https://localhost:{port}"),
        };
        let shared = Arc::new(Shared {
            origin: origin.clone(),
            script: Mutex::new(Arc::new(script)),
            log: Mutex::default(),
            sent: AtomicU64::new(0),
            connections: watch::Sender::new(0),
        });
        let tasks = Mutex::new(accept(listener, tls.clone(), Arc::clone(&shared)));
        Self { origin, port, tls, shared, tasks }
    }

    /// From now on answers by another script. The numbers of requests go on.
    pub fn answer_with(&self, script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Asked> {
        self.shared.log.lock().unwrap().clone()
    }

    /// The paths that were asked for, in order.
    pub fn log(&self) -> Vec<String> {
        self.requests().iter().map(|asked| asked.path().to_owned()).collect()
    }

    /// How many requests there were for `path`.
    pub fn count(&self, path: &str) -> usize {
        self.log().iter().filter(|asked| *asked == path).count()
    }

    /// How many bytes of replies the operating system has taken.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Until no connection is open: all replies are out, or the client has gone away. Panics when
    /// it does not come to that.
    pub async fn idle(&self) {
        let mut connections = self.shared.connections.subscribe();
        let idle = connections.wait_for(|open| *open == 0);
        tokio::time::timeout(IDLE_LIMIT, idle).await.expect("a connection stays open").unwrap();
    }

    /// Closes the listener and all connections; new ones are refused.
    pub async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        tasks.shutdown().await;
        self.idle().await;
    }

    /// Listens again, on the same port and with the same script.
    pub async fn restart(&self) {
        self.stop().await;
        let tasks = accept(listen(self.port), self.tls.clone(), Arc::clone(&self.shared));
        *self.tasks.lock().unwrap() = tasks;
    }
}

fn listen(port: u16) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    // What the system takes without anybody reading it shall not pass for what was read.
    socket.set_send_buffer_size(64 * 1024).unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
    socket.listen(1024).unwrap()
}

fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (tls, connection) = (tls.clone(), Connection::opened(&shared));
            connections.spawn(async move {
                match tls {
                    None => connection.serve(socket).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(socket).await {
                            connection.serve(stream).await;
                        }
                    }
                }
            });
        }
    });
    tasks
}

/// Counted for as long as it is there.
struct Connection(Arc<Shared>);

impl Connection {
    fn opened(shared: &Arc<Shared>) -> Self {
        shared.connections.send_modify(|open| *open += 1);
        Self(Arc::clone(shared))
    }

    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(mut asked) = Asked::read(&mut stream, &self.0.origin).await else { return };
        {
            let mut log = self.0.log.lock().unwrap();
            asked.count(&log);
            log.push(asked.clone());
        }
        let script = Arc::clone(&self.0.script.lock().unwrap());
        // A client that goes away is no fault here.
        let _ = script(&asked).send(&mut stream, &self.0.sent).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.send_modify(|open| *open -= 1);
    }
}
