//! `portcullis serve` as its users have it: the binary, real sockets, an authorization server, and
//! services of several kinds behind it.

mod admin_port;
mod authority_down;
mod bodies;
mod decisions;
mod envoy;
mod few_files;
mod fields;
mod gateways;
mod http2;
mod life_cycle;
mod metadata;
mod oidc_provider;
mod paths;
mod proxying;
mod reloads;
mod secrets;
mod slow_clients;
mod smuggling;
mod support;
mod tls;
mod upgrades;
