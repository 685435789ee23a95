//! The binary as a process.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::raw::get_from;
use super::{AUDIENCE, Answer, Upstream};
use portcullis::testing::Authority;

/// How long anything may take that is bound to happen. No test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A sidecar at work, with files of its own. Killed when dropped.
pub(crate) struct Sidecar {
    process: Child,
    address: SocketAddr,
    admin: SocketAddr,
    stdout: Output,
    stderr: Output,
    folder: PathBuf,
}

/// What was written up to now, whole lines.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<String>>);

pub(crate) struct Settings {
    variables: Vec<(String, String)>,
    rules: Option<String>,
}

impl Sidecar {
    /// What stands before `upstream` and trusts `authority`.
    pub(crate) fn before(upstream: &Upstream, authority: &Authority) -> Settings {
        Self::before_address(upstream.address(), authority)
    }

    pub(crate) fn before_address(upstream: SocketAddr, authority: &Authority) -> Settings {
        let settings = Settings { variables: Vec::new(), rules: None };
        settings
            .with("PORTCULLIS_ISSUER", authority.issuer_url())
            .with("PORTCULLIS_AUDIENCE", AUDIENCE)
            .with("PORTCULLIS_UPSTREAM", &format!("http://{upstream}"))
            .with("PORTCULLIS_LISTEN", "127.0.0.1:0")
            .with("PORTCULLIS_ADMIN_LISTEN", "127.0.0.1:0")
            .with("PORTCULLIS_DRAIN_TIMEOUT", "5s")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The access log.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.0.lock().unwrap().clone()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.0.lock().unwrap().clone()
    }

    /// A file in the folder of this sidecar.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// One GET on the admin port.
    pub(crate) fn ask_admin(&self, path: &str) -> Answer {
        get_from(self.admin, "localhost", path, "")
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; what was written is complete after it.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// Waits until the log says this.
    pub(crate) fn wait_for_stderr(&self, text: &str) {
        self.wait_for(|| self.stderr().contains(text), text);
    }

    /// Waits until an access line says this.
    pub(crate) fn wait_for_stdout(&self, text: &str) {
        self.wait_for(|| self.stdout().contains(text), text);
    }

    pub(crate) fn wait_for(&self, happened: impl Fn() -> bool, what: &str) {
        let start = std::time::Instant::now();
        while !happened() {
            assert!(start.elapsed() < PATIENCE, "{what}\n{}\n{}", self.stdout(), self.stderr());
            // Nobody tells when another process has done something.
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Settings {
    /// The last value of a variable counts; an empty one unsets it.
    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.retain(|(name, _)| name != variable);
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// A file with these rules.
    pub(crate) fn rules(mut self, text: &str) -> Self {
        self.rules = Some(text.to_owned());
        self
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(self) -> Sidecar {
        let sidecar = self.start_unready();
        sidecar.wait_for(|| sidecar.ask_admin("/readyz").status == 200, "ready");
        sidecar
    }

    /// Starts it and waits until its ports are open.
    pub(crate) fn start_unready(mut self) -> Sidecar {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-sidecar-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        if let Some(rules) = self.rules.take() {
            let path = folder.join("rules.toml");
            fs::write(&path, rules).unwrap();
            self = self.with("PORTCULLIS_RULES", path.to_str().unwrap());
        }
        let mut process = self.command().spawn().unwrap();
        let (told, lines) = channel();
        let stdout = Output::collect(process.stdout.take().unwrap(), |_| {});
        let stderr = Output::collect(process.stderr.take().unwrap(), move |line| {
            // Nobody listens any more when the ports are known.
            let _ = told.send(line.to_owned());
        });
        let mut port = |what: &str| port(&lines, what, &stderr);
        let address = port("listening");
        let admin = port("admin port");
        Sidecar { process, address, admin, stdout, stderr, folder }
    }

    /// The command without what the shell of the developer has set.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.arg("serve").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("PORTCULLIS_")) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// `… listening address=127.0.0.1:4711`, in text or JSON.
fn port(lines: &Receiver<String>, what: &str, stderr: &Output) -> SocketAddr {
    loop {
        let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            panic!("it is not listening:\n{}", stderr.0.lock().unwrap());
        });
        if !line.contains(what) {
            continue;
        }
        let address = line.split("address").nth(1).unwrap();
        let address = address.trim_start_matches(['=', '"', ':']);
        let end = address.find(['"', ' ', ',', '}']).unwrap_or(address.len());
        return address[..end].parse().unwrap();
    }
}

impl Output {
    fn collect(pipe: impl Read + Send + 'static, tell: impl Fn(&str) + Send + 'static) -> Self {
        let output = Self::default();
        let collected = output.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                let line = line.unwrap();
                let mut all = collected.0.lock().unwrap();
                all.push_str(&line);
                all.push('\n');
                drop(all);
                tell(&line);
            }
        });
        output
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        // It may have ended already, as it should in some tests.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
