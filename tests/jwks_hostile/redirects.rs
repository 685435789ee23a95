//! Redirects: the operator named one URL, and no other is contacted.

use portcullis::Issuer;

use super::support::fixture::{Expected, Fixture, ISSUER, bearer, send};
use super::support::scripted_as::{Reply, ScriptedAs};
use super::support::tls;
use super::{JWKS, always, complaint, good_set, server};

const STATUSES: [u16; 6] = [300, 301, 302, 303, 307, 308];
const TELLING: &str = "redirects are not followed, configure the final URL";

#[tokio::test]
async fn disc_07_no_redirect_is_followed() {
    let fixture = Fixture::new();
    let elsewhere = always(good_set(&fixture)).await;
    let other_host = elsewhere.origin.replace("127.0.0.1", "localhost");
    let targets = [
        format!("{}/jwks", elsewhere.origin),
        format!("{other_host}/jwks"),
        format!("{}/jwks", elsewhere.origin.trim_start_matches("http:")),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "/other".to_owned(),
    ];
    let fake = always(Reply::hang()).await;
    for status in STATUSES {
        for target in &targets {
            let name = format!("{status} to {target}");
            let (set, target) = (fixture.key.jwks(), target.clone());
            let redirect = move |path: &str| match path {
                JWKS => {
                    Reply::new(status, "application/json", set.clone()).header("location", &target)
                }
                _ => Reply::json(set.clone()),
            };
            let script = redirect.clone();
            fake.answer_with(move |asked| script(asked.path()));
            let server = server(&fixture, &fake);
            let said = complaint(server.load_keys().await, &name);
            assert!(said.contains(TELLING) && said.contains(&status.to_string()), "{name}: {said}");
            send(&server, bearer(&fixture.good())).await.is(Expected::Unavailable, &name);

            let set = good_set(&fixture);
            fake.answer_with(move |_| set.clone());
            server.load_keys().await.unwrap();
            fake.answer_with(move |asked| redirect(asked.path()));
            complaint(server.load_keys().await, &name);
            send(&server, bearer(&fixture.good())).await.is(Expected::Ok, &name);
        }
    }
    assert!(fake.log().iter().all(|path| path == JWKS), "{:?}", fake.log());
    assert_eq!(elsewhere.log(), [""; 0]);
}

#[tokio::test]
async fn disc_07_no_redirect_leads_out_of_tls() {
    let fixture = Fixture::new();
    let plain = always(good_set(&fixture)).await;
    let (acceptor, authority) = tls::localhost();
    let target = format!("{}/jwks", plain.origin);
    let fake = ScriptedAs::start_tls(acceptor, move |_| Reply::redirect(302, &target)).await;
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{}{JWKS}", fake.origin));
    let server = fixture.builder_with(issuer).root_certificate(authority).build().unwrap();
    let said = complaint(server.load_keys().await, "out of TLS");
    assert!(said.contains(TELLING), "{said}");
    assert_eq!((fake.log(), plain.log()), (vec![JWKS.to_owned()], vec![]));
}
