//! Where resource servers of the tests come from.

use portcullis::{ResourceServer, ResourceServerBuilder};

/// The suite is run with `TEST_TOKEN_CACHE=0` too, and has to say the same.
pub fn builder() -> ResourceServerBuilder {
    with_cache(ResourceServer::builder())
}

pub fn with_cache(builder: ResourceServerBuilder) -> ResourceServerBuilder {
    match std::env::var("TEST_TOKEN_CACHE") {
        Ok(tokens) => builder.token_cache(tokens.parse().expect("a number of tokens")),
        Err(_) => builder,
    }
}
