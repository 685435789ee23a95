//! A resource server and an authorization server on a simulated network, in simulated time
//! (turmoil). What the network does follows from a seed; what is left to chance is the library's
//! own jitter, so that scenarios hold for any.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use portcullis::{Clock, Issuer, KeyStatus, Rejection, ResourceServer};
use serde_json::json;
use tokio::time::{Instant, sleep};
use turmoil::net::{TcpListener, TcpStream};

use super::fixture::{NOW, RESOURCE};
use super::keys::{self, Key, changed};
use super::simulated_as::{answer, metadata};

/// The host that the resource server runs on.
pub const RS: &str = "rs";
/// The host that publishes the metadata.
pub const AS: &str = "as";
/// The host that publishes the keys, where that is another one.
pub const JWKS: &str = "jwks";
const ISSUER: &str = "http://as";

/// How often a scenario is played.
const SEEDS: u64 = 3;

/// Longer than any scenario.
const LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a client learns of a connection that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It is refused at once, as by a router that knows of the trouble. So it is in turmoil.
    Told,
    /// Nothing; the operating system tries again after 1, 2, 4 … seconds (RFC 6298).
    Silent,
}

/// A network, and what the authorization server says about its keys.
pub struct Simulation {
    network: turmoil::Builder,
    loss: Loss,
    jwks_host: &'static str,
    max_age: Duration,
}

impl Simulation {
    pub fn new() -> Self {
        let mut network = turmoil::Builder::new();
        network.simulation_duration(LIMIT).tick_duration(Duration::from_millis(10));
        let max_age = Duration::from_secs(600);
        Self { network, loss: Loss::Told, jwks_host: AS, max_age }
    }

    /// Nothing on the network happens faster. Long scenarios need few ticks.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.network.tick_duration(tick);
        self
    }

    /// Of each message, in milliseconds.
    pub fn latency(mut self, shortest: u64, longest: u64) -> Self {
        self.network
            .min_message_latency(Duration::from_millis(shortest))
            .max_message_latency(Duration::from_millis(longest));
        self
    }

    /// How often a message breaks the link, and how often the next one finds it whole again.
    pub fn loses(mut self, breaks: f64, heals: f64) -> Self {
        self.network.fail_rate(breaks).repair_rate(heals);
        self
    }

    pub fn loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// Keys and metadata come from different hosts.
    pub fn keys_apart(mut self) -> Self {
        self.jwks_host = JWKS;
        self
    }

    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Plays a scenario once for each seed.
    pub fn run<F>(mut self, scenario: impl Fn(Scene) -> F + Clone + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        for seed in 0..SEEDS {
            let mut sim = self.network.rng_seed(seed).build();
            let site = Arc::new(Site {
                keys: Mutex::default(),
                jwks_uri: format!("http://{}/jwks", self.jwks_host),
                max_age: self.max_age,
                log: Mutex::default(),
            });
            let hosts = if self.jwks_host == AS { &[AS][..] } else { &[AS, JWKS] };
            for host in hosts {
                let site = Arc::clone(&site);
                sim.host(*host, move || serve(Arc::clone(&site)));
            }
            let (loss, power, scenario) = (self.loss, Power::default(), scenario.clone());
            let switch = power.clone();
            sim.client(RS, async move {
                scenario(Scene::new(site, loss, switch)).await;
                Ok(())
            });
            let failed = |time, error| panic!("with seed {seed}, after {time:?}: {error}");
            while !sim.step().unwrap_or_else(|error| failed(sim.elapsed(), error)) {
                match power.0.take() {
                    Some(Switch::Off) => sim.crash(AS),
                    Some(Switch::On) => sim.bounce(AS),
                    None => {}
                }
            }
        }
    }
}

/// Of the host of the authorization server; it takes effect with the next tick.
#[derive(Clone, Default)]
struct Power(Rc<Cell<Option<Switch>>>);

#[derive(Clone, Copy)]
enum Switch {
    Off,
    On,
}

/// What is published. It outlives the hosts, as a disk does.
pub struct Site {
    keys: Mutex<Vec<Arc<Key>>>,
    jwks_uri: String,
    max_age: Duration,
    log: Mutex<Vec<String>>,
}

impl Site {
    pub fn publish(&self, keys: &[&Arc<Key>]) {
        *self.keys.lock().unwrap() = keys.iter().map(|key| Arc::clone(key)).collect();
    }

