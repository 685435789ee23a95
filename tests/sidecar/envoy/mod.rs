//! `PORTCULLIS_MODE=ext-authz` behind a real Envoy, seen by its clients and by the service.

mod calls;
mod certificates;
pub(crate) mod gateway;
mod grpc;
mod paths;
mod switches;
mod table;
