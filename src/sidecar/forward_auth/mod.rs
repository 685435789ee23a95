//! The decision for gateways that ask over HTTP: nginx (`auth_request`), Traefik (ForwardAuth) and
//! Caddy (`forward_auth`).
//!
//! 1. The peer has to be one whose word about others' requests is believed.
//! 2. [`original`] finds out what was asked for. A gateway that says it in two ways is refused.
//! 3. From then on it is that request which is judged, logged and counted. Its path has to be canonical
//!    as it is, as the gateway sends on what it has.
//! 4. The answer is 204 with the fields that the gateway has to copy, or the refusal that a client
//!    of the proxy would get, in statuses that the gateway knows ([`answer`]).
//!
//! The whole port is the endpoint, whatever path the gateway asks for. What the gateway passes on
//! to the service is out of our hands; so what the proxy would have taken away, and a gateway that
//! copies our fields does not, is refused here.

mod alarm;
mod answer;
mod original;

use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderMap;
use http::uri::Authority;
use http::{Method, Request, Response};
use hyper::body::Incoming;

use self::alarm::ALARM;
use self::answer::Gateway;
use self::original::Original;
use super::desk::{Desk, Shared};
use super::judge::{Judged, Pass, Verdict, check_canonical, judge};
use super::known_fields::{FieldKind, Present, kind};
use super::proxy::{Answering, Peer, Record, is_served, own, problem};
use super::telemetry::{BadRequest, Outcome};
use super::well_known;
use crate::tower::RefusedRequest;

/// One worker's part of it.
pub(super) struct ForwardAuth {
    desk: Arc<Desk>,
}

/// The one who asks, and how the answer has to look.
struct Asker {
    gateway: Gateway,
    request: RefusedRequest,
    method: Method,
}

impl ForwardAuth {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    /// Answers a gateway; it is recorded what its client has asked for.
    pub(super) fn answer(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        peer: &Arc<Peer>,
    ) -> Answering {
        let present = Present::of(request.headers());
        let mut record = Record::begin(&self.desk, peer, &request, present);
        let asker = Asker::of(&request);
        let shared = &self.desk.shared;
        // The same rules for all of it, whatever is loaded meanwhile.
        let routes = shared.routes.load();
        let host = match self.read(&mut request, peer, routes.exist(), &mut record) {
            Ok(host) => host,
            Err(fault) => {
                if fault == BadRequest::OriginalMissing
                    && let Some(document) =
                        well_known::answer(&shared.server, &request, &mut record)
                {
                    return Answering::done(own(record, document));
                }
                ALARM.ring(fault, peer);
                record.outcome(Outcome::BadRequest(fault));
                let answer = asker.gateway.tell(problem::of_original(fault, &asker.method));
                return Answering::done(own(record, answer));
            }
        };
        let host = host.as_ref().map_or("", Authority::as_str);
        // Whether there is nothing in a preflight cannot be seen from here.
        let (rule, verdict) = judge(&shared.server, &routes, &request, host, || false);
        record.rule(rule);
        let (parts, _) = request.into_parts();
        match verdict {
            Verdict::Done(judged) => {
                let answer = conclude(shared, &judged, &parts.headers, &asker, &mut record);
                Answering::done(own(record, answer))
            }
            Verdict::Wait(waiting) => {
                let front = Arc::clone(self);
                Answering::later(async move {
                    let (judged, shared) = (waiting.await.map(Pass::Token), &front.desk.shared);
                    let answer = conclude(shared, &judged, &parts.headers, &asker, &mut record);
                    Ok(own(record, answer))
                })
            }
        }
    }

    /// Makes the request the one that the gateway was asked for. The host is `None` where the gateway
    /// does not tell it.
    fn read(
        &self,
        request: &mut Request<Incoming>,
        peer: &Peer,
        by_rules: bool,
        record: &mut Record,
    ) -> Result<Option<Authority>, BadRequest> {
        if !peer.trusted {
            return Err(BadRequest::UntrustedGateway);
        }
        let Original { method, uri, host } = Original::of(request.headers())?;
        record.is_about(&method, &uri);
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        if !is_served(request.method()) {
            return Err(BadRequest::Method);
        }
        if by_rules {
            check_canonical(request.uri())?;
        }
        self.check_fields(request.headers(), by_rules)?;
        Ok(host)
    }

    /// A gateway overwrites identity fields in one spelling, and knows nothing of fields that make
    /// another method of the request than the one that rules have looked at.
    fn check_fields(&self, headers: &HeaderMap, by_rules: bool) -> Result<(), BadRequest> {
        let identity = self.desk.shared.fields.identity();
        let is_smuggled = headers.keys().any(|name| {
            let is_other_spelling = identity.hold(name) && !identity.names().any(|own| own == name);
            is_other_spelling || (by_rules && kind(name) == FieldKind::MethodOverride)
        });
        if is_smuggled { Err(BadRequest::SmuggledField) } else { Ok(()) }
    }
}

impl Asker {
    fn of(request: &Request<Incoming>) -> Self {
        let is_nginx = original::is_told_by_nginx(request.headers());
        Self {
            gateway: if is_nginx { Gateway::Nginx } else { Gateway::Other },
            request: RefusedRequest::over_http(request),
            method: request.method().clone(),
        }
    }
}

/// What follows from the verdict.
fn conclude(
    shared: &Shared,
    judged: &Judged,
    asked: &HeaderMap,
    asker: &Asker,
    record: &mut Record,
) -> Response<Bytes> {
    match judged {
        Ok(pass) => {
            record.outcome(pass.outcome());
            answer::go_on(&shared.fields, pass.token(), asked)
        }
        Err(rejection) => {
            record.outcome(Outcome::Refused(rejection.reason()));
            asker.gateway.tell(asker.request.answer(rejection))
        }
    }
}
