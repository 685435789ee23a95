//! The metadata document of the resource, whatever the mode.
//!
//! The proxy answers it before rules are asked. In the other modes a gateway that sends requests for
//! it here gets it too: these are for us, as nothing says that another request is meant.

use bytes::Bytes;
use http::{Request, Response};

use super::proxy::Record;
use super::telemetry::Outcome;
use crate::resource_server::ResourceServer;

/// The answer to a request for the document. Its path is as the client wrote it: every other spelling
/// is a request like any other.
pub(super) fn answer<B>(
    server: &ResourceServer,
    request: &Request<B>,
    record: &mut Record,
) -> Option<Response<Bytes>> {
    let answer = server.metadata()?.answer(request.method(), request.uri())?;
    record.outcome(Outcome::Metadata);
    Some(answer)
}
