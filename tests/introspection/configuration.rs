//! What refuses to start, and what is never shown.

use portcullis::{Introspection, Issuer};

use super::builder;
use super::support::fixture::ISSUER;

const AT: &str = "https://as.example/introspect";

fn faults(issuer: Issuer) -> Vec<String> {
    match builder(issuer).build() {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(|fault| fault.problem().to_owned()).collect(),
    }
}

#[test]
fn intro_02_intro_03_each_contradiction_is_told() {
    let at = || Introspection::at(AT);
    for (asking, expected) in [
        (at().basic("rs", "s"), &[] as &[&str]),
        (at().post("rs", "s"), &[]),
        (at().bearer("rs", "s", "https://as.example/token"), &[]),
        (Introspection::at("http://127.0.0.1:1/x").basic("rs", "s"), &[]),
        (at(), &["introspection needs credentials: basic, post, private_key_jwt or bearer"]),
        (
            at().basic("", ""),
            &["the client id must not be empty", "the client secret must not be empty"],
        ),
        (
            Introspection::at("http://as.example/x").bearer("rs", "s", "token"),
            &[
                "the introspection URI must be https (http is allowed to loopback addresses only)",
                "the token URI is not an absolute URL",
            ],
        ),
        (
            at().private_key_jwt("rs", "secret"),
            &["the private key must be a private key in PEM: -----BEGIN PRIVATE KEY----- (PKCS#8)"],
        ),
    ] {
        assert_eq!(faults(Issuer::introspected(ISSUER, asking)), expected);
    }
    // Nothing needs its keys, so nothing needs it to be a URL.
    assert_eq!(faults(Issuer::introspected("mobilefirst", at().basic("rs", "s"))), [""; 0]);
    let signed = Issuer::introspected("mobilefirst", at().basic("rs", "s").signed_answers());
    assert_eq!(faults(signed), ["is not an absolute URL"]);
}

#[test]
fn hdr_14_no_secret_is_shown_by_debug() {
    let asking = Introspection::at(AT).basic("rs", "hush-hush");
    let issuer = Issuer::introspected(ISSUER, asking.clone());
    let builder = builder(issuer.clone());
    let shown = format!("{asking:?} {issuer:?} {builder:?} {:?}", builder);
    assert!(!shown.contains("hush"), "{shown}");
}
