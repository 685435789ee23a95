//! One request's way through the sidecar.
//!
//! 1. [`head`] refuses what two servers could read in two ways, and what cannot be passed on.
//! 2. The path becomes the one form that rules are asked about and the upstream sees.
//! 3. The route's gate decides, as a layer's would.
//! 4. [`fields`] takes away what the client has no say in, and sets what the upstream relies on.
//! 5. The upstream is asked ([`answering`]), and [`answer`] sends on what it says as it comes.
//!
//! Whatever the end is, [`record`] tells it to the metrics and the log, once.

mod answer;
mod answering;
mod fields;
mod forwarded;
mod head;
mod identity;
mod pause;
mod peer;
mod problem;
mod record;
mod request_body;
mod request_id;
mod tunnel;
mod wait;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;
use http::{Request, Uri};
use hyper::body::{Body as _, Incoming};

pub(super) use peer::Peer;

use self::answering::Answering;
use self::fields::{Admission, FieldPolicy, Hop};
use self::head::Head;
use self::record::Record;
use self::request_body::RequestBody;
use super::access_log::AccessLog;
use super::known_fields::Present;
use super::path;
use super::rules::{Route, Routes};
use super::settings::{Networks, Settings};
use super::telemetry::{BadRequest, Outcome, Telemetry};
use super::upstream::{Places, Upstream};
use crate::access_token::AccessToken;
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;
use crate::resource_server::{Decision, Preflight, ResourceServer};
use crate::tower::{RefusedRequest, is_preflight};

/// What all workers share.
pub(super) struct Shared {
    pub(super) server: ResourceServer,
    pub(super) routes: ArcSwap<Routes>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) trusted_proxies: Networks,
    fields: FieldPolicy,
}

impl Shared {
    pub(super) fn new(
        settings: &Settings,
        server: ResourceServer,
        routes: Routes,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self {
            server,
            routes: ArcSwap::from_pointee(routes),
            telemetry,
            trusted_proxies: settings.trusted_proxies.clone(),
            fields: FieldPolicy::new(settings),
        }
    }
}

/// One worker's proxy.
pub(super) struct Proxy {
    shared: Arc<Shared>,
    upstream: Upstream<RequestBody>,
    log: AccessLog,
    /// Whether what is not answered by now is not going to be.
    is_over: AtomicBool,
}

/// What becomes of a request before the upstream is asked: a token, none where none is needed, or
/// a refusal.
enum Verdict {
    Done(Result<Option<AccessToken>, Rejection>),
    /// Keys have to be fetched first.
    Wait(Pin<Box<dyn Future<Output = Result<AccessToken, Rejection>> + Send>>),
}

impl Proxy {
    pub(super) fn new(
        shared: Arc<Shared>,
        settings: &Settings,
        places: Arc<Places>,
        log: AccessLog,
    ) -> Self {
        let upstream = Upstream::new(&settings.upstream, places);
        Self { shared, upstream, log, is_over: AtomicBool::new(false) }
    }

    pub(super) fn log(&self) -> &AccessLog {
        &self.log
    }

    /// Requests that end after this were cut off.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Answers a request; it is recorded when its answer has been sent.
    pub(super) fn answer(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        peer: &Arc<Peer>,
    ) -> Answering {
        let present = Present::of(request.headers());
        let mut record = Record::begin(self, peer, &request, present);
        // The same rules for all of it, whatever is loaded meanwhile.
        let routes = self.shared.routes.load();
        let by_rules = routes.exist();
        let head = match check(&mut request, present, by_rules) {
            Ok(head) => head,
            Err(fault) => {
                record.outcome(Outcome::BadRequest(fault));
                let answer = problem::of_request(fault, record.method());
                return Answering::done(answer::own(record, answer));
            }
        };
        match self.judge(&routes, &request, &head, &mut record) {
            Verdict::Done(judged) => go_on(judged, request, by_rules, head, record),
            Verdict::Wait(waiting) => Answering::later(async move {
                let judged = waiting.await.map(Some);
                go_on(judged, request, by_rules, head, record).await
            }),
        }
    }

    /// Whether the request may go on, and with which token.
    fn judge(
        &self,
        routes: &Routes,
        request: &Request<Incoming>,
        head: &Head,
        record: &mut Record,
    ) -> Verdict {
        let host = head.host.to_str().unwrap_or_default();
        let Route { rule, access } = routes.route(request.method(), request.uri().path(), host);
        record.rule(rule);
        let Some(gate) = access.gate() else {
            record.outcome(Outcome::Public);
            return Verdict::Done(Ok(None));
        };
        if self.shared.server.preflight() == Preflight::Pass && asks_for_nothing(request, head) {
            record.outcome(Outcome::Preflight);
            return Verdict::Done(Ok(None));
        }
        match gate.decide(request.headers(), request.uri(), None) {
            Decision::Admit(token) => Verdict::Done(Ok(Some(token))),
            Decision::Refuse(rejection) => Verdict::Done(Err(rejection)),
            Decision::Wait(pending) => {
                let gate = gate.clone();
                Verdict::Wait(Box::pin(async move { gate.judge_after(pending).await }))
            }
            // No token is known before, and no gate here is optional.
            Decision::AdmitKnown | Decision::AdmitAnonymous => {
                Verdict::Done(Err(gate.reject(RejectionKind::Internal)))
            }
        }
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
        && request.body().is_end_stream()
        && !request.headers().contains_key(AUTHORIZATION)
}

/// What follows from the verdict.
fn go_on(
    judged: Result<Option<AccessToken>, Rejection>,
    request: Request<Incoming>,
    by_rules: bool,
    head: Head,
    mut record: Record,
) -> Answering {
    let token = match judged {
        Ok(token) => token,
        Err(rejection) => {
            record.outcome(Outcome::Refused(rejection.kind()));
            let answer = RefusedRequest::of(&request).answer(&rejection);
            return Answering::done(answer::own(record, answer));
        }
    };
    if token.is_some() {
        record.outcome(Outcome::Allowed);
    }
    let proxy = Arc::clone(record.proxy());
    let hop = Hop {
        host: &head.host,
        present: head.present,
        peer: record.peer(),
        request_id: record.request_id(),
        upgrade: head.upgrade.as_ref(),
        to_http2: proxy.upstream.speaks_http2(),
    };
    let (mut parts, body) = request.into_parts();
    proxy.shared.fields.apply(&mut parts, &Admission { token: token.as_ref(), by_rules }, &hop);
    fields::set_target(&mut parts, &head.host, hop.to_http2);
    fields::set_framing(&mut parts.headers, &body, hop.to_http2);
    let (body, upload) = RequestBody::new(body, &proxy);
    let sending = proxy.upstream.send(Request::from_parts(parts, body));
    Answering::forwarding(sending, upload, head.upgrade, record)
}

/// The same URI with the canonical path; `None` where it is canonical already.
fn canonical(uri: &Uri) -> Result<Option<Uri>, BadRequest> {
    let path = match path::canonical(uri.path()) {
        Ok(Cow::Borrowed(_)) => return Ok(None),
        Ok(Cow::Owned(path)) => path,
        Err(_) => return Err(BadRequest::AmbiguousPath),
    };
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    let target = PathAndQuery::try_from(text).map_err(|_| BadRequest::AmbiguousPath)?;
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map(Some).map_err(|_| BadRequest::AmbiguousPath)
}
