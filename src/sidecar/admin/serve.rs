//! The admin port's connections.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::Admin;
use crate::sidecar::telemetry::Telemetry;

/// Connections at once. One more ends the oldest: whoever hangs must not keep a probe out.
const MOST: usize = 64;
/// For a connection with its one request: until that has come and the answer is taken.
const IN_ALL: Duration = Duration::from_secs(10);
/// Bytes of a request's header; the least that hyper can do with.
const BUFFER: usize = 8192;
/// After a failure to accept, for example as too many files are open.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers until `until` is over, which then ends all connections. Takes the samples of the last
/// minutes too.
pub(in crate::sidecar) async fn serve(
    listener: TcpListener,
    admin: Arc<Admin>,
    until: impl Future<Output = ()>,
) {
    let is_local = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    tokio::select! {
        () = until => {}
        () = accept(listener, Arc::clone(&admin), is_local) => {}
        () = sample(&admin.telemetry) => {}
    }
}

async fn sample(telemetry: &Telemetry) {
    let mut ticks = interval(Telemetry::SAMPLE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        telemetry.sample(Instant::now());
    }
}

async fn accept(listener: TcpListener, admin: Arc<Admin>, is_local: bool) {
    // Ends with this future, and the connections with it.
    let mut connections = JoinSet::new();
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!("the admin port cannot accept a connection: {error}");
                sleep(PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        open.retain(|connection| !connection.is_finished());
        if open.len() >= MOST
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        open.push_back(connections.spawn(converse(stream, Arc::clone(&admin), is_local)));
    }
}

async fn converse(stream: TcpStream, admin: Arc<Admin>, is_local: bool) {
    let answer = service_fn(|request| ready(Ok::<_, Infallible>(admin.answer(&request, is_local))));
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), answer);
    match timeout(IN_ALL, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a connection to the admin port broke: {error}"),
        Err(_) => tracing::debug!("a connection to the admin port took too long"),
    }
}
