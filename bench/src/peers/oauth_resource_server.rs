//! <https://docs.rs/oauth-resource-server>; over jsonwebtoken 9 and ring. Checks scope, as ours
//! does.

use std::sync::Arc;

use oauth_resource_server::http_layer::HttpAuthLayer;
use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator};
use tower_layer::Layer;

use crate::contender::{Contender, Noop, Presented};
use crate::sample::{SCOPE, Sample};

pub(super) fn layer(sample: &Sample, presented: &Presented) -> Option<Contender> {
    let config = OAuthConfig {
        enabled: true,
        issuer: sample.issuer.clone(),
        jwks_uri: Some(format!("{}/jwks", sample.issuer)),
        audience: sample.audience.clone(),
        resource: sample.audience.clone(),
        required_scopes: vec![SCOPE.to_owned()],
        algorithms: vec![sample.algorithm.clone()],
        ..OAuthConfig::default()
    };
    let config = config.resolve(KeyNaming::Dotted("oauth")).unwrap().unwrap();
    let validator = OAuthValidator::builder(&config).initial_jwks(&sample.jwks).build().unwrap();
    let layer = HttpAuthLayer::builder().oauth(Arc::new(validator)).build().unwrap();
    let service = layer.layer(<Noop>::default());
    Some(Contender::of_service("oauth-resource-server", service, presented))
}
