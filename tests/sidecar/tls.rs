//! The protected port over TLS.

use std::fs;
use std::sync::Arc;

use http::{StatusCode, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConfig;

use crate::support::{
    Identity, SecureClient, Settings, Sidecar, Upstream, authority, connect, trusting,
};
use portcullis::testing::Authority;

const CERTIFICATE: &str = "PORTCULLIS_TLS_CERT_FILE";
const KEY: &str = "PORTCULLIS_TLS_KEY_FILE";

fn showing(identity: &Identity, upstream: &Upstream, authority: &Authority) -> Settings {
    Sidecar::before(upstream, authority)
        .with_file(CERTIFICATE, &identity.certificate)
        .with_file(KEY, &identity.key)
}

/// A new connection, and whose certificate it was shown.
async fn shown<'i>(
    sidecar: &Sidecar,
    config: &Arc<ClientConfig>,
    identities: &[&'i Identity],
) -> &'i Identity {
    let stream = connect(sidecar.address(), config).await.unwrap();
    identities.iter().find(|identity| identity.is_shown_by(&stream)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_protocols_are_agreed_on() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let identity = Identity::new();
    let sidecar = showing(&identity, &upstream, &authority).start();
    let token = authority.token().mint();
    for (offered, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let stream = connect(sidecar.address(), &trusting(&[&identity], offered)).await.unwrap();
        let mut client = SecureClient::over(stream, &token).await;
        assert_eq!(client.get("/orders").await, (StatusCode::OK, version), "{offered:?}");
        let seen = upstream.take_one();
        assert_eq!(seen.field("x-forwarded-proto"), Some("https"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_shown_and_no_connection_dropped() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let (first, second) = (Identity::new(), Identity::new());
    let both = [&first, &second];
    let sidecar = showing(&first, &upstream, &authority).start();
    let token = authority.token().mint();
    let config = trusting(&both, &["h2", "http/1.1"]);
    let stream = connect(sidecar.address(), &config).await.unwrap();
    assert!(first.is_shown_by(&stream));
    let mut client = SecureClient::over(stream, &token).await;

    // One after the other: for a moment they do not fit.
    fs::write(sidecar.file(CERTIFICATE), &second.certificate).unwrap();
    sidecar.signal("HUP");
    let failed = || sidecar.metric("portcullis_tls_reloads_total{outcome=\"failed\"}");
    sidecar.wait_for(|| failed() == 1, "a pair that does not fit");
    assert!(std::ptr::eq(shown(&sidecar, &config, &both).await, &first));
    assert!(sidecar.ask_admin("/").text().contains("does not fit"));
    fs::write(sidecar.file(KEY), &second.key).unwrap();
    // Nobody says anything about this one.
    let good = || sidecar.metric("portcullis_tls_reloads_total{outcome=\"good\"}");
    sidecar.wait_for(|| good() == 1, "the second certificate");
    assert!(std::ptr::eq(shown(&sidecar, &config, &both).await, &second));
    assert_eq!(client.get("/orders").await.0, StatusCode::OK);

    fs::remove_file(sidecar.file(KEY)).unwrap();
    sidecar.signal("HUP");
    sidecar.wait_for(|| failed() == 2, "a key that is gone");
    assert!(std::ptr::eq(shown(&sidecar, &config, &both).await, &second));
    assert_eq!(client.get("/orders").await.0, StatusCode::OK);
    for line in first.key.lines().chain(second.key.lines()) {
        assert!(!sidecar.stderr().contains(line), "{}", sidecar.stderr());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_pair_is_refused_at_the_start_with_everything_that_is_wrong() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let (identity, other) = (Identity::new(), Identity::new());
    let key_cut = &identity.key[..identity.key.len() / 2];
    let in_pem =
        |what, content| format!("-----BEGIN {what}-----\n{content}\n-----END {what}-----\n");
    let no_certificate = in_pem("CERTIFICATE", "AAAA");
    let no_key = in_pem("PRIVATE KEY", "AAAA");
    let long = format!("{}{}", identity.certificate, "\n".repeat(1024 * 1024));
    let [of_certificate, of_key] = [CERTIFICATE, KEY];
    let (good, good_key) = (&*identity.certificate, &*identity.key);
    for (certificate, key, faults) in [
        (good, &*other.key, &[(of_key, "does not fit")][..]),
        (good_key, good_key, &[(of_certificate, "holds no certificate")]),
        (good, good, &[(of_key, "holds no private key")]),
        (good, key_cut, &[(of_key, "holds no private key")]),
        (good, &no_key, &[(of_key, "holds no usable key")]),
        ("", good_key, &[(of_certificate, "holds no certificate")]),
        (&long, good_key, &[(of_certificate, "is larger than 1048576 bytes")]),
        (
            &no_certificate,
            &no_key,
            &[(of_certificate, "holds no usable certificate"), (of_key, "holds no usable key")],
        ),
        (&long, key_cut, &[(of_certificate, "is larger than"), (of_key, "holds no private key")]),
    ] {
        let refusal = Sidecar::before(&upstream, &authority)
            .with_file(CERTIFICATE, certificate)
            .with_file(KEY, key)
            .refused();
        assert_eq!(refusal.code, Some(78), "{}", refusal.stderr);
        assert_eq!(refusal.stderr.lines().count(), faults.len(), "{}", refusal.stderr);
        for (line, (variable, fault)) in refusal.stderr.lines().zip(faults) {
            assert!(line.starts_with(variable) && line.contains(fault), "{fault}: {line}");
        }
        let base64 = |line: &&str| !line.starts_with("-----");
        for line in identity.key.lines().chain(other.key.lines()).filter(base64) {
            assert!(!refusal.stderr.contains(line) && !refusal.stdout.contains(line));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_tls_disturbs_nobody() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let identity = Identity::new();
    let sidecar = showing(&identity, &upstream, &authority).start();
    let config = trusting(&[&identity], &["http/1.1"]);
    let stream = connect(sidecar.address(), &config).await.unwrap();
    let mut client = SecureClient::over(stream, &authority.token().mint()).await;
    // A record that is announced longer than it is, left open until the end.
    let mut half = Vec::new();
    for number in 0..64_u8 {
        let mut stream = TcpStream::connect(sidecar.address()).await.unwrap();
        let garbage: Vec<u8> = match number % 4 {
            0 => b"GET /orders HTTP/1.1\r\nHost: api.example\r\n\r\n".to_vec(),
            1 => (0..=255).map(|byte: u8| byte.wrapping_mul(number)).collect(),
            2 => vec![0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0xFF, 0xFF, 0xFF, number],
            _ => vec![0x16, 0x03, 0x01, 0x40, 0x00, 0x01],
        };
        stream.write_all(&garbage).await.unwrap();
        if number % 4 == 3 {
            half.push(stream);
        } else {
            // Whatever it is answered with, it is no request.
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
        }
        assert_eq!(client.get("/orders").await.0, StatusCode::OK);
    }
    assert_eq!(upstream.take().len(), 64);
}
