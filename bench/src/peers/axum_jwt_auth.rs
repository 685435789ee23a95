//! <https://docs.rs/axum-jwt-auth>; over jsonwebtoken 10, with aws-lc chosen. It is an extractor
//! rather than a layer: called here as axum would, without axum's routing.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use axum_core::response::IntoResponse;
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use http::{Request, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, crypto::aws_lc};
use serde::Deserialize;
use tower_service::Service;

use crate::contender::{Contender, NoBody, Noop, Presented, at_once};
use crate::sample::Sample;

/// It brings none of its own.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read from the token, as a handler would have it")]
struct TokenClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    iat: u64,
    jti: String,
    client_id: String,
    scope: String,
}

pub(super) fn layer(sample: &Sample, presented: &Presented) -> Option<Contender> {
    // Two are compiled in, as the crate insists on the other one. A second call changes nothing.
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let algorithm: Algorithm = sample.algorithm.parse().unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[&sample.issuer]);
    validation.set_audience(&[&sample.audience]);
    let jwks: JwkSet = serde_json::from_str(&sample.jwks).unwrap();
    let keys = jwks.keys.iter().map(|jwk| DecodingKey::from_jwk(jwk).unwrap()).collect();
    let decoder: Decoder<TokenClaims> = Arc::new(LocalDecoder::new(keys, validation).unwrap());
    let presented = presented.clone();
    Some(Contender::new("axum-jwt-auth", move |number| {
        at_once(guarded(&decoder, presented.request(number)))
    }))
}

async fn guarded(decoder: &Decoder<TokenClaims>, request: Request<NoBody>) -> StatusCode {
    let (mut parts, body) = request.into_parts();
    match Claims::<TokenClaims>::from_request_parts(&mut parts, decoder).await {
        Ok(_claims) => {
            let inner = <Noop>::default().call(Request::from_parts(parts, body)).await;
            inner.unwrap().status()
        }
        Err(refusal) => refusal.into_response().status(),
    }
}
