//! The other layers, each set up as its documentation advises, with the same keys, issuer, audience
//! and algorithm. Their keys are given at the start, so that nobody fetches; their claims are read
//! into the type that they offer for it. What one of them cannot verify it is not asked about.

mod aliri_tower;
mod axum_jwt_auth;
mod jwt_authorizer;
mod oauth_resource_server;
mod tower_oauth2_resource_server;

use crate::contender::{Contender, Presented};
use crate::sample::Sample;

pub fn all(sample: &Sample, presented: &Presented) -> Vec<Contender> {
    [
        jwt_authorizer::layer(sample, presented),
        tower_oauth2_resource_server::layer(sample, presented),
        oauth_resource_server::layer(sample, presented),
        axum_jwt_auth::layer(sample, presented),
        aliri_tower::layer(sample, presented),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// For set-up only.
fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
