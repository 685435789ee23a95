//! <https://docs.rs/jwt-authorizer>; over jsonwebtoken 9 and ring.

use axum_core_04::body::Body;
use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, RegisteredClaims, Validation};
use tower_layer::Layer;

use super::wait;
use crate::contender::{Contender, Noop, Presented};
use crate::sample::Sample;

pub(super) fn layer(sample: &Sample, presented: &Presented) -> Option<Contender> {
    let algorithm = match sample.algorithm.as_str() {
        "RS256" => jsonwebtoken_09::Algorithm::RS256,
        "ES256" => jsonwebtoken_09::Algorithm::ES256,
        _ => jsonwebtoken_09::Algorithm::EdDSA,
    };
    let validation = Validation::new()
        .iss(&[&sample.issuer])
        .aud(&[&sample.audience])
        .nbf(true)
        .algs(vec![algorithm]);
    let authorizer: JwtAuthorizer<RegisteredClaims> =
        JwtAuthorizer::from_jwks_text(&sample.jwks).validation(validation);
    let authorizer: Authorizer<RegisteredClaims> = wait(authorizer.build()).unwrap();
    let service = authorizer.into_layer().layer(Noop::<Body>::default());
    Some(Contender::of_service("jwt-authorizer", service, presented))
}
