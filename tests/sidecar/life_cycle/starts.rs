//! What refuses to start says everything that is wrong, and has touched nothing.

use std::net::TcpListener;

use crate::support::{Sidecar, Upstream, authority, bearer, get};

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_configuration_is_told_and_no_port_bound() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    // Whoever bound first would fail for another reason.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refusal = Sidecar::before(&upstream, &authority)
        .with("PORTCULLIS_ISSUER", "")
        .with("PORTCULLIS_AUDEINCE", "x")
        .with("PORTCULLIS_UPSTREAM", "localhost")
        .with("PORTCULLIS_LISTEN", &address)
        .with("PORTCULLIS_DRAIN_TIMEOUT", "30")
        .with("PORTCULLIS_TLS_CERT_FILE", "/nowhere/cert.pem")
        .with("PORTCULLIS_TLS_KEY_FILE", "/nowhere/key.pem")
        .rules("[[rule]]\npath = \"/a\"\nscope = [\"x\"]\n\n[[rule]]\npath = \"b\"\n")
        .refused();
    assert_eq!((refusal.code, refusal.stdout.as_str()), (Some(78), ""));
    let lines: Vec<_> = refusal.stderr.lines().collect();
    for (variable, parts) in [
        ("PORTCULLIS_ISSUER", &["is required"][..]),
        ("PORTCULLIS_AUDEINCE", &["PORTCULLIS_AUDIENCE?"]),
        ("PORTCULLIS_UPSTREAM", &["http://host:port"]),
        ("PORTCULLIS_DRAIN_TIMEOUT", &["30s"]),
        ("PORTCULLIS_TLS_CERT_FILE", &["/nowhere/cert.pem"]),
        ("PORTCULLIS_TLS_KEY_FILE", &["/nowhere/key.pem"]),
        ("PORTCULLIS_RULES", &["PORTCULLIS_RULES: line 3: rule 1: ", "did you mean \"scopes\"?"]),
        ("PORTCULLIS_RULES", &["PORTCULLIS_RULES: line 6: rule 2: "]),
    ] {
        let is_told = |line: &&str| {
            line.starts_with(&format!("{variable}: "))
                && parts.iter().all(|part| line.contains(part))
        };
        assert_eq!(lines.iter().filter(|line| is_told(line)).count(), 1, "{variable}: {lines:#?}");
    }
    assert_eq!(lines.last(), Some(&"portcullis --help lists them all"));
    assert_eq!(lines.len(), 9, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read_are_named() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    for (variable, path) in
        [("PORTCULLIS_RULES", "/nowhere/rules.toml"), ("PORTCULLIS_AUDIENCE_FILE", "/nowhere/aud")]
    {
        let settings = Sidecar::before(&upstream, &authority).with(variable, path);
        let settings = match variable {
            "PORTCULLIS_AUDIENCE_FILE" => settings.with("PORTCULLIS_AUDIENCE", ""),
            _ => settings,
        };
        let refusal = settings.refused();
        assert_eq!(refusal.code, Some(78));
        let lines: Vec<_> = refusal.stderr.lines().collect();
        assert!(
            matches!(lines.as_slice(), [only] if only.starts_with(variable) && only.contains(path)),
            "{lines:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for variable in ["PORTCULLIS_LISTEN", "PORTCULLIS_ADMIN_LISTEN"] {
        let refusal = Sidecar::before(&upstream, &authority).with(variable, &address).refused();
        assert_eq!(refusal.code, Some(1));
        let last = refusal.stderr.lines().last().unwrap_or_default();
        assert!(last.contains(&format!("{variable}: {address}: ")), "{}", refusal.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_not_there_yet_is_no_reason_not_to_start() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    // The port is free again, and nobody is told.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sidecar = Sidecar::before_address(address, &authority).start();
    let token = bearer(&authority.token());
    let answer = get(sidecar.address(), "/orders", &token);
    assert_eq!(answer.status, 502);
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    assert_eq!(get(sidecar.address(), "/orders", "").status, 401);
    drop(upstream);
}

/// Modules are for those who look for more than most need.
#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_log_name_modules_where_they_are_of_use() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    for (level, is_named) in [("info", false), ("info,portcullis=debug", true), ("debug", true)] {
        let sidecar = Sidecar::before(&upstream, &authority).with("PORTCULLIS_LOG", level).start();
        let log = sidecar.stderr();
        let line = log.lines().find(|line| line.contains("listening")).unwrap();
        assert_eq!(line.contains("portcullis::"), is_named, "{line}");
    }
}
