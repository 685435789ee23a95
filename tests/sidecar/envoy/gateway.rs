//! Envoy with the configuration that users are given, on other ports.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use portcullis::testing::Authority;

use crate::support::{Recorded, Settings, Sidecar, Upstream};

const EXAMPLE: &str = include_str!("../../../examples/gateways/envoy.yaml");

/// Envoy, the sidecar that it asks, and the service behind it.
pub(crate) struct Gateway {
    envoy: Envoy,
    pub(crate) sidecar: Sidecar,
    pub(crate) service: Upstream,
}

impl Gateway {
    /// As in the example; `None` where there is no Envoy.
    pub(crate) async fn start(authority: &Authority, rules: &str) -> Option<Self> {
        let settings = asked_by_envoy(authority.issuer_url()).rules(rules);
        Self::with(settings.start(), Upstream::start().await, |example| example)
    }

    /// With an example that is not quite the one that users are given.
    pub(crate) fn with(
        sidecar: Sidecar,
        service: Upstream,
        edit: impl FnOnce(String) -> String,
    ) -> Option<Self> {
        let envoy = Envoy::start(sidecar.address(), service.address(), edit)?;
        Some(Self { envoy, sidecar, service })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.envoy.address
    }

    /// What the service was asked since the last time.
    pub(crate) fn seen(&self) -> Vec<Recorded> {
        self.service.take()
    }
}

/// A sidecar that decides for Envoy.
pub(crate) fn asked_by_envoy(issuer: &str) -> Settings {
    Sidecar::trusting(issuer, ([127, 0, 0, 1], 9).into())
        .with("PORTCULLIS_UPSTREAM", "")
        .with("PORTCULLIS_MODE", "ext-authz")
}

/// The process. Killed when dropped.
struct Envoy {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Envoy {
    fn start(
        portcullis: SocketAddr,
        service: SocketAddr,
        edit: impl FnOnce(String) -> String,
    ) -> Option<Self> {
        let program = program()?;
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            env::temp_dir().join(format!("portcullis-envoy-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let example = edit(EXAMPLE.to_owned());
        // Between this and Envoy another process may take the port; then the next one serves.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut text = example.clone();
            for (port, address) in [(8080, free), (8081, portcullis), (3000, service)] {
                let there = format!("port_value: {port} ");
                assert_eq!(text.matches(&there).count(), 1, "{there}");
                text = text.replace(&there, &format!("port_value: {} ", address.port()));
            }
            text = text.replace("0.0.0.0", "127.0.0.1");
            if let Some(process) = start(&program, &folder, &text, free) {
                return Some(Self { process, address: free, folder });
            }
        }
        panic!("Envoy does not start: {}", fs::read_to_string(folder.join("log")).unwrap());
    }
}

/// `None` where it does not come to listen.
fn start(program: &Path, folder: &Path, text: &str, address: SocketAddr) -> Option<Child> {
    let (configuration, log) = (folder.join("envoy.yaml"), folder.join("log"));
    fs::write(&configuration, text).unwrap();
    let mut process = Command::new(program)
        .arg("-c")
        .arg(&configuration)
        .args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"])
        .stdout(Stdio::null())
        .stderr(fs::File::create(log).unwrap())
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

/// Where Envoy is; `None`, with a notice, where it is not. In CI it has to be there.
pub(crate) fn program() -> Option<PathBuf> {
    let installed = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envoy/bin/envoy");
    for program in ["envoy", installed] {
        let asked = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        if asked.is_ok_and(|status| status.success()) {
            return Some(program.into());
        }
    }
    let notice = "skipped: there is no envoy (scripts/install-test-tools)";
    assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {notice}");
    // Not eprintln!, which the test harness swallows when the test passes.
    io::stderr().write_all(format!("{notice}\n").as_bytes()).unwrap();
    None
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
