//! `portcullis demo`, as its user meets it: the printed lines are pasted into a shell.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// The command without what the shell of the developer has set.
fn portcullis(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments);
    for (name, _) in env::vars().filter(|(name, _)| name.starts_with("PORTCULLIS_")) {
        command.env_remove(name);
    }
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

struct Demo {
    process: Child,
    printed: Vec<String>,
}

impl Demo {
    fn start() -> Self {
        let mut process = portcullis(&["demo"])
            .env("PORTCULLIS_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = Vec::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            printed.push(line.unwrap());
            if printed.last().unwrap().contains("Ctrl-C") {
                return Self { process, printed };
            }
        }
        panic!("the demo ended: {:?}", process.wait());
    }

    /// The lines that are no comments.
    fn commands(&self) -> impl Iterator<Item = &str> {
        let lines = self.printed.iter().map(String::as_str);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already, as it should in some tests.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether the test cannot run here, after saying so. In CI nothing may be missing.
fn is_missing(programs: &[&str]) -> bool {
    let runs = |program: &&str| {
        let probe = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    };
    let Some(missing) = programs.iter().find(|program| !runs(program)) else { return false };
    assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {missing} is needed");
    // Not eprintln!, which the test harness swallows when the test passes.
    io::stderr().write_all(format!("skipped: there is no {missing}\n").as_bytes()).unwrap();
    true
}

/// Runs the printed lines in one shell. One answer per line that begins with `curl`.
fn paste(demo: &Demo) -> Vec<String> {
    const MARK: &str = "=== answer";
    let mut script = String::new();
    for line in demo.commands() {
        if line.starts_with("curl ") {
            script.push_str(&format!("echo '{MARK}'\n"));
        }
        script.push_str(line);
        script.push('\n');
    }
    let mut bash = Command::new("bash");
    for proxy in ["http_proxy", "all_proxy", "ALL_PROXY"] {
        bash.env_remove(proxy);
    }
    let (code, output, errors) = run(bash.args(["-c", &script]));
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    output.split(MARK).skip(1).map(|answer| answer.trim().to_owned()).collect()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn challenge(answer: &str) -> &str {
    let mut lines = answer.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"))
        .map(|(_, value)| value)
        .unwrap_or_default()
}

#[test]
fn the_printed_lines_do_what_they_say() {
    if is_missing(&["bash", "curl", "sed"]) {
        return;
    }
    let demo = Demo::start();
    let answers = paste(&demo);
    let statuses: Vec<_> = answers.iter().map(|answer| status(answer)).collect();
    assert_eq!(statuses, ["200", "401", "401", "403", "200"], "{answers:#?}");
    let [good, absent, broken, lacking, again] = &answers[..] else { panic!("{answers:#?}") };

    for answer in [good, again] {
        assert!(answer.ends_with("Orders for the client test: portcullis, 1 piece"), "{answer}");
        assert_eq!(challenge(answer), "");
    }
    assert_eq!(challenge(absent), "Bearer realm=\"demo\", scope=\"orders.read\"");
    assert!(challenge(broken).starts_with("Bearer realm=\"demo\", error=\"invalid_token\""));
    let insufficient = "Bearer realm=\"demo\", error=\"insufficient_scope\"";
    assert!(challenge(lacking).starts_with(insufficient), "{lacking}");
    assert!(challenge(lacking).ends_with(", scope=\"orders.read\""), "{lacking}");
    // A second time: nothing is used up.
    assert_eq!(paste(&demo).len(), 5);
}

#[test]
fn the_printed_lines_are_short_and_plain() {
    let demo = Demo::start();
    assert_eq!(demo.commands().filter(|line| line.starts_with("curl ")).count(), 5);
    for line in &demo.printed {
        assert!(line.chars().all(|char| matches!(char, ' '..='~')), "{line}");
        assert!(line.len() <= 200 && line.trim_end() == line, "{line}");
        assert!(!line.contains("eyJ"), "a token is printed: {line}");
    }
}

#[cfg(unix)]
#[test]
fn signals_end_it_cleanly() {
    if is_missing(&["bash"]) {
        return;
    }
    for signal in ["INT", "TERM"] {
        let mut demo = Demo::start();
        let kill = format!("kill -{signal} {}", demo.process.id());
        assert_eq!(run(Command::new("bash").args(["-c", &kill])).0, Some(0));
        // Were the signal ignored, this would wait for ever; the test runner has a limit.
        let status = demo.process.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[test]
fn other_addresses_than_loopback_are_refused() {
    for address in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080", "example.com:80", "8080"] {
        let (code, printed, error) = run(portcullis(&["demo"]).env("PORTCULLIS_LISTEN", address));
        assert_eq!((code, printed.as_str()), (Some(78), ""), "{address}: {error}");
        assert!(error.starts_with("PORTCULLIS_LISTEN: "), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
