//! <https://docs.rs/aliri_tower>; over ring. RSA only: its elliptic curves need OpenSSL, and it has
//! no EdDSA. Checks scope, as ours does.

use aliri::{Jwks, jwa, jwt};
use aliri_oauth2::scope::BasicClaimsWithScope;
use aliri_oauth2::{Authority, ScopePolicy};
use aliri_tower::Oauth2Authorizer;
use bytes::Bytes;
use http_body_util::Empty;
use tower_layer::Layer;

use crate::contender::{Contender, NoBody, Noop, Presented};
use crate::sample::{SCOPE, Sample};

pub(super) fn layer(sample: &Sample, presented: &Presented) -> Option<Contender> {
    if sample.algorithm != "RS256" {
        return None;
    }
    let jwks: Jwks = serde_json::from_str(&sample.jwks).unwrap();
    let validator = jwt::CoreValidator::default()
        .add_approved_algorithm(jwa::Algorithm::RS256)
        .add_allowed_audience(jwt::Audience::from(sample.audience.as_str()))
        .require_issuer(jwt::Issuer::from(sample.issuer.as_str()))
        .check_expiration();
    let authorizer = Oauth2Authorizer::new()
        .with_claims::<BasicClaimsWithScope>()
        .with_terse_error_handler::<Empty<Bytes>>();
    let inner = authorizer
        .scope_layer::<NoBody>(ScopePolicy::allow_one_from_static(SCOPE))
        .layer(<Noop>::default());
    let service = authorizer.jwt_layer::<NoBody>(Authority::new(jwks, validator)).layer(inner);
    Some(Contender::of_service("aliri_tower", service, presented))
}
