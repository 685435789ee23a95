//! One request's way through the sidecar.
//!
//! 1. [`head`] refuses what two servers could read in two ways, and what cannot be passed on.
//! 2. The metadata document is answered here ([`well_known`]).
//! 3. The path becomes the one form that rules are asked about and the upstream sees.
//! 4. The route's gate decides, as a layer's would (`sidecar/judge.rs`).
//! 5. [`fields`] takes away what the client has no say in, and sets what the upstream relies on.
//! 6. The upstream is asked ([`answering`]), and [`answer`] sends on what it says as it comes.
//!
//! Whatever the end is, [`record`] tells it to the metrics and the log, once.

mod answer;
mod answering;
mod fields;
mod forwarded;
mod head;
mod last_token;
mod pause;
mod peer;
pub(super) mod problem;
mod record;
mod request_body;
mod request_id;
mod tunnel;
mod wait;

use std::sync::Arc;
use std::time::Instant;

use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::body::{Body as _, Incoming};

pub(super) use answer::{AnswerBody, called, own};
pub(super) use answering::Answering;
pub(super) use fields::FieldPolicy;
pub(super) use head::{is_host, is_served};
pub(super) use peer::Peer;
pub(super) use record::Record;

use self::fields::{Admission, Hop};
use self::head::Head;
use self::request_body::RequestBody;
use super::desk::Desk;
use super::judge::{Judged, Pass, Verdict, canonical, judge};
use super::known_fields::Present;
use super::settings::UpstreamAddress;
use super::telemetry::{BadRequest, Outcome};
use super::upstream::{Places, Upstream};
use super::well_known;
use crate::tower::{RefusedRequest, is_preflight};

/// One worker's proxy.
pub(super) struct Proxy {
    desk: Arc<Desk>,
    upstream: Upstream<RequestBody>,
}

impl Proxy {
    pub(super) fn new(desk: Arc<Desk>, upstream: &UpstreamAddress, places: Arc<Places>) -> Self {
        Self { desk, upstream: Upstream::new(upstream, places) }
    }

    /// Answers a request; it is recorded when its answer has been sent.
    pub(super) fn answer(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        peer: &Arc<Peer>,
    ) -> Answering {
        let present = Present::of(request.headers());
        let mut record = Record::begin(&self.desk, peer, &request, present);
        let shared = &self.desk.shared;
        if let Some(document) = well_known::answer(&shared.server, &request, &mut record) {
            return Answering::done(own(record, document));
        }
        // The same rules for all of it, whatever is loaded meanwhile.
        let routes = shared.routes.load();
        let by_rules = routes.exist();
        let head = match check(&mut request, present, by_rules) {
            Ok(head) => head,
            Err(fault) => {
                record.outcome(Outcome::BadRequest(fault));
                let answer = problem::of_request(fault, record.method());
                return Answering::done(own(record, answer));
            }
        };
        // gRPC services answer every method alike, and those that speak HTTP/2 to us mostly are some.
        let tells_methods_apart = !self.upstream.speaks_http2();
        let asks_for_nothing = || tells_methods_apart && asks_for_nothing(&request, &head);
        let host = head.host.to_str().unwrap_or_default();
        let (rule, verdict) = judge(&shared.server, &routes, &request, host, asks_for_nothing);
        record.rule(rule);
        match verdict {
            Verdict::Done(judged) => {
                let now = record.started();
                self.go_on(judged, request, by_rules, head, record, now)
            }
            Verdict::Wait(waiting) => {
                let proxy = Arc::clone(self);
                Answering::later(async move {
                    let judged = waiting.await.map(Pass::Token);
                    let now = Instant::now();
                    proxy.go_on(judged, request, by_rules, head, record, now).await
                })
            }
        }
    }

    /// What follows from the verdict.
    fn go_on(
        &self,
        judged: Judged,
        request: Request<Incoming>,
        by_rules: bool,
        head: Head,
        mut record: Box<Record>,
        now: Instant,
    ) -> Answering {
        let pass = match judged {
            Ok(pass) => pass,
            Err(rejection) => {
                record.outcome(Outcome::Refused(rejection.reason()));
                let answer = RefusedRequest::of(&request).answer(&rejection);
                return Answering::done(own(record, answer));
            }
        };
        record.outcome(pass.outcome());
        let hop = Hop {
            host: &head.host,
            present: head.present,
            peer: record.peer(),
            request_id: record.request_id(),
            upgrade: head.upgrade.as_deref(),
            to_http2: self.upstream.speaks_http2(),
        };
        let (mut parts, body) = request.into_parts();
        let admission = Admission { token: pass.token(), by_rules };
        self.desk.shared.fields.apply(&mut parts, &admission, &hop);
        fields::set_target(&mut parts, &head.host, hop.to_http2);
        fields::set_framing(&mut parts.headers, &body, hop.to_http2);
        let (body, upload) = RequestBody::new(body, &self.desk);
        let sending = self.upstream.send(Request::from_parts(parts, body), now);
        Answering::forwarding(sending, upload, head.upgrade, record)
    }
}

/// Whether everybody reads the request alike. Its path is canonical after that, where there are
/// rules.
fn check(
    request: &mut Request<Incoming>,
    present: Present,
    by_rules: bool,
) -> Result<Head, BadRequest> {
    let head = Head::check(request, present)?;
    if by_rules && let Some(uri) = canonical(request.uri())? {
        *request.uri_mut() = uri;
    }
    Ok(head)
}

/// Whether it is a CORS preflight as browsers send it. Whatever has more in it, a body, a wish for
/// another protocol or a token, is judged like any other request.
fn asks_for_nothing(request: &Request<Incoming>, head: &Head) -> bool {
    is_preflight(request)
        && head.upgrade.is_none()
        && !request.headers().contains_key(CONTENT_TYPE)
        && request.body().is_end_stream()
        && !request.headers().contains_key(AUTHORIZATION)
}
