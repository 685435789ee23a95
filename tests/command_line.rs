//! `portcullis` as its user meets it: `explain`, `check` and help, with their exit codes.

mod support;

use std::io::{self, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use portcullis::ClientCertificate;
use portcullis::testing::{Authority, ManualClock, Outage};
use serde_json::Value;
use support::folder::Folder;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");
const AUDIENCE: &str = "https://api.example.com";

/// What came of a command.
struct Ended {
    code: Option<i32>,
    printed: String,
    complaints: String,
}

struct Sidecar {
    variables: Vec<(&'static str, String)>,
}

impl Sidecar {
    fn of(issuer: &str) -> Self {
        Self { variables: Vec::new() }
            .with("PORTCULLIS_ISSUER", issuer)
            .with("PORTCULLIS_AUDIENCE", AUDIENCE)
            // The port of the discard service, which nobody offers any more.
            .with("PORTCULLIS_UPSTREAM", "http://127.0.0.1:9")
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Without what the shell of the developer has set.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PORTCULLIS_")) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with_input(arguments, "").await
    }

    /// On a thread of its own: the authority that it asks lives in this one.
    async fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let (mut command, input) = (self.command(arguments), input.to_owned());
        let run = move || -> io::Result<Output> {
            let mut process = command.spawn()?;
            // It may have no use for it.
            let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
            process.wait_with_output()
        };
        let Output { status, stdout, stderr } =
            tokio::task::spawn_blocking(run).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: status.code(), printed: text(stdout), complaints: text(stderr) }
    }
}

