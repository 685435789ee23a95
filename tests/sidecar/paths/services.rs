//! Services that read paths in their own ways, and say what they have understood.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use crate::support::{Recorded, Upstream, get, is_missing};

/// One service.
pub(super) struct Service {
    kind: Kind,
    /// Hits that were told before.
    told: usize,
}

enum Kind {
    Nginx { process: Child, folder: PathBuf, address: SocketAddr },
    Node { process: Child, address: SocketAddr },
    Hyper(Upstream),
}

impl Service {
    fn of(kind: Kind) -> Self {
        Self { kind, told: 0 }
    }

    pub(super) fn nginx() -> Option<Self> {
        if is_missing("nginx", "-v") {
            return None;
        }
        let folder = env::temp_dir().join(format!("portcullis-nginx-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // Between this and nginx another process may take the port; then the next one serves.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            if let Some(process) = start_nginx(&folder, free) {
                return Some(Self::of(Kind::Nginx { process, folder, address: free }));
            }
        }
        panic!("nginx does not start: {}", fs::read_to_string(folder.join("errors")).unwrap());
    }

    /// One of the readings in `service.mjs`.
    pub(super) fn node(reading: &str) -> Option<Self> {
        if is_missing("node", "--version") {
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sidecar/paths/service.mjs");
        let mut process = Command::new("node")
            .args([script, reading])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.trim().parse().unwrap()));
        Some(Self::of(Kind::Node { process, address }))
    }

    pub(super) async fn hyper() -> Self {
        let upstream = Upstream::answering(|request| {
            let answer = Response::builder().header("x-resource", plainly(request));
            answer.body(Full::<Bytes>::default()).unwrap()
        });
        Self::of(Kind::Hyper(upstream.await))
    }

    pub(super) fn address(&self) -> SocketAddr {
        match &self.kind {
            Kind::Nginx { address, .. } | Kind::Node { address, .. } => *address,
            Kind::Hyper(upstream) => upstream.address(),
        }
    }

    /// The resources that it was asked for since the last time, as it has understood it.
    pub(super) fn hits(&mut self) -> Vec<String> {
        let all: Vec<String> = match &self.kind {
            Kind::Nginx { folder, address, .. } => {
                // One process: whatever came before this answer is in the file.
                assert_eq!(get(*address, "/hits", "").status, 200);
                let log = fs::read_to_string(folder.join("hits")).unwrap();
                // Nothing was understood of what it refuses itself, a method in lower case say.
                let hits = log.lines().filter(|line| !matches!(*line, "hits" | ""));
                hits.map(str::to_owned).collect()
            }
            Kind::Node { address, .. } => {
                serde_json::from_slice(&get(*address, "/hits", "").body).unwrap()
            }
            Kind::Hyper(upstream) => {
                return upstream.take().iter().map(|hit| plainly(hit).to_owned()).collect();
            }
        };
        let new = all[self.told..].to_vec();
        self.told = all.len();
        new
    }
}

/// Literally, as code that matches on `uri.path()`.
fn plainly(request: &Recorded) -> &'static str {
    let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
    match request.uri.path().split('/').nth(1) {
        Some("admin") => "admin",
        Some("orders") if is_read => "orders",
        Some("orders") => "orders-write",
        Some("public") => "public",
        _ => "other",
    }
}

/// `None` where it does not come to listen.
fn start_nginx(folder: &Path, address: SocketAddr) -> Option<Child> {
    let place = folder.display();
    let location = |path: &str, resource: &str| {
        format!("location {path} {{ set $resource {resource}; return 200; }}\n")
    };
    // Whole segments, as rules have them; `location /admin` alone would cover `/administer` too.
    let below = |name: &str, resource: &str| {
        [format!("= /{name}"), format!("/{name}/")].map(|path| location(&path, resource)).concat()
    };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
        .concat();
    let configuration = format!(
        "daemon off; master_process off; pid {place}/pid; error_log {place}/errors;\n\
         events {{}}\n\
         http {{\n{temporary}log_format hit $resource;\naccess_log {place}/hits hit;\n\
         map $request_method $orders {{ default orders-write; GET orders; HEAD orders; }}\n\
         server {{\nlisten {address};\nset $resource other;\n\
         add_header x-resource $resource always;\n{}{}{}{}{}}}\n}}\n",
        location("= /hits", "hits"),
        below("admin", "admin"),
        below("orders", "$orders"),
        below("public", "public"),
        location("/", "other"),
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, configuration).unwrap();
    let mut process = Command::new("nginx")
        .args(["-e", &format!("{place}/errors"), "-c", path.to_str().unwrap()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while TcpStream::connect(address).is_err() {
        if process.try_wait().unwrap().is_some() {
            return None;
        }
        // Nobody tells when another process has come to listen.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Some(process)
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Kind::Nginx { process, .. } | Kind::Node { process, .. } = &mut self.kind {
            let _ = process.kill();
            let _ = process.wait();
        }
        if let Kind::Nginx { folder, .. } = &self.kind {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
