//! Headless Chromium, told what to do by the DevTools protocol over a pair of pipes.

use std::env;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::folder::Folder;

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// How long anything may take that is bound to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// One window; dropping it ends the browser.
pub(crate) struct Browser {
    process: Child,
    _profile: Folder,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    sent: u64,
    session: Option<String>,
}

impl Browser {
    /// A browser that goes through `proxy` for everything. `None` where none is installed, which is
    /// told; in CI nothing may be missing.
    pub(crate) async fn start(proxy: SocketAddr) -> Option<Self> {
        let browser = installed()?;
        let profile = Folder::new(&format!("browser-{}", proxy.port()));
        // The protocol is spoken on descriptors 3 and 4.
        let mut process = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2"#])
            .arg(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--disable-default-apps", "--disable-extensions", "--disable-sync"])
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--proxy-server=http://{proxy}"))
            // Otherwise loopback addresses are asked without it.
            .arg("--proxy-bypass-list=<-loopback>")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let (sent, session) = (0, None);
        let mut browser = Self { process, _profile: profile, commands, answers, sent, session };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        Some(browser)
    }

    pub(crate) async fn open(&mut self, address: &str) {
        self.call("Page.navigate", json!({ "url": address })).await;
    }

    /// What the expression comes to, promises awaited; `None` where it throws, as it does between
    /// two pages.
    pub(crate) async fn value(&mut self, expression: &str) -> Option<Value> {
        let parameters =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut result = self.try_call("Runtime.evaluate", parameters).await?;
        let threw = result.get("exceptionDetails").is_some();
        (!threw).then(|| result["result"]["value"].take())
    }

    /// Waits until the expression is true.
    pub(crate) async fn until(&mut self, expression: &str) {
        let limit = Instant::now() + PATIENCE;
        while self.value(expression).await != Some(Value::Bool(true)) {
            if Instant::now() > limit {
                let page = self.value("document.documentElement.outerHTML").await;
                panic!("never true: {expression} in {page:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Clicks on what the selector finds, as soon as it is there.
    pub(crate) async fn click(&mut self, selector: &str) {
        let element = format!("document.querySelector({})", json!(selector));
        self.until(&format!("{element}?.checkVisibility() === true")).await;
        self.value(&format!("{element}.click()")).await;
    }

    /// All cookies, those that no script can read too: name, value, and the rest.
    pub(crate) async fn cookies(&mut self) -> Vec<Value> {
        let mut cookies = self.call("Storage.getCookies", json!({})).await;
        serde_json::from_value(cookies["cookies"].take()).unwrap()
    }

    /// Ends it in peace, so that it leaves nothing behind.
    pub(crate) async fn close(mut self) {
        self.session = None;
        self.call("Browser.close", json!({})).await;
        timeout(PATIENCE, self.process.wait()).await.expect("the browser does not end").unwrap();
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        let result = self.try_call(method, parameters).await;
        result.unwrap_or_else(|| panic!("the browser refuses {method}"))
    }

    async fn try_call(&mut self, method: &str, parameters: Value) -> Option<Value> {
        self.sent += 1;
        let mut command = json!({ "id": self.sent, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).await.unwrap();
        loop {
            let mut answer = timeout(PATIENCE, self.message()).await.expect("the browser hangs");
            // The rest are events, which nobody asked for.
            if answer["id"] == self.sent {
                return answer.get_mut("result").map(Value::take);
            }
        }
    }

    async fn message(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).await.unwrap();
        message.pop().expect("the browser has ended");
        serde_json::from_slice(&message).unwrap()
    }
}

fn installed() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let found = found.find(|path| path.is_file());
    if found.is_none() {
        let notice = "skipped: chromium is not installed; run scripts/install-test-tools";
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {notice}");
        // Not eprintln!, which the test harness swallows when the test passes.
        io::stderr().write_all(format!("{notice}\n").as_bytes()).unwrap();
    }
    found
}
