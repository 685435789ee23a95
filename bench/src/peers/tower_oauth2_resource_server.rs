//! <https://docs.rs/tower-oauth2-resource-server>; over jsonwebtoken 11 and aws-lc.

use tower_layer::Layer;
use tower_oauth2_resource_server::claims::DefaultClaims;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

use super::wait;
use crate::contender::{Contender, Noop, Presented};
use crate::sample::Sample;

pub(super) fn layer(sample: &Sample, presented: &Presented) -> Option<Contender> {
    let claims = ClaimsValidationSpec::recommended(&sample.issuer, &vec![sample.audience.clone()]);
    let tenant = TenantConfiguration::static_builder(&sample.jwks)
        .audiences(&[&sample.audience])
        .claims_validation(claims.nbf(false))
        .build()
        .unwrap();
    let server = OAuth2ResourceServer::<DefaultClaims>::builder().add_tenant(tenant);
    let service = wait(server.build()).unwrap().into_layer().layer(<Noop>::default());
    Some(Contender::of_service("tower-oauth2-resource-server", service, presented))
}
