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
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::raw::get_from;
use super::{AUDIENCE, Answer, Upstream};
use portcullis::testing::Authority;

/// How long anything may take that is bound to happen. No test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const ADMIN_OFF: [&str; 2] = ["PORTCULLIS_ADMIN_LISTEN", "off"];

/// A sidecar at work, with files of its own. Killed when dropped.
pub(crate) struct Sidecar {
    process: Child,
    address: SocketAddr,
    admin: SocketAddr,
    stdout: Output,
    stderr: Output,
    readers: Vec<JoinHandle<()>>,
    folder: PathBuf,
}

/// What was written up to now, whole lines.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<String>>);

pub(crate) struct Settings {
    variables: Vec<(String, String)>,
    /// Variables, and what is in the files that they name.
    files: Vec<(String, String)>,
    /// What starts the binary, where it is not started as it is.
    through: Vec<String>,
    /// Whether somebody reads what it says, also when its ports are known.
    is_read: bool,
}

/// What a process that has not served anybody has said.
pub(crate) struct Refusal {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sidecar {
    /// What stands before `upstream` and trusts `authority`.
    pub(crate) fn before(upstream: &Upstream, authority: &Authority) -> Settings {
        Self::before_address(upstream.address(), authority)
    }

    pub(crate) fn before_address(upstream: SocketAddr, authority: &Authority) -> Settings {
        Self::trusting(authority.issuer_url(), upstream)
    }

    pub(crate) fn trusting(issuer: &str, upstream: SocketAddr) -> Settings {
        Settings { variables: Vec::new(), files: Vec::new(), through: Vec::new(), is_read: true }
            .with("PORTCULLIS_ISSUER", issuer)
            .with("PORTCULLIS_AUDIENCE", AUDIENCE)
            .with("PORTCULLIS_UPSTREAM", &format!("http://{upstream}"))
            .with("PORTCULLIS_LISTEN", "127.0.0.1:0")
            .with("PORTCULLIS_ADMIN_LISTEN", "127.0.0.1:0")
            .with("PORTCULLIS_DRAIN_TIMEOUT", "5s")
    }

    /// What gateways on this machine ask about requests.
    pub(crate) fn asked_by_gateways(authority: &Authority) -> Settings {
        // Port 1 is never used: there is no upstream in this mode.
        Self::trusting(authority.issuer_url(), ([127, 0, 0, 1], 1).into())
            .with("PORTCULLIS_UPSTREAM", "")
            .with("PORTCULLIS_MODE", "forward-auth")
            .with("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.0/8")
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

    /// A file in the folder of this sidecar; the one that a variable names has that name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// One GET on the admin port.
    pub(crate) fn ask_admin(&self, path: &str) -> Answer {
        get_from(self.admin, "localhost", path, "")
    }

    /// The value of a sample, which is named with its labels; nothing counts as zero.
    pub(crate) fn metric(&self, sample: &str) -> usize {
        let metrics = self.ask_admin("/metrics").text();
        let found = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        found.map_or(0, |value| value.parse().unwrap())
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }

    /// Waits for the end; what was written is complete after it.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = self.process.wait().unwrap();
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        status
    }

    /// Waits for the end, and not for ever.
    pub(crate) fn wait_for_end(&mut self) {
        let start = Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "it does not end\n{}", self.stderr());
            thread::sleep(Duration::from_millis(5));
        }
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
        let start = Instant::now();
        while !happened() {
            assert!(start.elapsed() < PATIENCE, "{what}\n{}\n{}", self.stdout(), self.stderr());
            // Nobody tells when another process has done something.
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &id.to_string()]).status().unwrap();
    assert!(sent.success());
}

