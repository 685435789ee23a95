//! Real gateways, between a client and a service, that ask a sidecar.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{Sidecar, Upstream, is_missing};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Caddy,
}

/// One at work. Killed when dropped.
pub(super) struct Gateway {
    kind: Kind,
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Gateway {
    /// `None` where the program is not installed.
    pub(super) fn start(kind: Kind, sidecar: &Sidecar, service: &Upstream) -> Option<Self> {
        let (program, version) = match kind {
            Kind::Nginx => ("nginx", "-v"),
            Kind::Caddy => ("caddy", "version"),
        };
        if is_missing(program, version) {
            return None;
        }
        let folder = sidecar.file(program);
        fs::create_dir_all(&folder).unwrap();
        // Between this and the start another process may take the port; then the next one serves.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let text = configuration(kind, &folder, address, sidecar, service);
            let path = folder.join("configuration");
            fs::write(&path, text).unwrap();
            let mut process = command(kind, &folder, &path).spawn().unwrap();
            if is_listening(&mut process, address) {
                return Some(Self { kind, process, address, folder });
            }
        }
        panic!("{program} does not start: {}", fs::read_to_string(folder.join("errors")).unwrap());
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has complained about.
    pub(super) fn errors(&self) -> String {
        fs::read_to_string(self.folder.join("errors")).unwrap()
    }
}

/// The sample, with other addresses.
fn configuration(
    kind: Kind,
    folder: &Path,
    address: SocketAddr,
    sidecar: &Sidecar,
    service: &Upstream,
) -> String {
    let (file, listen) = match kind {
        Kind::Nginx => ("nginx.conf", ("listen 80;", format!("listen {address};"))),
        Kind::Caddy => {
            ("Caddyfile", (":80 {", format!(":{} {{\n\tbind 127.0.0.1", address.port())))
        }
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gateways").join(file);
    let mut sample = fs::read_to_string(path).unwrap();
    if kind == Kind::Nginx {
        let place = "    location = /_portcullis {";
        assert_eq!(sample.matches(place).count(), 1);
        sample = sample.replace(place, &format!("{}\n{place}", metadata(sidecar)));
    }
    for (from, to) in [
        listen,
        ("127.0.0.1:8080", sidecar.address().to_string()),
        ("127.0.0.1:3000", service.address().to_string()),
    ] {
        assert_eq!(sample.matches(from).count(), 1, "{from} in {file}");
        sample = sample.replace(from, &to);
    }
    let place = folder.display();
    match kind {
        Kind::Caddy => format!("{{\n\tadmin off\n}}\n{sample}"),
        Kind::Nginx => {
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
                .concat();
            format!(
                "daemon off; master_process off; pid {place}/pid;\nevents {{}}\n\
                 http {{\n{temporary}access_log off;\n{sample}}}\n"
            )
        }
    }
}

/// How nginx passes on who asks for the metadata document, as the page about that has it.
fn metadata(sidecar: &Sidecar) -> String {
    let page = include_str!("../../../docs/metadata.md");
    let (_, snippet) = page.split_once("```nginx\n").unwrap();
    let (snippet, _) = snippet.split_once("```").unwrap();
    assert!(snippet.contains("127.0.0.1:8080"));
    snippet.replace("127.0.0.1:8080", &sidecar.address().to_string())
}

fn command(kind: Kind, folder: &Path, configuration: &Path) -> Command {
    let (errors, configuration) = (folder.join("errors"), configuration.to_str().unwrap());
    let mut command = match kind {
        Kind::Nginx => {
            let mut command = Command::new("nginx");
            command.args(["-e", errors.to_str().unwrap(), "-c", configuration]);
            command.stderr(Stdio::null());
            command
        }
        Kind::Caddy => {
            let mut command = Command::new("caddy");
            command.args(["run", "--adapter", "caddyfile", "--config", configuration]);
            command.env("HOME", folder).env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
            command.stderr(fs::File::create(errors).unwrap());
            command
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Waits until it listens, or has ended without.
fn is_listening(process: &mut Child, address: SocketAddr) -> bool {
    while TcpStream::connect(address).is_err() {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        // Nobody tells when another process has come to listen.
        thread::sleep(Duration::from_millis(5));
    }
    true
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
