//! What a worker does with requests: the mode that it was started in.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;

use super::access_log::AccessLog;
use super::desk::{Desk, Shared};
use super::ext_authz::ExtAuthz;
use super::forward_auth::ForwardAuth;
use super::proxy::{Answering, Peer, Proxy};
use super::settings::{Mode, Settings};
use super::upstream::Places;

/// One worker's front.
pub(super) struct Front {
    desk: Arc<Desk>,
    kind: Kind,
}

enum Kind {
    /// Passes on what is allowed.
    Proxy(Arc<Proxy>),
    /// Tells gateways whether it is.
    ForwardAuth(Arc<ForwardAuth>),
    /// Tells Envoy, over gRPC.
    ExtAuthz(Arc<ExtAuthz>),
}

impl Front {
    pub(super) fn new(
        shared: Arc<Shared>,
        settings: &Settings,
        places: Arc<Places>,
        log: AccessLog,
    ) -> Self {
        let desk = Desk::new(shared, log);
        let own = Arc::clone(&desk);
        let kind = match &settings.mode {
            Mode::Proxy(upstream) => Kind::Proxy(Arc::new(Proxy::new(own, upstream, places))),
            Mode::ForwardAuth => Kind::ForwardAuth(Arc::new(ForwardAuth::new(own))),
            Mode::ExtAuthz => Kind::ExtAuthz(Arc::new(ExtAuthz::new(own))),
        };
        Self { desk, kind }
    }

    pub(super) fn log(&self) -> &AccessLog {
        &self.desk.log
    }

    /// Requests that end after this were cut off.
    pub(super) fn end(&self) {
        self.desk.end();
    }

    /// Answers a request; it is recorded when its answer has been sent.
    pub(super) fn answer(&self, request: Request<Incoming>, peer: &Arc<Peer>) -> Answering {
        match &self.kind {
            Kind::Proxy(proxy) => proxy.answer(request, peer),
            Kind::ForwardAuth(front) => front.answer(request, peer),
            Kind::ExtAuthz(front) => front.answer(request, peer),
        }
    }
}
