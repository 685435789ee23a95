//! `PORTCULLIS_MODE=ext-authz`: decisions for Envoy's filter of the same name, over gRPC.
//!
//! 1. [`call`] takes the message out of its call, and puts the answer into one.
//! 2. [`asked`] finds in it the request that Envoy asks about.
//! 3. Its path has to be canonical as it is: Envoy sends on what it has, and not what we have read.
//! 4. The route's gate decides, as in every mode (`sidecar/judge.rs`), within [`PATIENCE`].
//! 5. [`reply`] says what follows, and [`removal`] which fields must not go on.
//!
//! Whatever comes to `Check` is answered with a decision, and where it cannot be read, with a refusal.
//! An error of the call itself would be for Envoy to judge, and it can be told to let such requests in.

mod asked;
mod call;
mod certificate;
mod messages;
mod removal;
mod reply;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use self::asked::Asked;
use self::call::NoCheck;
use self::messages::CheckResponse;
use self::removal::{Admission, Always};
use super::desk::Desk;
use super::judge::{Judged, Pass, Verdict, check_canonical, judge};
use super::known_fields::Present;
use super::proxy::{AnswerBody, Answering, Peer, Record, called, own, problem};
use super::telemetry::{BadRequest, Outcome};
use super::well_known;
use crate::rejection_kind::RejectionKind;

/// How long a decision may take, so that its answer is there within 150 ms. Envoy waits 200 ms unless
/// it is told otherwise, and then makes an answer of its own.
const PATIENCE: Duration = Duration::from_millis(140);

/// One worker's decisions.
pub(super) struct ExtAuthz {
    desk: Arc<Desk>,
    always: Always,
}

/// A decision, and what there is to tell about it.
struct Decided {
    reply: CheckResponse,
    outcome: Outcome,
}

impl ExtAuthz {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { always: Always::new(&desk.shared.fields), desk }
    }

    /// Answers a call; it is recorded as the request that it asks about.
    pub(super) fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        peer: &Arc<Peer>,
    ) -> Answering {
        let present = Present::of(request.headers());
        let mut record = Record::begin(&self.desk, peer, &request, present);
        if let Err(fault) = call::expect_check(&request) {
            let server = &self.desk.shared.server;
            if let Some(document) = well_known::answer(server, &request, &mut record) {
                return Answering::done(own(record, document));
            }
            record.outcome(Outcome::BadRequest(BadRequest::OriginalMissing));
            let answer = match fault {
                NoCheck::OtherMethod => call::unimplemented(),
                NoCheck::OtherProtocol => {
                    problem::of_original(BadRequest::OriginalMissing, &Method::POST)
                }
            };
            return Answering::done(own(record, answer));
        }
        let front = Arc::clone(self);
        Answering::later(async move { Ok(front.check(request.into_body(), record).await) })
    }

    async fn check(&self, body: Incoming, mut record: Box<Record>) -> Response<AnswerBody> {
        let deadline = Instant::now() + PATIENCE;
        let message = timeout_at(deadline, call::message(body)).await;
        let asked = message.unwrap_or(Err(BadRequest::OriginalMissing)).and_then(Asked::read);
        let Decided { mut reply, outcome } = match asked {
            Ok(asked) => {
                record.is_about(asked.request.method(), asked.request.uri());
                record.came_with(asked.request.headers(), asked.client);
                self.decide(asked, deadline, |rule| record.rule(rule)).await
            }
            Err(fault) => Decided::unfit(fault, false),
        };
        record.outcome(outcome);
        reply::name(&mut reply, record.request_id());
        let response = call::answered(call::framed(&reply));
        called(record, reply::status(&reply), response, call::trailers())
    }

    /// Decides before the deadline.
    async fn decide(
        &self,
        asked: Asked,
        deadline: Instant,
        tell_rule: impl FnOnce(Option<usize>),
    ) -> Decided {
        let shared = &self.desk.shared;
        let is_grpc = call::is_grpc(asked.request.headers());
        let (by_rules, verdict) = {
            // The same rules for all of it, whatever is loaded meanwhile.
            let routes = shared.routes.load();
            let by_rules = routes.exist();
            if by_rules && let Err(fault) = check_canonical(asked.request.uri()) {
                return Decided::unfit(fault, is_grpc);
            }
            // Whether there is nothing in a preflight cannot be seen from here.
            let host = asked.request.uri().authority().map_or("", Authority::as_str);
            let (rule, verdict) = judge(&shared.server, &routes, &asked.request, host, || false);
            tell_rule(rule);
            (by_rules, verdict)
        };
        let judged = match verdict {
            Verdict::Done(judged) => judged,
            Verdict::Wait(waiting) => match timeout_at(deadline, waiting).await {
                Ok(judged) => judged.map(Pass::Token),
                // The fetch goes on without us, for those who come later.
                Err(_) => Err(shared.server.reject(RejectionKind::KeysUnavailable)),
            },
        };
        self.conclude(&judged, &asked, by_rules, is_grpc)
    }

    fn conclude(&self, judged: &Judged, asked: &Asked, by_rules: bool, is_grpc: bool) -> Decided {
        let pass = match judged {
            Ok(pass) => pass,
            Err(rejection) => {
                let outcome = Outcome::Refused(rejection.reason());
                return Decided { reply: reply::refused(rejection, is_grpc), outcome };
            }
        };
        let (shared, token) = (&self.desk.shared, pass.token());
        let identity = token.into_iter().flat_map(|token| shared.fields.identity().of(token));
        let set: Vec<(&HeaderName, HeaderValue)> =
            identity.filter_map(|(name, value)| Some((name, value?))).collect();
        let names: Vec<_> = set.iter().map(|(name, _)| *name).collect();
        let admission = Admission {
            is_verified: token.is_some(),
            by_rules,
            is_trusted: asked.client.is_some_and(|ip| shared.trusted_proxies.contain(ip)),
        };
        let headers = asked.request.headers();
        let removed = self.always.and(&shared.fields, headers, &admission, &names);
        Decided { reply: reply::allowed(set.into_iter(), removed), outcome: pass.outcome() }
    }
}

impl Decided {
    fn unfit(fault: BadRequest, is_grpc: bool) -> Self {
        Self { reply: reply::unfit(fault, is_grpc), outcome: Outcome::BadRequest(fault) }
    }
}
