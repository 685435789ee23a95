//! What is noted about one request, and told once when it has ended.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use hyper::body::Incoming;

use super::{Peer, forwarded, request_id};
use crate::sidecar::access_log::Line;
use crate::sidecar::desk::Desk;
use crate::sidecar::known_fields::{Mark, Present};
use crate::sidecar::pace::Underway;
use crate::sidecar::telemetry::{InFlight, Outcome};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// One request, from its head to the last byte of its answer. Told when dropped. Always boxed, as it goes
/// through many hands.
pub(in crate::sidecar) struct Record {
    desk: Arc<Desk>,
    started: Instant,
    method: Method,
    /// As the client wrote it.
    uri: Uri,
    /// What a trusted proxy has told; else the peer is the client.
    client: Option<IpAddr>,
    request_id: HeaderValue,
    traceparent: Option<HeaderValue>,
    rule: Option<usize>,
    outcome: Outcome,
    status: Option<StatusCode>,
    bytes: u64,
    /// None as long as the answer is not complete.
    ended: Option<Instant>,
    peer: Arc<Peer>,
    underway: Underway,
    _in_flight: InFlight,
}

impl Record {
    pub(in crate::sidecar) fn begin(
        desk: &Arc<Desk>,
        peer: &Arc<Peer>,
        request: &Request<Incoming>,
        present: Present,
    ) -> Box<Self> {
        let headers = request.headers();
        let trusted = &desk.shared.trusted_proxies;
        let told = || forwarded::client(headers, |address| trusted.contain(address));
        Box::new(Self {
            desk: Arc::clone(desk),
            started: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            client: peer.trusted.then(told).flatten(),
            request_id: request_id::of(headers, present),
            traceparent: if present.has(Mark::TRACEPARENT) {
                headers.get(TRACEPARENT).cloned()
            } else {
                None
            },
            rule: None,
            outcome: Outcome::ClientGone,
            status: None,
            bytes: 0,
            ended: None,
            peer: Arc::clone(peer),
            underway: peer.pace().request(),
            _in_flight: desk.shared.telemetry.in_flight(),
        })
    }

    /// The request that is meant, where another one asks about it.
    pub(in crate::sidecar) fn is_about(&mut self, method: &Method, uri: &Uri) {
        self.method = method.clone();
        self.uri = uri.clone();
    }

    pub(in crate::sidecar) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    pub(in crate::sidecar) fn method(&self) -> &Method {
        &self.method
    }

    pub(in crate::sidecar) fn request_id(&self) -> &HeaderValue {
        &self.request_id
    }

    /// Its fields and its client, where they are not those of the one that asks.
    pub(in crate::sidecar) fn came_with(&mut self, headers: &HeaderMap, client: Option<IpAddr>) {
        self.client = client;
        self.request_id = request_id::of(headers, Present::of(headers));
        self.traceparent = headers.get(TRACEPARENT).cloned();
    }

    pub(in crate::sidecar) fn rule(&mut self, number: Option<usize>) {
        self.rule = number;
    }

    pub(in crate::sidecar) fn outcome(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    pub(in crate::sidecar) fn status(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// Asks a client of HTTP/1.1 to close while we are leaving. HTTP/2 has a frame for it.
    pub(in crate::sidecar) fn say_goodbye(&self, headers: &mut HeaderMap) {
        if !self.peer.pace().is_http2() && self.peer.pace().is_leaving() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// Bytes of the answer's body that were handed over.
    pub(in crate::sidecar) fn sent(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// The answer is complete, or has ended for a reason that is noted.
    pub(in crate::sidecar) fn finish(&mut self, now: Instant) {
        self.ended = Some(now);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Nobody drops an answer that is still read, but for the end of it all.
        let outcome = match self.ended {
            Some(_) => self.outcome,
            None if self.desk.is_over() => Outcome::CutOff,
            None => Outcome::ClientGone,
        };
        let ended = self.ended.unwrap_or_else(Instant::now);
        self.underway.ended(ended);
        let took = ended.saturating_duration_since(self.started);
        self.desk.shared.telemetry.record(outcome, took);
        let told = self.client.map(|address| address.to_string());
        self.desk.log.write(&Line {
            client: told.as_deref().unwrap_or(&self.peer.text),
            method: &self.method,
            path: self.uri.path(),
            status: self.status,
            outcome,
            rule: self.rule,
            bytes: self.bytes,
            took,
            request_id: &self.request_id,
            traceparent: self.traceparent.as_ref(),
        });
    }
}