async fn authority() -> Authority {
    Authority::builder().clock(ManualClock::running()).serve().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_says_whether_a_token_would_pass() {
    let authority = authority().await;
    let sidecar = Sidecar::of(authority.issuer_url()).with("PORTCULLIS_REQUIRED_SCOPES", "read");
    let bound = authority.token().bound_to(&ClientCertificate::from_der("own"));
    for (token, code, last) in [
        (authority.token().scope("read"), 0, "would pass"),
        (authority.token().scope("read").expired(), 1, "error=\"invalid_token\""),
        (authority.token(), 1, "error=\"insufficient_scope\""),
        (bound.clone().scope("read"), 1, "would pass, if it is shown with the client certificate"),
        (bound.expired(), 1, "error=\"invalid_token\""),
        (authority.token().scope("read").signed_by_stranger(), 1, "error=\"invalid_token\""),
    ] {
        let token = token.mint();
        let ended = sidecar.run(&["explain", &token]).await;
        assert_eq!((ended.code, ended.complaints.as_str()), (Some(code), ""), "{}", ended.printed);
        assert!(ended.printed.lines().last().unwrap().contains(last), "{}", ended.printed);
        assert!(!ended.printed.contains("eyJ") && !ended.printed.contains('\u{1b}'));
        assert!(ended.printed.lines().all(|line| !line.contains("note:")), "{}", ended.printed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_reads_what_is_pasted() {
    let authority = authority().await;
    let sidecar = Sidecar::of(authority.issuer_url());
    let token = authority.token().mint();
    for (arguments, input) in [
        (vec!["explain"], format!("{token}\n")),
        (vec!["explain", "-"], format!("  Bearer {token}\r\n")),
        (vec!["explain", "-"], format!("Authorization: Bearer {token}")),
        (vec!["explain", "Authorization:", "Bearer", &token], String::new()),
    ] {
        let ended = sidecar.run_with_input(&arguments, &input).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.printed, ended.complaints);
    }
    for input in ["", "\n", "Bearer \n", &"a".repeat(70_000)] {
        let ended = sidecar.run_with_input(&["explain"], input).await;
        assert_eq!((ended.code, ended.printed.as_str()), (Some(64), ""));
        assert!(ended.complaints.starts_with("portcullis: "), "{}", ended.complaints);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_for_machines_is_one_object() {
    let authority = authority().await;
    let token = authority.token().audience("https://other.example").mint();
    let ended = Sidecar::of(authority.issuer_url()).run(&["explain", "--json", &token]).await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.printed.lines().count(), 1);
    let report: Value = serde_json::from_str(&ended.printed).unwrap();
    assert_eq!(report["verdict"], "refuse");
    assert_eq!(report["status"], 401);
    assert_eq!(report["kind"], "WrongAudience");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_authority_is_503_in_explain_and_1_in_check() {
    let authority = authority().await;
    let sidecar = Sidecar::of(authority.issuer_url());
    let token = authority.token().mint();
    authority.set_outage(Outage::Everything);
    let ended = sidecar.run(&["explain", &token]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.printed.contains("would be answered 503"), "{}", ended.printed);

    let ended = sidecar.run(&["check"]).await;
    assert_eq!((ended.code, ended.complaints.as_str()), (Some(1), ""));
    assert!(ended.printed.contains("answered with status 503"), "{}", ended.printed);

    // Somebody else may get the port, but nobody who would answer with keys.
    drop(authority);
    let ended = sidecar.run(&["check"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.printed.contains("error "), "{}", ended.printed);
}

/// How many connections were made.
fn connections(listener: &TcpListener) -> usize {
    listener.set_nonblocking(true).unwrap();
    std::iter::from_fn(|| listener.accept().ok()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_opens_no_connection() {
    let authority = authority().await;
    // It takes connections, and answers none.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let token = authority.token().issuer(&address).mint();
    let discovery = Sidecar::of(&address);
    let jwks_uri = Sidecar::of(&address).with("PORTCULLIS_JWKS_URI", &format!("{address}/jwks"));
    for sidecar in [&discovery, &jwks_uri] {
        for (option, answer) in [("--offline", "would pass, if"), ("--json", "\"unknown\"")] {
            let ended = sidecar.run(&["explain", &token, "--offline", option]).await;
            assert_eq!(ended.code, Some(1), "{}", ended.printed);
            assert!(ended.printed.contains(answer), "{}", ended.printed);
        }
    }
    assert_eq!(connections(&listener), 0);
    // So that the count is worth something.
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let arguments = ["explain", token.as_str()];
    let mut seen = 0;
    let ended = tokio::select! {
        ended = jwks_uri.run(&arguments) => ended,
        () = async { while listener.accept().await.is_ok() { seen += 1 } } => unreachable!(),
    };
    assert_eq!(ended.code, Some(1));
    assert!(seen > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_with_a_file_of_keys_checks_the_signature() {
    let authority = authority().await;
    let folder = Folder::new("command-line-keys");
    let path = folder.file();
    std::fs::write(&path, authority.jwks()).unwrap();
    let sidecar =
        Sidecar::of(authority.issuer_url()).with("PORTCULLIS_JWKS_FILE", path.to_str().unwrap());
    let asked = authority.jwks_requests();
    for (token, code) in [(authority.token(), 0), (authority.token().signed_by_stranger(), 1)] {
        let ended = sidecar.run(&["explain", "--offline", &token.mint()]).await;
        assert_eq!(ended.code, Some(code), "{}", ended.printed);
    }
    assert_eq!(authority.jwks_requests(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_look_leave_no_file_behind() {
    let authority = authority().await;
    let folder = Folder::new("command-line-snapshot");
    let path = folder.file();
    let sidecar = Sidecar::of(authority.issuer_url())
        .with("PORTCULLIS_JWKS_SNAPSHOT", path.to_str().unwrap());
    assert_eq!(sidecar.run(&["check"]).await.code, Some(0));
    assert_eq!(sidecar.run(&["explain", &authority.token().mint()]).await.code, Some(0));
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_keys_needs_and_warnings() {
    let authority = authority().await;
    let sidecar = Sidecar::of(authority.issuer_url())
        .with("PORTCULLIS_REQUIRED_SCOPES", "orders.read")
        .with("PORTCULLIS_REQUIRED_CLAIMS", "tenant=acme")
        .with("PORTCULLIS_SKIP_AUDIENCE", "dangerously");
    let ended = sidecar.run(&["check"]).await;
    assert_eq!((ended.code, ended.complaints.as_str()), (Some(0), ""), "{}", ended.printed);
    for part in [
        authority.issuer_url(),
        &authority.jwks_uri(),
        "(ES256)",
        "[orders.read]",
        "tenant=acme",
        "Warnings\n  PORTCULLIS_SKIP_AUDIENCE=dangerously: ",
    ] {
        assert!(ended.printed.contains(part), "{part}\n{}", ended.printed);
    }
    assert!(ended.printed.ends_with("\ngood\n"), "{}", ended.printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_of_the_upstream_and_the_rules() {
    let authority = authority().await;
    let folder = Folder::new("command-line-rules");
    let path = folder.file();
    std::fs::write(
        &path,
        "[[rule]]\npath = \"/{*rest}\"\n[[rule]]\npath = \"/a\"\npublic = true\n",
    )
    .unwrap();
    let sidecar =
        Sidecar::of(authority.issuer_url()).with("PORTCULLIS_RULES", path.to_str().unwrap());
    let ended = sidecar.run(&["check"]).await;
    // The service may start later, and a rule that is never reached does no harm.
    assert_eq!((ended.code, ended.complaints.as_str()), (Some(0), ""), "{}", ended.printed);
    for part in [
        "Upstream http://127.0.0.1:9\n",
        "rules             2\n",
        "  the upstream cannot be reached; ",
        "  PORTCULLIS_RULES: ",
    ] {
        assert!(ended.printed.contains(part), "{part}\n{}", ended.printed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_with_parties_that_nothing_tells_refuse_to_start() {
    let authority = authority().await;
    let folder = Folder::new("command-line-parties");
    let path = folder.file();
    std::fs::write(&path, "[[rule]]\npath = \"/a\"\nparty = \"first\"\n").unwrap();
    let sidecar = Sidecar::of(authority.issuer_url())
        .with("PORTCULLIS_RULES", path.to_str().unwrap())
        .with("PORTCULLIS_AUDIENCE_CLAIM", "app_id");
    for command in ["check", "serve"] {
        let ended = sidecar.run(&[command]).await;
        let told = "line 1: rule 1: party needs PORTCULLIS_FIRST_PARTY_CLIENTS or \
                    PORTCULLIS_FIRST_PARTY_CLAIM";
        assert_eq!(ended.code, Some(78), "{command}");
        assert!(ended.complaints.contains(told), "{}", ended.complaints);
    }
    let by_claim = sidecar.with("PORTCULLIS_FIRST_PARTY_CLAIM", "owner=app");
    let ended = by_claim.run(&["check"]).await;
    assert_eq!((ended.code, ended.complaints.as_str()), (Some(0), ""), "{}", ended.printed);
    assert!(ended.printed.contains("] in app_id\n"), "{}", ended.printed);
    let both = by_claim.with("PORTCULLIS_FIRST_PARTY_CLIENTS", "spa").run(&["check"]).await;
    let told = "PORTCULLIS_FIRST_PARTY_CLAIM: cannot stand together with";
    assert!(both.complaints.contains(told), "{}", both.complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_without_a_service_is_about_the_engine_alone() {
    let authority = authority().await;
    let library = Sidecar::of(authority.issuer_url()).with("PORTCULLIS_UPSTREAM", "");
    let ended = library.run(&["check"]).await;
    assert_eq!((ended.code, ended.complaints.as_str()), (Some(0), ""), "{}", ended.printed);
    let told = "Warnings\n  PORTCULLIS_UPSTREAM is not set: what the sidecar needs besides";
    assert!(ended.printed.contains(told), "{}", ended.printed);
    // Who has rules wants a service behind them.
    let ended = library.with("PORTCULLIS_RULES", "/nowhere").run(&["check"]).await;
    assert_eq!(ended.code, Some(78));
    for fault in ["PORTCULLIS_UPSTREAM: is required", "PORTCULLIS_RULES: cannot read"] {
        assert!(ended.complaints.contains(fault), "{}", ended.complaints);
    }
}

const RULES: &str = r#"
[[rule]]
path = "/healthz"
public = true
[[rule]]
path = "/tenants/{tenant}/orders"
scopes = ["orders.{tenant}"]
claims = { tnt_id = "{tenant}" }
callers = "users"
[[rule]]
path = "/transfers"
scopes = ["pay"]
acr = ["phr", "mfa"]
max_age = "5m"
[[rule]]
path = "/audit"
scopes = ["audit"]
hide = true
"#;

#[tokio::test(flavor = "multi_thread")]
async fn explain_for_a_request_judges_by_its_rule() {
    let authority = authority().await;
    let folder = Folder::new("command-line-explain");
    let path = folder.file();
    std::fs::write(&path, RULES).unwrap();
    let sidecar =
        Sidecar::of(authority.issuer_url()).with("PORTCULLIS_RULES", path.to_str().unwrap());
    let user = || authority.token().subject("u1").client_id("c1");
    let good = || user().scope("orders.acme").claim("tnt_id", "acme");
    for (request, token, code, parts) in [
        ("GET /healthz", user().expired(), 0, &["rule 1, on line 2", "everybody may pass"][..]),
        ("GET /other?x", user(), 0, &["none covers GET /other,", "would pass"]),
        (
            "POST /tenants/acme/orders",
            good(),
            0,
            &["rule 2, on line 5, covers POST /tenants/acme/orders", "would pass"],
        ),
        (
            "POST /tenants/%61cme/orders",
            good(),
            0,
            &[
                "✓ claim            tnt_id is \"acme\"",
                "✓ callers          the caller is a person, by sub!=client_id",
            ],
        ),
        (
            "GET /tenants/acme/orders",
            user().claim("tnt_id", "acme"),
            1,
            &["✗ scopes           lacks [orders.acme]", "scope=\"orders.acme\""],
        ),
        (
            "GET /tenants/other/orders",
            good().scope("orders.other"),
            1,
            &[
                "✗ claim            tnt_id is \"acme\"",
                "tnt_id = \"other\"",
                "would be answered 403",
            ],
        ),
        (
            "GET /tenants/acme/orders",
            good().bound_to(&ClientCertificate::from_der("own")),
            1,
            &["✓ claim            tnt_id is \"acme\"", "would pass, if it is shown with"],
        ),
        (
            "GET /tenants/acme/orders",
            good().subject("c1"),
            1,
            &["✗ callers ", "a person as caller", "would be answered 403"],
        ),
        (
            "GET /tenants/acme/orders",
            good().expired(),
            1,
            &["– claim            not checked", "invalid_token"],
        ),
        (
            "POST /transfers",
            user().scope("pay").claim("acr", "pwd"),
            1,
            &[
                "✗ login            acr is \"pwd\" · the rule wants a login by phr or mfa",
                "max_age=\"300\"",
            ],
        ),
        (
            "POST /transfers",
            user().claim("acr", "mfa"),
            1,
            &[
                "✗ scopes ",
                "✓ login            acr is \"mfa\"",
                "✗ login            auth_time is missing · the rule wants a login at most 300 s ago",
                "would be answered 401",
                "scope=\"pay\"",
            ],
        ),
        ("POST /transfers", user().subject("c1").scope("pay"), 1, &["would be answered 403"]),
        ("GET /audit", user().scope("audit"), 0, &["GET /audit, and hides it from others\n"]),
        (
            "GET /audit",
            user().scope("pay"),
            1,
            &[
                "✗ scopes           lacks [audit]",
                "would be answered 404: There is nothing here\nThe rule hides its route from this \
                 token. The log alone is told why: The access token lacks scope that this request \
                 needs\n",
            ],
        ),
        ("GET /audit", user().scope("pay").expired(), 1, &["would be answered 401 invalid_token"]),
        ("GET /tenants/acme/orders", good().unsigned(), 1, &["rule 2", "invalid_token"]),
    ] {
        let token = token.mint();
        let ended = sidecar.run(&["explain", "--request", request, &token]).await;
        assert_eq!((ended.code, ended.complaints.as_str()), (Some(code), ""), "{}", ended.printed);
        for part in parts {
            assert!(ended.printed.contains(part), "{request}: {part}\n{}", ended.printed);
        }
        let is_public = request.ends_with("healthz");
        assert_eq!(ended.printed.contains("note:"), is_public, "{}", ended.printed);
    }
    let arguments = ["explain", "--json", "--request", "GET /tenants/acme/orders", "a.b.c"];
    let report: Value = serde_json::from_str(&sidecar.run(&arguments).await.printed).unwrap();
    let check = |index: usize| report["checks"][index]["check"].as_str().unwrap();
    assert_eq!((check(0), check(18), check(19)), ("rule", "rule_claim", "callers"));

    // What cannot be verified without the network is hidden all the same.
    let token = user().scope("pay").mint();
    for offline in [&[][..], &["--offline"]] {
        let arguments = [&["explain", "--json", "--request", "GET /audit"], offline, &[&token]];
        let ended = sidecar.run(&arguments.concat()).await;
        let report: Value = serde_json::from_str(&ended.printed).unwrap();
        assert_eq!(
            (&report["kind"], &report["hidden_reason"], &report["challenge"]),
            (&"Hidden".into(), &"InsufficientScope".into(), &Value::Null),
            "{offline:?}"
        );
    }

    for (request, complaint) in
        [("/orders", "a method and a path"), ("GET /a/../b", "answered with 400")]
    {
        let ended = sidecar.run(&["explain", "--request", request, "a.b.c"]).await;
        assert_eq!((ended.code, ended.printed.as_str()), (Some(64), ""), "{request}");
        assert!(ended.complaints.contains(complaint), "{}", ended.complaints);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_what_serve_would_not_start_with() {
    let folder = Folder::new("command-line-faults");
    let path = folder.file();
    std::fs::write(&path, "[[rule]]\npath = \"/a\"\nscope = [\"read\"]\n").unwrap();
    let path = path.to_str().unwrap();
    for (name, value, fault) in [
        ("PORTCULLIS_LISTEN", "8080", "PORTCULLIS_LISTEN: must be host:port"),
        ("PORTCULLIS_RULES", path, "line 3: rule 1: there is no key \"scope\""),
        ("PORTCULLIS_TLS_CERT_FILE", path, "PORTCULLIS_TLS_KEY: is required"),
    ] {
        let sidecar = Sidecar::of("https://as.example").with(name, value);
        for command in ["check", "serve"] {
            let ended = sidecar.run(&[command]).await;
            assert_eq!((ended.code, ended.printed.as_str()), (Some(78), ""), "{command} {name}");
            assert!(ended.complaints.contains(fault), "{}", ended.complaints);
        }
    }
}

/// What contradicts itself is told with everything else, and nothing is served.
#[tokio::test(flavor = "multi_thread")]
async fn contradictions_refuse_to_start_and_say_what_is_missing() {
    let folder = Folder::new("command-line-contradictions");
    let path = folder.file();
    let rules = "[[rule]]\npath = \"/orders\"\ntenant = { tnt_id = \"{tenant}\" }\n\
                 [[rule]]\npath = \"/h\"\nhost = \"{shop}.example\"\nscopes = [\"a\"]\n\
                 [[rule]]\npath = \"/\"\npublic = true\nhide = true\n";
    std::fs::write(&path, rules).unwrap();
    let pattern =
        Sidecar::of("https://*.id.example.com").with("PORTCULLIS_RULES", path.to_str().unwrap());
    let asking = Sidecar::of("https://as.example")
        .with("PORTCULLIS_INTROSPECTION_URI", "https://as.example/introspect");
    for (sidecar, faults) in [
        (
            pattern,
            &[
                "PORTCULLIS_MAX_ISSUERS: is required, as PORTCULLIS_ISSUER has a pattern",
                "line 3: rule 1: tenant \"tnt_id\": has {tenant}, which the path has not",
                "line 6: rule 2: host has the parameter {shop}, which nothing asks for",
                "line 11: rule 3: hide cannot stand together with public, which hides from nobody",
            ][..],
        ),
        (
            asking,
            &[
                "PORTCULLIS_CLIENT_ID: is required with PORTCULLIS_INTROSPECTION_URI",
                "PORTCULLIS_CLIENT_SECRET: is required with PORTCULLIS_INTROSPECTION_URI",
            ],
        ),
    ] {
        for command in ["check", "serve"] {
            let ended = sidecar.run(&[command]).await;
            assert_eq!((ended.code, ended.printed.as_str()), (Some(78), ""), "{command}");
            let told = ended.complaints.lines().filter(|line| line.starts_with("PORTCULLIS_"));
            assert_eq!(told.count(), faults.len(), "{}", ended.complaints);
            for fault in faults {
                assert!(ended.complaints.contains(fault), "{fault}\n{}", ended.complaints);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_78_and_names_every_variable() {
    let sidecar = Sidecar::of("https://as.example")
        .with("PORTCULLIS_LEWAY", "1s")
        .with("PORTCULLIS_PROFILE", "strict");
    for arguments in [&["check"][..], &["explain", "a.b.c"], &["explain"]] {
        let ended = sidecar.run(arguments).await;
        assert_eq!((ended.code, ended.printed.as_str()), (Some(78), ""), "{arguments:?}");
        assert!(ended.complaints.contains("PORTCULLIS_LEEWAY?"), "{}", ended.complaints);
        assert!(ended.complaints.contains("PORTCULLIS_PROFILE: "), "{}", ended.complaints);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_explains_itself() {
    let sidecar = Sidecar { variables: Vec::new() };
    let help = sidecar.run(&["--help"]).await;
    assert_eq!(help.code, Some(0));
    for word in ["serve", "demo", "check", "explain", "PORTCULLIS_ISSUER", "PORTCULLIS_UPSTREAM"] {
        assert!(help.printed.contains(word), "{word}");
    }
    for command in ["serve", "demo", "check", "explain"] {
        let own = sidecar.run(&[command, "-h"]).await;
        assert_eq!(own.code, Some(0));
        assert!(own.printed.starts_with("Usage: portcullis ") && own.printed.contains(command));
    }
    let version = sidecar.run(&["--version"]).await;
    assert_eq!(version.code, Some(0));
    assert_eq!(version.printed, format!("portcullis {}\n", env!("CARGO_PKG_VERSION")));

    for (arguments, meant) in [
        (&["dmeo"][..], "\"demo\""),
        (&["explain", "--ofline"], "\"--offline\""),
        (&["check", "x"], "check --help"),
    ] {
        let ended = sidecar.run(arguments).await;
        assert_eq!((ended.code, ended.printed.as_str()), (Some(64), ""), "{arguments:?}");
        assert!(ended.complaints.contains(meant), "{}", ended.complaints);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_14_no_part_of_a_token_is_printed() {
    let authority = authority().await;
    let sidecar = Sidecar::of(authority.issuer_url());
    let good = authority.token().expires_in(Duration::from_secs(60)).mint();
    let cut = &good[..good.len() - 1];
    let with_tail = format!("{good}.tail");
    for token in [good.as_str(), cut, with_tail.as_str(), &good[1..], &format!("{good} {good}")] {
        for arguments in [
            &["explain", token][..],
            &["explain", "--json", token],
            &["explain", "--offline", token],
            &["explain", "-x", token],
            &["check", token],
            &["serve", token],
            &["help", token],
            &[token],
        ] {
            let ended = sidecar.run(arguments).await;
            let text = ended.printed + &ended.complaints;
            for part in token.split(['.', ' ']).filter(|part| part.len() >= 16) {
                for start in 0..=part.len() - 16 {
                    assert!(!text.contains(&part[start..start + 16]), "{text}");
                }
            }
        }
    }
}
