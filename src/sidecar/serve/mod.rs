//! `portcullis serve`: the sidecar at work.
//!
//! The main thread reads the configuration, listens, watches files and signals, and answers on the
//! admin port. It hands connections to workers: threads with a runtime, a pool of connections to
//! the upstream and a log buffer of their own, so that requests meet other threads nowhere but in
//! what they read.

mod configuration;
mod connection;
mod files;
mod listener;
mod logging;
mod pem;
mod protocols;
mod reload;
mod shares;
mod signals;
mod tls;
mod worker;

use std::env;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime;
use tokio::time::{Instant, sleep_until};

pub(super) use self::configuration::Configuration;
use self::files::RulesFile;
use self::listener::Listener;
use self::pem::Pems;
use self::reload::Reloader;
use self::shares::Shares;
use self::signals::{Signal, Signals};
use self::tls::Tls;
use self::worker::Workers;
use super::Failure;
use super::admin::{self, Admin, Readiness};
use super::desk::Shared;
use super::drain::{Drain, Leaving};
use super::rules::Rules;
use super::settings::Settings;
use super::telemetry::{Reloads, Telemetry, Watched};
use super::upstream::Places;
use crate::env::{Source, variables};
use crate::resource_server::ResourceServer;

/// Connections that the system takes for us while we are busy. It may have a limit of its own.
const QUEUE: u32 = 1024;

/// Runs until it is told to end, and then as long as open requests take, within the drain timeout.
pub(super) fn run() -> Result<(), Failure> {
    let Configuration { settings, engine, rules, rules_file, tls } =
        Configuration::read(Source::new(env::vars_os()))?;
    let log = logging::start(&settings)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let served = async {
            let server = engine.build()?;
            logging::tell_settings(&settings);
            for warning in rules.warnings() {
                tracing::warn!("{}: {warning}", variables::RULES);
            }
            Sidecar { settings, server, rules_file, tls }.run(rules, &log).await
        };
        match served.await {
            Ok(End { deadline, mut signals }) => {
                log.finish(deadline, signals.end()).await;
                Ok(())
            }
            Err(failure) => {
                log.finish(Instant::now(), pending()).await;
                Err(failure)
            }
        }
    })
}

/// Nothing is served any more, and until when the rest may take.
struct End {
    deadline: Instant,
    signals: Signals,
}

struct Sidecar {
    settings: Settings,
    server: ResourceServer,
    rules_file: Option<RulesFile>,
    tls: Option<(Arc<Tls>, Pems)>,
}

impl Sidecar {
    async fn run(self, rules: Rules, log: &logging::Log) -> Result<End, Failure> {
        let Self { settings, server, rules_file, tls } = self;
        let (tls, pems) = tls.unzip();
        let signals = Signals::listen()?;
        let listener = bind(variables::LISTEN, settings.listen)?;
        let admin_listener = match settings.admin_listen {
            Some(address) => Some(bind(variables::ADMIN_LISTEN, address)?),
            None => None,
        };
        for (what, listener) in
            [("listening", Some(&listener)), ("admin port", admin_listener.as_ref())]
        {
            if let Some(address) = listener.and_then(|listener| listener.local_addr().ok()) {
                tracing::info!(%address, "{what}");
            }
        }

        let telemetry = Arc::new(Telemetry::new(server.clone()).with_logs(log.lost()));
        let readiness = Arc::new(Readiness::default());
        let reloads = Arc::new(Reloads {
            rules: rules_file.as_ref().map(|_| Watched::new(files::describe(&rules))),
            certificate: tls.as_ref().map(|tls| Watched::new(tls.describe())),
        });
        let routes = rules.compile(&server);
        let shared =
            Arc::new(Shared::new(&settings, server.clone(), routes, Arc::clone(&telemetry)));
        if let Some(listener) = admin_listener {
            let admin = Admin::new(
                telemetry,
                Arc::clone(&readiness),
                Arc::clone(&reloads),
                settings.summary.clone(),
            );
            tokio::spawn(admin::serve(listener, Arc::new(admin), pending()));
        }
        tokio::spawn(load_keys(server));
        let reloader = Reloader::start(rules_file, tls.clone().zip(pems), &shared, &reloads);
        let shares = Shares::of_process(Workers::usual());
        let places = Arc::new(Places::new(shares.upstream));
        let workers = Workers::start(&shared, &settings, &places, log)?;
        let drain = Drain::new();
        tokio::spawn(drain.wake_to_look());
        let listener =
            Listener::new(listener, shares.clients, workers, &drain, tls, settings.trusted_proxies);
        let sidecar = Running { listener, drain, readiness, signals, reloader };
        Ok(sidecar.until_the_end(settings.drain_timeout).await)
    }
}

struct Running {
    listener: Listener,
    drain: Drain,
    readiness: Arc<Readiness>,
    signals: Signals,
    reloader: Reloader,
}

impl Running {
    async fn until_the_end(mut self, timeout: Duration) -> End {
        let leaving = loop {
            tokio::select! {
                () = self.listener.accept() => {}
                signal = self.signals.next() => match signal {
                    Signal::Reload => self.reloader.reload(),
                    Signal::Interrupt => break Leaving { lead: Duration::ZERO, timeout },
                    Signal::Terminate => break Leaving::announced(timeout),
                },
            }
        };
        let deadline = Instant::now() + leaving.timeout;
        self.readiness.drain();
        self.drain.leave();
        tracing::info!(timeout = ?leaving.timeout, "draining: open requests are finished");
        if self.serve_until(Instant::now() + leaving.lead).await.is_break() {
            // Requests that are cut off have their lines before the log ends.
            self.listener.close().stop();
            return End { deadline: Instant::now(), signals: self.signals };
        }
        let Self { listener, drain, mut signals, .. } = self;
        let workers = listener.close();
        let (deadline, left) = tokio::select! {
            () = drain.close() => (deadline, None),
            () = sleep_until(deadline) => (deadline, Some("the drain timeout is over")),
            () = signals.end() => (Instant::now(), Some("told again to end")),
        };
        // With no time at all, nobody may be there whom it could be too short for.
        match left.filter(|_| workers.connections() > 0) {
            None => tracing::info!("drained"),
            Some(reason) => {
                tracing::warn!(
                    connections = workers.connections(),
                    "ending all the same: {reason}"
                );
            }
        }
        workers.stop();
        End { deadline, signals }
    }

    /// Goes on accepting while others learn that we are leaving.
    async fn serve_until(&mut self, end: Instant) -> std::ops::ControlFlow<()> {
        loop {
            tokio::select! {
                () = self.listener.accept() => {}
                () = sleep_until(end) => return std::ops::ControlFlow::Continue(()),
                () = self.signals.end() => return std::ops::ControlFlow::Break(()),
            }
        }
    }
}

fn bind(variable: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(QUEUE)
    };
    listen().map_err(|error: io::Error| {
        Failure::Io(io::Error::new(error.kind(), format!("{variable}: {address}: {error}")))
    })
}

/// Ahead of the first request; what goes wrong is logged by the store itself.
async fn load_keys(server: ResourceServer) {
    let _ = server.load_keys().await;
}
