//! Tokens that are bound to a client certificate, by what their issuer says (RFC 8705 §3.2).

use portcullis::{ClientCertificate, RejectionKind};
use serde_json::json;

use super::support::fixture::{Expected, bearer, send};
use super::support::keys::thumbprint;
use super::support::scripted_as::Reply;
use super::{OPAQUE, PATH, active, answering, introspecting};

/// Whoever asks first, its certificate counts for nobody else: there is one answer for all, and it is
/// kept.
#[tokio::test]
async fn intro_09_mtls_08_each_request_is_judged_by_its_own_certificate() {
    let own = ClientCertificate::from_der("own");
    let other = ClientCertificate::from_der("other");
    let bound = active(json!({ "cnf": { "x5t#S256": thumbprint("own") } }));
    for order in [[Some(&own), Some(&other), None], [None, Some(&other), Some(&own)]] {
        let answer = bound.to_string();
        let fake = answering(move |_| Reply::json(answer.clone())).await;
        let server = introspecting(&fake).token_cache(10).build().unwrap();
        for certificate in order {
            let mut request = bearer(OPAQUE);
            if let Some(certificate) = certificate {
                request.extensions_mut().insert(certificate.clone());
            }
            let expected = match certificate {
                Some(shown) if *shown == own => Expected::Ok,
                _ => Expected::InvalidToken,
            };
            send(&server, request).await.is(expected, "bound");
        }
        assert_eq!(fake.count(PATH), 1);
    }
}

#[tokio::test]
async fn pipe_01_the_binding_is_judged_before_required_claims() {
    let own = ClientCertificate::from_der("own");
    let bound = active(json!({ "cnf": { "x5t#S256": thumbprint("own") }, "tnt_id": "other" }));
    let fake = answering(move |_| Reply::json(bound.to_string())).await;
    let issuer = portcullis::Issuer::introspected(super::ISSUER, super::asking(&fake));
    let server = super::builder(issuer.required_claim("tnt_id", "acme")).build().unwrap();
    let kind = |refused: Result<_, portcullis::Rejection>| refused.map(drop).unwrap_err().kind();
    assert_eq!(kind(server.verify(OPAQUE).await), RejectionKind::SenderConstrained);
    let shown = server.verify_with_certificate(OPAQUE, &own).await;
    assert_eq!(kind(shown), RejectionKind::RequiredClaimNotMet);
}
