//! Traefik, by hand, as its program is not to be had here: the requests that it makes, and what it
//! does with the answers, according to its sample.

use std::fs;
use std::path::Path;

use super::asked_about;
use crate::support::{Answer, Sidecar, authority, bearer, get};

type Fields = Vec<(String, String)>;

fn sample(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gateways").join(name))
        .unwrap()
}

/// The lines below a key that are indented further.
fn below(text: &str, key: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().skip_while(|line| line.trim() != format!("{key}:"));
    let depth = indent(lines.next().unwrap_or_else(|| panic!("{key} in the sample")));
    let lines = lines.take_while(|line| indent(line) > depth);
    lines.map(|line| line.trim().trim_start_matches("- ").to_owned()).collect()
}

/// What of a client's GET goes on to the service, or what the client is answered.
fn through_traefik(sidecar: &Sidecar, path: &str, client: &Fields) -> Result<Fields, Answer> {
    let text = sample("traefik.yaml");
    assert!(text.contains("trustForwardHeader: false"));
    let is_one_of = |names: &[String], name: &str| {
        names.iter().any(|one| one.split(':').next().unwrap().eq_ignore_ascii_case(name))
    };
    let cleaned = below(&text, "customRequestHeaders");
    let mut passed = client.clone();
    passed.retain(|(name, _)| !is_one_of(&cleaned, name));
    let told = ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host", "x-forwarded-proto"];
    let mut lines: String = passed
        .iter()
        .filter(|(name, _)| !told.contains(&name.to_lowercase().as_str()))
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    for (name, value) in told.iter().zip(["GET", path, "api.example", "https"]) {
        lines.push_str(&format!("{name}: {value}\r\n"));
    }
    let answer = get(sidecar.address(), "/", &lines);
    if !(200..300).contains(&answer.status) {
        return Err(answer);
    }
    for name in below(&text, "authResponseHeaders") {
        passed.retain(|(sent, _)| !sent.eq_ignore_ascii_case(&name));
        let copied = answer.fields.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(&name));
        passed.extend(copied.cloned());
    }
    Ok(passed)
}

fn fields(lines: &str) -> Fields {
    let line = |line: &str| line.split_once(": ").map(|(name, value)| (name.into(), value.into()));
    lines.split_terminator("\r\n").map(|text| line(text).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn traefiks_requests_are_understood_and_its_clients_see_everything() {
    let authority = authority().await;
    let token = bearer(&authority.token().subject("u1").scope("orders.read"));
    for forward in ["off", "on"] {
        let sidecar = asked_about(&authority).with("PORTCULLIS_FORWARD_TOKEN", forward).start();
        let ask = |path: &str, lines: &str| through_traefik(&sidecar, path, &fields(lines));
        let spoofed =
            "X-Auth-Subject: admin\r\nX-Original-URI: /public\r\nX-Forwarded-Uri: /public\r\n";

        let passed = ask("/orders/7?a=b", &format!("{token}{spoofed}")).unwrap();
        let value = |fields: &Fields, name: &str| {
            let found = fields.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(value(&passed, "x-auth-subject"), ["u1"]);
        assert_eq!(value(&passed, "x-auth-scope"), ["orders.read"]);
        assert_eq!(value(&passed, "authorization").len(), usize::from(forward == "on"));
        let passed = ask("/public", &format!("{token}{spoofed}")).unwrap();
        assert_eq!(value(&passed, "x-auth-subject"), [""]);
        assert!(value(&passed, "authorization").is_empty());

        for (path, lines, status, challenge) in [
            ("/orders/7", "", 401, Some("scope=\"orders.read\"")),
            ("/orders/7", "Authorization: Bearer x\r\n", 401, Some("invalid_token")),
            ("/admin/x", &format!("{token}{spoofed}"), 403, Some("insufficient_scope")),
            ("/orders/7", &format!("{token}{token}"), 400, Some("invalid_request")),
            ("/orders/../x", &token, 400, None),
            ("/orders/7", &format!("{token}X_Auth_Subject: admin\r\n"), 400, None),
        ] {
            let answer = ask(path, lines).unwrap_err();
            assert_eq!(answer.status, status, "{path} {lines}");
            let found = answer.field("www-authenticate");
            assert_eq!(found.is_some(), challenge.is_some(), "{path} {lines}");
            assert!(challenge.is_none_or(|part| found.unwrap().contains(part)), "{found:?}");
            assert!(answer.text().contains(&format!("\"status\":{status}")), "{}", answer.text());
        }
    }
}

#[test]
fn samples_copy_every_field_and_name_the_same_addresses() {
    for name in ["nginx.conf", "Caddyfile", "traefik.yaml"] {
        let text = sample(name);
        for field in ["X-Auth-Subject", "X-Auth-Client-Id", "X-Auth-Issuer", "X-Auth-Scope"] {
            assert!(text.contains(field), "{field} in {name}");
        }
        for part in ["127.0.0.1:8080", "127.0.0.1:3000", "PORTCULLIS_MODE=forward-auth"] {
            assert!(text.contains(part), "{part} in {name}");
        }
    }
}

/// Caddy 2.10.0 to 2.11.1 lets a client's field stand where the answer has nothing to copy.
#[test]
fn hdr_15_caddy_forgets_identity_fields_before_it_asks() {
    let text = sample("Caddyfile");
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in the sample"));
    assert!(place("\troute {") < place("request_header -X-Auth-*"));
    assert!(place("request_header -X-Auth-*") < place("\tforward_auth "));
    assert!(place("\tforward_auth ") < place("request_header -Authorization"));
}