impl Settings {
    /// The last value of a variable counts; an empty one unsets it.
    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.set(variable, value);
        self
    }

    fn set(&mut self, variable: &str, value: &str) {
        self.variables.retain(|(name, _)| name != variable);
        self.variables.push((variable.to_owned(), value.to_owned()));
    }

    /// A file with these rules.
    pub(crate) fn rules(self, text: &str) -> Self {
        self.with_file("PORTCULLIS_RULES", text)
    }

    /// A file, whose path is the value of the variable; see [`Sidecar::file`].
    pub(crate) fn with_file(mut self, variable: &str, text: &str) -> Self {
        self.files.push((variable.to_owned(), text.to_owned()));
        self
    }

    /// Starts it by this program and its arguments, to which the binary's path is added.
    pub(crate) fn through(mut self, program: &[&str]) -> Self {
        self.through = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Reads nothing from it any more when its ports are known, and leaves its pipes open.
    pub(crate) fn unread(mut self) -> Self {
        self.is_read = false;
        self
    }

    /// Runs what ends by itself, as it cannot serve.
    pub(crate) fn refused(mut self) -> Refusal {
        let folder = self.files();
        let mut process = self.command().spawn().unwrap();
        let (stdout, one) = Output::collect(process.stdout.take().unwrap(), |_| true);
        let (stderr, other) = Output::collect(process.stderr.take().unwrap(), |_| true);
        let start = Instant::now();
        let status = loop {
            match process.try_wait().unwrap() {
                Some(status) => break status,
                None if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(5)),
                // It has found something to serve.
                None => process.kill().unwrap(),
            }
        };
        for reader in [one, other] {
            reader.join().unwrap();
        }
        fs::remove_dir_all(folder).unwrap();
        let text = |output: Output| output.0.lock().unwrap().clone();
        Refusal { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(self) -> Sidecar {
        let sidecar = self.start_unready();
        sidecar.wait_for(|| sidecar.ask_admin("/readyz").status == 200, "ready");
        sidecar
    }

    /// Starts it and waits until its ports are open.
    pub(crate) fn start_unready(mut self) -> Sidecar {
        let folder = self.files();
        let mut process = self.command().spawn().unwrap();
        let (told, lines) = channel();
        let is_read = self.is_read;
        let (stdout, one) = Output::collect(process.stdout.take().unwrap(), move |_| is_read);
        let (stderr, other) = Output::collect(process.stderr.take().unwrap(), move |line| {
            // Nobody listens any more when the ports are known.
            told.send(line.to_owned()).is_ok() || is_read
        });
        let port = |what: &str| port(&lines, what, &stderr);
        let address = port("listening");
        let has_admin = !self.variables.contains(&ADMIN_OFF.map(str::to_owned).into());
        // A port that nobody listens on will do where there is none.
        let admin = if has_admin { port("admin port") } else { ([127, 0, 0, 1], 1).into() };
        Sidecar { process, address, admin, stdout, stderr, readers: vec![one, other], folder }
    }

    /// Writes what is to be there before the start, into a folder of its own.
    fn files(&mut self) -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-sidecar-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        for (variable, text) in std::mem::take(&mut self.files) {
            let path = folder.join(&variable);
            fs::write(&path, text).unwrap();
            self.set(&variable, path.to_str().unwrap());
        }
        folder
    }

    /// The command without what the shell of the developer has set.
    pub(crate) fn command(&self) -> Command {
        let binary = env!("CARGO_BIN_EXE_portcullis").to_owned();
        let mut words = self.through.iter().chain([&binary]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg("serve").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("PORTCULLIS_")) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A figure of the process, in KiB.
pub(crate) fn memory(sidecar: &Sidecar, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", sidecar.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
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
    fn collect(
        pipe: impl Read + Send + 'static,
        goes_on: impl Fn(&str) -> bool + Send + 'static,
    ) -> (Self, JoinHandle<()>) {
        let output = Self::default();
        let collected = output.clone();
        let reader = thread::spawn(move || {
            let mut pipe = BufReader::new(pipe).lines();
            while let Some(line) = pipe.next() {
                let line = line.unwrap();
                let mut all = collected.0.lock().unwrap();
                all.push_str(&line);
                all.push('\n');
                drop(all);
                if !goes_on(&line) {
                    // Whoever writes finds a reader that stands still, and none that has left.
                    std::mem::forget(pipe);
                    return;
                }
            }
        });
        (output, reader)
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