    /// How often the keys were asked for.
    pub fn key_fetches(&self) -> usize {
        self.log.lock().unwrap().iter().filter(|path| *path == "/jwks").count()
    }

    fn answer(&self, path: &str) -> Response<Bytes> {
        self.log.lock().unwrap().push(path.to_owned());
        match path {
            "/.well-known/oauth-authorization-server" => metadata(ISSUER, &self.jwks_uri),
            "/jwks" => {
                let keys: Vec<_> = self.keys.lock().unwrap().iter().map(|key| key.jwk()).collect();
                let document = json!({ "keys": keys }).to_string();
                let mut answer = answer(200, "application/json", document);
                let max_age = format!("max-age={}", self.max_age.as_secs());
                answer.headers_mut().insert("cache-control", max_age.parse().unwrap());
                answer
            }
            _ => answer(404, "text/plain", ""),
        }
    }
}

async fn serve(site: Arc<Site>) -> turmoil::Result {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        let site = Arc::clone(&site);
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = site.answer(request.uri().path()).map(Full::new);
            async move { Ok::<_, Infallible>(answer) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(socket), service);
        // What the network does to it is the point.
        tokio::spawn(async move { drop(connection.await) });
    }
}

/// What a scenario plays with, on the host of the resource server.
#[derive(Clone)]
pub struct Scene {
    pub server: ResourceServer,
    pub site: Arc<Site>,
    clock: SimulatedClock,
    power: Power,
}

/// How a request went.
#[derive(Debug)]
pub struct Reply {
    pub result: Result<(), Rejection>,
    pub waited: Duration,
}

impl Scene {
    fn new(site: Arc<Site>, loss: Loss, power: Power) -> Self {
        let clock = SimulatedClock(Instant::now());
        let client = Client::builder(TokioExecutor::new())
            // As any client has it; without a timer idle connections would age in real time.
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(90))
            .build::<_, Full<Bytes>>(tower::service_fn(move |to| Box::pin(connect(to, loss))));
        let server = super::server::builder()
            .issuer(Issuer::discover(ISSUER).audience(RESOURCE))
            .clock(clock)
            .http_client(client)
            .dangerous()
            .allow_http()
            .build()
            .unwrap();
        Self { server, site, clock, power }
    }

    /// A request with a token that is signed just now.
    pub async fn request(&self, key: &Key) -> Reply {
        let (start, now) = (Instant::now(), self.clock.seconds());
        let times = json!({ "iat": now, "exp": now + 300 });
        let token = key.sign(&changed(keys::claims(ISSUER), times));
        let result = self.server.verify(&token).await.map(drop);
        Reply { result, waited: start.elapsed() }
    }

    /// Lets time go by for the resource server alone, which is much faster: the others do not get
    /// to live it, so nothing may be on its way between them.
    pub async fn pass(&self, time: Duration) {
        // In steps, as a timer that is due fires at the end of one.
        const STEP: Duration = Duration::from_secs(5);
        let end = Instant::now() + time;
        while Instant::now() < end {
            tokio::time::advance(STEP.min(end - Instant::now())).await;
        }
    }

    pub fn status(&self) -> KeyStatus {
        self.server.keys().remove(0)
    }

    pub async fn crash(&self) {
        self.switch(Switch::Off).await;
    }

    pub async fn bounce(&self) {
        self.switch(Switch::On).await;
    }

    async fn switch(&self, switch: Switch) {
        self.power.0.set(Some(switch));
        while self.power.0.get().is_some() {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Wall time that goes by as simulated time does.
#[derive(Clone, Copy)]
struct SimulatedClock(Instant);

impl SimulatedClock {
    fn seconds(&self) -> u64 {
        NOW + self.0.elapsed().as_secs()
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW) + self.0.elapsed()
    }
}

async fn connect(to: Uri, loss: Loss) -> io::Result<Socket> {
    let mut pause = Duration::from_secs(1);
    loop {
        match TcpStream::connect((to.host().unwrap_or_default(), 80)).await {
            Err(_) if loss == Loss::Silent => {
                sleep(pause).await;
                pause *= 2;
            }
            result => return result.map(|stream| Socket(TokioIo::new(stream))),
        }
    }
}

/// A simulated connection that hyper-util's client can pool.
struct Socket(TokioIo<TcpStream>);

impl Connection for Socket {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
