//! The page as a real browser sees it.

use std::env;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::process::Command;
use tokio::time::timeout;

use super::*;

/// Screenshots are written there where it is set.
const SCREENSHOTS: &str = "STATUS_PAGE_SCREENSHOTS";
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// It has to end some time; it takes seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// The browser, unless there is none, which is told. In CI nothing may be missing.
fn browser() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found =
        env::split_paths(&path).flat_map(|folder| CHROMIUM.map(|name| folder.join(name)));
    let found = found.find(|path| path.is_file());
    if found.is_none() {
        let notice = "skipped: chromium is not installed; run scripts/install-test-tools";
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {notice}");
        // Not eprintln!, which the test harness swallows when the test passes.
        io::stderr().write_all(format!("{notice}\n").as_bytes()).unwrap();
    }
    found
}

/// A folder of its own for every run, removed in the end.
struct Profile(PathBuf);

impl Profile {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-browser-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn run(browser: &Path, profile: &Profile, options: &[String], address: &str) -> Output {
    let mut command = Command::new(browser);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-default-apps", "--disable-extensions", "--hide-scrollbars"])
        // It would ask its maker for news.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.0.display()))
        .arg("--enable-logging=stderr")
        .args(options)
        .arg(address)
        .kill_on_drop(true);
    let output = timeout(LIMIT, command.output()).await.expect("the browser hangs").unwrap();
    // What the policy of the page forbids, its style sheet if the hash were wrong.
    let console = String::from_utf8_lossy(&output.stderr);
    let complaints = console.lines().filter(|line| line.contains(":CONSOLE"));
    assert_eq!(complaints.collect::<Vec<_>>(), [""; 0]);
    output
}

/// A proxy with a good and a bad issuer, in the middle of its work.
async fn busy() -> Admin {
    let unreachable = Issuer::discover("http://127.0.0.1:9/tenant").audience("https://api.example");
    let server = server([good_issuer(), unreachable]);
    assert!(server.load_keys().await.is_err());
    let reloads = Reloads {
        rules: Some(Watched::new("12 rules")),
        certificate: Some(Watched::new("api.example.com")),
    };
    let rules = reloads.rules.as_ref().unwrap();
    rules.loaded("14 rules");
    rules.failed(
        "/etc/portcullis/rules.toml: line 12: unknown key \"scope\", did you mean \"scopes\"?",
    );
    let mut admin = admin_of(server, reloads);
    let long = "x-auth-subject=sub x-auth-client-id=client_id x-auth-issuer=iss x-auth-scope=scope";
    admin.configuration.push(("PORTCULLIS_CLAIM_HEADERS".to_owned(), long.to_owned()));
    for (outcome, times) in [
        (Outcome::Allowed, 1_204_311),
        (Outcome::Public, 8_312),
        (Outcome::ClientGone, 12),
        (Outcome::Refused(RejectionKind::MissingCredentials), 212),
        (Outcome::Refused(RejectionKind::Expired), 4_127),
        (Outcome::Refused(RejectionKind::WrongAudience), 3),
        (Outcome::Refused(RejectionKind::KeysUnavailable), 27),
        (Outcome::BadRequest(BadRequest::AmbiguousPath), 31),
        (Outcome::UpstreamFailed(UpstreamFailure::Unreachable), 2),
    ] {
        (0..times).for_each(|_| admin.telemetry.record(outcome, Duration::from_micros(300)));
    }
    admin
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_it_and_asks_nobody_else() {
    let Some(browser) = browser() else { return };
    let port = Port::open(busy().await).await;
    let address = format!("http://{}/", port.address);
    let profile = Profile::new();
    let log = profile.0.join("net.json");
    let options = ["--dump-dom".to_owned(), format!("--log-net-log={}", log.display())];
    let output = run(&browser, &profile, &options, &address).await;
    let dom = String::from_utf8(output.stdout).unwrap();
    for part in [
        "<html lang=\"en\">",
        "<title>Ready, with a problem · portcullis</title>",
        "https://as.example",
        "2026-key",
        "http://127.0.0.1:9/tenant",
        "1,204,311",
        "<code>expired</code>",
        "did you mean",
        "PORTCULLIS_UPSTREAM",
    ] {
        assert!(dom.contains(part), "{part}: {dom}");
    }
    // The browser has wishes of its own, which have no page to begin from. None begins from ours.
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains(&format!("\"url\":\"{address}\"")));
    let begun = format!("\"initiator\":\"http://{}\"", port.address);
    let asked: Vec<_> = log.lines().filter(|line| line.contains(&begun)).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

/// For whoever wants to look at them; here they only have to be drawn without a complaint.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_draws_it_in_light_and_dark_and_on_a_telephone() {
    let Some(browser) = browser() else { return };
    let port = Port::open(busy().await).await;
    let address = format!("http://{}/", port.address);
    let folder = env::var_os(SCREENSHOTS).map(PathBuf::from);
    for (name, size, dark) in
        [("light", "1000,2100", false), ("dark", "1000,2100", true), ("narrow", "400,3200", false)]
    {
        let profile = Profile::new();
        let path = folder.as_ref().unwrap_or(&profile.0).join(format!("{name}.png"));
        let mut options =
            vec![format!("--screenshot={}", path.display()), format!("--window-size={size}")];
        options.extend(dark.then(|| "--blink-settings=preferredColorScheme=0".to_owned()));
        run(&browser, &profile, &options, &address).await;
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG"), "{name}");
    }
}
