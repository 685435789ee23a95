//! Against the testing kit's authority, which has an introspection endpoint of its own.

use portcullis::testing::{Authority, Client, Outage};
use portcullis::{Introspection, Issuer, RejectionKind, ResourceServerBuilder};

use super::support::fixture::kind;

fn authority() -> Authority {
    let authority = Authority::new();
    let client = Client::new("api", "secret").allowed_scope("authorization.introspect");
    authority.register(client).unwrap();
    authority.register(Client::new("nobody", "secret")).unwrap();
    authority
}

fn server(authority: &Authority, asking: Introspection) -> ResourceServerBuilder {
    let issuer =
        Issuer::introspected(authority.issuer_url(), asking).audience(authority.audience());
    super::support::server::builder()
        .issuer(issuer)
        .clock(authority.clock().clone())
        .http_client(authority.http_service())
}

#[tokio::test]
async fn every_way_to_ask_works_and_none_without_the_right() {
    let authority = authority();
    let at = || Introspection::at(authority.introspection_endpoint());
    let token = authority.token_endpoint();
    for (row, asking, is_good) in [
        ("basic", at().basic("api", "secret"), true),
        ("post", at().post("api", "secret"), true),
        ("bearer", at().bearer("api", "secret", &token), true),
        ("signed", at().basic("api", "secret").signed_answers(), true),
        ("signed, by bearer", at().bearer("api", "secret", &token).signed_answers(), true),
        ("wrong secret", at().basic("api", "Secret"), false),
        ("bearer, wrong secret", at().bearer("api", "Secret", &token), false),
        ("bearer, scope not allowed", at().bearer("nobody", "secret", &token), false),
        ("bearer, without scope", at().bearer("nobody", "secret", &token).service_scope(""), false),
    ] {
        let server = server(&authority, asking).build().unwrap();
        let expected = if is_good { Ok(()) } else { Err(RejectionKind::IntrospectionUnavailable) };
        for token in [authority.token().opaque(), authority.token().mint()] {
            assert_eq!(kind(&server, &token).await, expected, "{row}");
        }
    }
}

#[tokio::test]
async fn f39_the_authority_knows_its_tokens_and_what_became_of_them() {
    let authority = authority();
    let at = Introspection::at(authority.introspection_endpoint()).basic("api", "secret");
    let server = server(&authority, at).build().unwrap();
    let revoked = authority.token().opaque();
    authority.revoke(&revoked);
    for (row, token) in [
        ("made up", "made-up".to_owned()),
        ("revoked", revoked),
        ("expired", authority.token().expired().opaque()),
        ("not yet valid", authority.token().not_yet_valid().opaque()),
        ("forged", authority.token().signed_by_stranger().mint()),
        ("unsigned", authority.token().unsigned().mint()),
    ] {
        assert_eq!(kind(&server, &token).await, Err(RejectionKind::Inactive), "{row}");
    }
    let elsewhere = authority.token().audience("https://other.example").opaque();
    assert_eq!(kind(&server, &elsewhere).await, Err(RejectionKind::WrongAudience));
    assert!(authority.introspection_requests() > 0);

    authority.set_outage(Outage::Everything);
    let unavailable = Err(RejectionKind::IntrospectionUnavailable);
    assert_eq!(kind(&server, &authority.token().opaque()).await, unavailable);
}
