//! One request's way through the sidecar.
//!
//! 1. [`head`] refuses what two servers could read in two ways, and what cannot be passed on.
//! 2. The path becomes the one form that rules are asked about and the upstream sees.
//! 3. The route's gate decides, as a layer's would.
//! 4. [`fields`] takes away what the client has no say in, and sets what the upstream relies on.
//! 5. The upstream answers, and [`answer`] sends that on as it comes.
//!
//! Whatever the end is, [`record`] tells it to the metrics and the log, once.

mod answer;
pub(super) mod field_class;
mod fields;
mod forwarded;
mod head;
mod identity;
mod peer;
mod problem;
mod record;
mod request_body;
mod request_id;
mod tunnel;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

pub(super) use answer::AnswerBody;
pub(super) use peer::Peer;

use self::fields::{Admission, FieldPolicy, Hop};
use self::head::Head;
use self::record::Record;
use self::request_body::{RequestBody, Upload};
use super::access_log::AccessLog;
use super::path;
use super::rules::{Route, Routes};
use super::settings::{Networks, Settings};
use super::telemetry::{BadRequest, Outcome, Telemetry, UpstreamFailure};
use super::upstream::{Failure, Lease, Upstream};
use crate::access_token::AccessToken;
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;
use crate::resource_server::{Decision, Gate, Pending, Preflight, ResourceServer};
use crate::tower::{RefusedRequest, is_preflight};

/// How long the upstream may take to begin an answer, counted from the last sign of life of the
/// request's own body. nginx's default too.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

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
}

/// What becomes of a request before the upstream is asked.
enum Verdict {
    Admit(Option<AccessToken>, Outcome),
    Refuse(Rejection),
    Wait(Gate, Pending),
}

impl Proxy {
    pub(super) fn new(shared: Arc<Shared>, settings: &Settings, log: AccessLog) -> Self {
        Self { shared, upstream: Upstream::new(&settings.upstream), log }
    }

    pub(super) fn log(&self) -> &AccessLog {
        &self.log
    }

    /// Answers a request; it is recorded when its answer has been sent.
    pub(super) async fn answer(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        peer: &Arc<Peer>,
    ) -> Response<AnswerBody> {
        let mut record = Record::begin(self, peer, &request);
        let (head, by_rules) = match self.check(&mut request) {
            Ok(checked) => checked,
            Err(fault) => {
                record.outcome(Outcome::BadRequest(fault));
                let answer = problem::of_request(fault, record.method());
                return answer::own(record, answer);
            }
        };
        match self.admit(&request, &mut record).await {
            Ok(token) => {
                let admission = Admission { token: token.as_ref(), by_rules };
                self.forward(request, &admission, head, peer, record).await
            }
            Err(rejection) => {
                record.outcome(Outcome::Refused(rejection.kind()));
                answer::own(record, RefusedRequest::of(&request).answer(&rejection))
            }
        }
    }

    /// Whether everybody reads the request alike. Its path is canonical after that, where there
    /// are rules; whether there are is said too.
    fn check(&self, request: &mut Request<Incoming>) -> Result<(Head, bool), BadRequest> {
        let head = Head::check(request)?;
        let by_rules = self.shared.routes.load().exist();
        if by_rules && let Some(uri) = canonical(request.uri())? {
            *request.uri_mut() = uri;
        }
        Ok((head, by_rules))
    }

    /// Whether the request may go on, and with which token.
    async fn admit(
        &self,
        request: &Request<Incoming>,
        record: &mut Record,
    ) -> Result<Option<AccessToken>, Rejection> {
        match self.judge(request, record) {
            Verdict::Admit(token, outcome) => {
                record.outcome(outcome);
                Ok(token)
            }
            Verdict::Refuse(rejection) => Err(rejection),
            Verdict::Wait(gate, pending) => {
                let token = gate.judge_after(pending).await?;
                record.outcome(Outcome::Allowed);
                Ok(Some(token))
            }
        }
    }

