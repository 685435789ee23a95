//! Configuration from the environment: what is accepted, and exactly what is said otherwise.
#![cfg(feature = "env")]
// A harness that cannot do its work has to fail the test, and panics are how tests fail.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "introspection")]
mod introspection;
mod refused;
mod server;
#[path = "../support/mod.rs"]
mod support;

use portcullis::{ConfigError, ResourceServerBuilder};

const ISSUER: (&str, &str) = ("PORTCULLIS_ISSUER", support::fixture::ISSUER);
const AUDIENCE: (&str, &str) = ("PORTCULLIS_AUDIENCE", support::fixture::RESOURCE);

/// These variables and the two that are always needed, unless they are among them.
fn with(vars: &[(&str, &str)]) -> Result<ResourceServerBuilder, ConfigError> {
    let given = |name: &str| vars.iter().any(|(given, _)| *given == name);
    let needed = [ISSUER, AUDIENCE].into_iter().filter(|(name, _)| !given(name));
    ResourceServerBuilder::from_vars(needed.chain(vars.iter().copied()))
}

/// What is said about them.
fn lines(vars: &[(&str, &str)]) -> Vec<String> {
    match with(vars) {
        Ok(_) => Vec::new(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

/// A file of its own for a test, gone with the value.
struct TempFile(std::path::PathBuf);

impl TempFile {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let name = format!("portcullis-env-{}-{name}", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.write(content);
        file
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        std::fs::write(&self.0, content).unwrap();
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn two_variables_are_enough() {
    assert_eq!(lines(&[]), [""; 0]);
    assert_eq!(lines(&[("PORTCULLIS_RESOURCE", "https://rs.example")]), [""; 0]);
    let without_audience = [ISSUER, ("PORTCULLIS_RESOURCE", "https://rs.example")];
    assert!(ResourceServerBuilder::from_vars(without_audience).is_ok());
}

#[test]
fn every_variable_is_accepted() {
    let keys = TempFile::new("every-keys", server::HS256_KEYS);
    let realm = TempFile::new("every-realm", "My API\r\n");
    let snapshot = TempFile::new("every-snapshot", "");
    let named = TempFile::new("every-snapshot-path", format!("{}\n", snapshot.path()));
    for vars in [
        &[("PORTCULLIS_ISSUER", "https://a.example/ \thttps://b.example\r\nhttp://127.0.0.1:9/x")]
            as &[_],
        &[("PORTCULLIS_ISSUER", "http://localhost:9")],
        &[("PORTCULLIS_AUDIENCE", "api https://rs.example/ https://rs.example/x?y=z")],
        &[("PORTCULLIS_JWKS_URI", "https://keys.example/jwks")],
        // An issuer that is not asked for anything need not be a URL.
        &[("PORTCULLIS_JWKS_URI", "https://keys.example/jwks"), ("PORTCULLIS_ISSUER", "name")],
        &[("PORTCULLIS_JWKS", server::HS256_KEYS), ("PORTCULLIS_ALGORITHMS", "HS256")],
        &[("PORTCULLIS_JWKS_FILE", keys.path()), ("PORTCULLIS_ALGORITHMS", "HS512 HS256")],
        &[("PORTCULLIS_ALGORITHMS", "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512")],
        &[("PORTCULLIS_ALGORITHMS", "EdDSA Ed25519")],
        &[("PORTCULLIS_PROFILE", "compatible")],
        &[("PORTCULLIS_PROFILE", "rfc9068")],
        &[("PORTCULLIS_LEEWAY", "0s")],
        &[("PORTCULLIS_LEEWAY", "300s")],
        &[("PORTCULLIS_LEEWAY", "5m")],
        &[("PORTCULLIS_LEEWAY", "1500ms")],
        &[("PORTCULLIS_REQUIRED_SCOPES", "orders.read push.application.* *")],
        &[("PORTCULLIS_ALLOWED_SCOPES", "orders.* *")],
        &[("PORTCULLIS_GRANTED_WILDCARDS", "off")],
        &[("PORTCULLIS_GRANTED_WILDCARDS", "on")],
        &[("PORTCULLIS_GRANTED_WILDCARDS", "https://as.example")],
        &[("PORTCULLIS_SCOPE_CLAIMS", "permissions scope")],
        &[("PORTCULLIS_REQUIRED_CLAIMS", "tnt_id=acme https://x.example/y=a=b")],
        &[("PORTCULLIS_REALM", "My \"API\"")],
        &[("PORTCULLIS_REALM_FILE", realm.path())],
        &[("PORTCULLIS_RESOURCE", "https://rs.example/mcp")],
        &[("PORTCULLIS_SKIP_AUDIENCE", "dangerously"), ("PORTCULLIS_REQUIRED_CLAIMS", "app_id=7")],
        &[("PORTCULLIS_SKIP_AUDIENCE", "off")],
        &[("PORTCULLIS_ALLOW_HTTP", "loopback")],
        &[("PORTCULLIS_ALLOW_HTTP", "dangerously"), ("PORTCULLIS_ISSUER", "http://as.example")],
        &[("PORTCULLIS_JWKS_MAX_STALE", "0s")],
        &[("PORTCULLIS_JWKS_MAX_STALE", "18446744073709551615ms")],
        &[("PORTCULLIS_JWKS_SNAPSHOT", snapshot.path())],
        &[("PORTCULLIS_JWKS_SNAPSHOT", "a-file-that-is-not-there-yet.json")],
        &[("PORTCULLIS_JWKS_SNAPSHOT_FILE", named.path())],
        &[
            ("PORTCULLIS_JWKS_SNAPSHOT", snapshot.path()),
            ("PORTCULLIS_JWKS", server::HS256_KEYS),
            ("PORTCULLIS_ALGORITHMS", "HS256"),
        ],
        &[("PORTCULLIS_TOKEN_CACHE", "0")],
        &[("PORTCULLIS_TOKEN_CACHE", "10000")],
    ] {
        assert_eq!(lines(vars), [""; 0], "{vars:?}");
    }
}

#[test]
fn skipping_the_audience_makes_it_optional() {
    let vars = [
        ISSUER,
        ("PORTCULLIS_SKIP_AUDIENCE", "dangerously"),
        ("PORTCULLIS_REQUIRED_CLAIMS", "app_id=7"),
    ];
    assert!(ResourceServerBuilder::from_vars(vars).is_ok());
}

#[test]
fn a_value_may_stand_in_a_file() {
    let issuers = TempFile::new("issuers", "https://a.example\nhttps://b.example\n");
    let vars = [("PORTCULLIS_ISSUER_FILE", issuers.path()), AUDIENCE];
    let server = ResourceServerBuilder::from_vars(vars).unwrap().build().unwrap();
    let shown = format!("{server:?}");
    assert!(shown.contains("a.example") && shown.contains("b.example"), "{shown}");
}

#[test]
fn empty_counts_as_unset() {
    let empty = TempFile::new("empty", "\n");
    let realm = TempFile::new("not-empty", "r\n");
    for vars in [
        &[("PORTCULLIS_LEEWAY", "")] as &[_],
        &[("PORTCULLIS_JWKS", ""), ("PORTCULLIS_JWKS_URI", "")],
        &[("PORTCULLIS_LEEWAY_FILE", "")],
        &[("PORTCULLIS_LEEWAY_FILE", empty.path())],
        &[("PORTCULLIS_REALM", ""), ("PORTCULLIS_REALM_FILE", realm.path())],
        &[("PORTCULLIS_REALM", "r"), ("PORTCULLIS_REALM_FILE", "")],
        &[("PORTCULLIS_SKIP_AUDIENCE", "")],
    ] {
        assert_eq!(lines(vars), [""; 0], "{vars:?}");
    }
    assert_eq!(
        lines(&[("PORTCULLIS_ISSUER", "")]),
        [
            "PORTCULLIS_ISSUER: is required: the authorization server's name for itself, for example \
             https://login.example.com"
        ]
    );
}

#[test]
fn other_peoples_variables_are_left_alone() {
    let vars = [
        ("PATH", "/bin"),
        ("PORTCULLI", "x"),
        ("PORTCULLIS", "x"),
        ("PORTCULLISISSUER", "x"),
        ("portcullis_issuer", "x"),
        ("X_PORTCULLIS_ISSUER", "x"),
    ];
    assert_eq!(lines(&vars), [""; 0]);
}

#[test]
fn the_sidecars_variables_are_known_and_not_judged() {
    for name in [
        "UPSTREAM",
        "LISTEN",
        "ADMIN_LISTEN",
        "MODE",
        "RULES",
        "FORWARD_TOKEN",
        "CLAIM_HEADERS",
        "TRUSTED_PROXIES",
        "TLS_CERT",
        "TLS_KEY",
        "DRAIN_TIMEOUT",
        "LOG",
        "LOG_FORMAT",
    ] {
        let (name, file) = (format!("PORTCULLIS_{name}"), format!("PORTCULLIS_{name}_FILE"));
        assert_eq!(lines(&[(&name, "?"), (&file, "/nonexistent")]), [""; 0], "{name}");
    }
}

#[test]
fn what_kubernetes_sets_for_a_service_is_left_alone() {
    let vars = [
        ("PORTCULLIS_SERVICE_HOST", "10.96.7.7"),
        ("PORTCULLIS_SERVICE_PORT", "8080"),
        ("PORTCULLIS_SERVICE_PORT_HTTP", "8080"),
        ("PORTCULLIS_PORT", "tcp://10.96.7.7:8080"),
        ("PORTCULLIS_PORT_8080_TCP", "tcp://10.96.7.7:8080"),
        ("PORTCULLIS_PORT_8080_TCP_PROTO", "tcp"),
        ("PORTCULLIS_PORT_8080_TCP_PORT", "8080"),
        ("PORTCULLIS_PORT_8080_TCP_ADDR", "10.96.7.7"),
        ("PORTCULLIS_FOO_SERVICE_HOST", "fd00::7"),
        ("PORTCULLIS_FOO_PORT", "udp://[fd00::7]:53"),
        ("PORTCULLIS_FOO_PORT_53_UDP_PORT", "53"),
    ];
    assert_eq!(lines(&vars), [""; 0]);
    assert_eq!(
        lines(&[("PORTCULLIS_LISTEN_PORT", "8080"), ("PORTCULLIS_LISTN", "127.0.0.1:80")]),
        [
            "PORTCULLIS_LISTEN_PORT: is no known variable",
            "PORTCULLIS_LISTN: is no known variable; did you mean PORTCULLIS_LISTEN?",
        ]
    );
}

/// Runs itself with other variables: a process cannot change its own safely.
#[test]
fn from_env_reads_the_variables_of_the_process() {
    const ROLE: &str = "ENV_TEST_ROLE";
    match std::env::var(ROLE).as_deref() {
        Ok("good") => {
            let server = portcullis::ResourceServer::from_env().unwrap();
            assert!(format!("{server:?}").contains("https://as.example"));
        }
        Ok(_) => {
            let error = portcullis::ResourceServer::from_env().unwrap_err();
            assert_eq!(
                error.to_string(),
                "PORTCULLIS_ISUER: is no known variable; did you mean PORTCULLIS_ISSUER?\n\
                 PORTCULLIS_ISSUER: is required: the authorization server's name for itself, for \
                 example https://login.example.com"
            );
        }
        Err(_) => {
            let run = |role: &str, issuer: &str| {
                let test = "from_env_reads_the_variables_of_the_process";
                let inherited = std::env::vars_os()
                    .filter(|(name, _)| !name.to_string_lossy().starts_with("PORTCULLIS_"));
                let output = std::process::Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", test, "--nocapture"])
                    .env_clear()
                    .envs(inherited)
                    .env(ROLE, role)
                    .env(issuer, ISSUER.1)
                    .env(AUDIENCE.0, AUDIENCE.1)
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
            };
            run("good", "PORTCULLIS_ISSUER");
            run("bad", "PORTCULLIS_ISUER");
        }
    }
}
