//! portcullis.

use std::env;

use portcullis::{Issuer, ResourceServer, ResourceServerBuilder, scope};
use tower_layer::Layer;

use crate::contender::{Contender, Noop, Presented};
use crate::sample::{SCOPE, Sample};

pub const NAME: &str = "portcullis";

pub fn layer(sample: &Sample, presented: &Presented) -> Contender {
    let service = server(sample).require(scope(SCOPE)).layer(<Noop>::default());
    Contender::of_service(NAME, service, presented)
}

pub fn server(sample: &Sample) -> ResourceServer {
    builder().issuer(issuer(sample)).build().unwrap()
}

pub fn issuer(sample: &Sample) -> Issuer {
    Issuer::with_jwks(&sample.issuer, &sample.jwks).audience(&sample.audience)
}

/// Every server of the benches comes from here.
pub fn builder() -> ResourceServerBuilder {
    let builder = ResourceServer::builder();
    match cache_size() {
        Some(tokens) => builder.token_cache(tokens),
        None => builder,
    }
}

/// `BENCH_TOKEN_CACHE`: how many verified tokens a server may remember, where that is not to be what
/// the library does by default.
pub fn cache_size() -> Option<usize> {
    env::var("BENCH_TOKEN_CACHE").ok().map(|text| text.parse().expect("a number of tokens"))
}