    fn judge(&self, request: &Request<Incoming>, record: &mut Record) -> Verdict {
        let routes = self.shared.routes.load();
        let Route { rule, access } = routes.route(request.method(), request.uri().path());
        record.rule(rule);
        let Some(gate) = access.gate() else { return Verdict::Admit(None, Outcome::Public) };
        if self.shared.server.preflight() == Preflight::Pass && is_preflight(request) {
            return Verdict::Admit(None, Outcome::Public);
        }
        match gate.decide(request.headers(), request.uri(), None) {
            Decision::Admit(token) => Verdict::Admit(Some(token), Outcome::Allowed),
            Decision::Refuse(rejection) => Verdict::Refuse(rejection),
            Decision::Wait(pending) => Verdict::Wait(gate.clone(), pending),
            // No token is known before, and no gate here is optional.
            Decision::AdmitKnown | Decision::AdmitAnonymous => {
                Verdict::Refuse(gate.reject(RejectionKind::Internal))
            }
        }
    }

    async fn forward(
        self: &Arc<Self>,
        request: Request<Incoming>,
        admission: &Admission<'_>,
        head: Head,
        peer: &Arc<Peer>,
        mut record: Record,
    ) -> Response<AnswerBody> {
        let Head { host, upgrade } = head;
        let (mut parts, body) = request.into_parts();
        let hop = Hop {
            host: &host,
            peer,
            request_id: record.request_id(),
            upgrade: upgrade.as_ref(),
            to_http2: self.upstream.speaks_http2(),
        };
        self.shared.fields.apply(&mut parts, admission, &hop);
        fields::set_target(&mut parts, &host, hop.to_http2);
        let (body, upload) = RequestBody::new(body, self);
        let (mut response, lease) = match self.send(Request::from_parts(parts, body), &upload).await
        {
            Ok(answered) => answered,
            Err(failure) => {
                let answer = no_answer(&mut record, failure, &upload);
                return answer::own(record, answer);
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return match upgrade.filter(|upgrade| upgrade.is_answered_by(&response)) {
                Some(upgrade) => tunnel::open(upgrade, response, record, peer),
                // Nobody has asked for it, or for something else.
                None => {
                    let answer = no_answer(&mut record, UpstreamFailure::Broken, &upload);
                    answer::own(record, answer)
                }
            };
        }
        fields::clean_answer(response.headers_mut(), record.request_id());
        answer::forwarded(record, response, lease)
    }

    async fn send(
        &self,
        request: Request<RequestBody>,
        upload: &Upload,
    ) -> Result<(Response<Incoming>, Lease<RequestBody>), UpstreamFailure> {
        let mut deadline = Instant::now() + ANSWER_TIMEOUT;
        let answer = self.upstream.send(request);
        tokio::pin!(answer);
        loop {
            tokio::select! {
                biased;
                answered = &mut answer => return answered.map_err(|failure| failure_of(&failure)),
                () = sleep_until(deadline) => match upload.last_progress() {
                    // As long as the request is still coming, nobody is late.
                    Some(progress) if progress + ANSWER_TIMEOUT > Instant::now() => {
                        deadline = progress + ANSWER_TIMEOUT;
                    }
                    _ => return Err(UpstreamFailure::Timeout),
                },
            }
        }
    }
}

/// What is told of a failure, after the log has heard the rest.
fn failure_of(failure: &Failure) -> UpstreamFailure {
    match failure {
        Failure::Unreachable(error) => {
            tracing::debug!(%error, "no connection to the upstream");
            UpstreamFailure::Unreachable
        }
        Failure::ConnectTimeout => UpstreamFailure::ConnectTimeout,
        Failure::Broken(error) => {
            tracing::debug!(%error, "no answer from the upstream");
            UpstreamFailure::Broken
        }
    }
}

fn no_answer(record: &mut Record, failure: UpstreamFailure, upload: &Upload) -> Response<Bytes> {
    // An upload that its client gave up is not the upstream's fault.
    if upload.was_given_up() {
        record.outcome(Outcome::ClientGone);
        return problem::of_client(record.method());
    }
    record.outcome(Outcome::UpstreamFailed(failure));
    problem::of_upstream(failure, record.method())
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
