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
pub(super) enum Front {
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
        let desk = Arc::new(Desk::new(shared, log));
        match &settings.mode {
            Mode::Proxy(upstream) => Self::Proxy(Arc::new(Proxy::new(desk, upstream, places))),
            Mode::ForwardAuth => Self::ForwardAuth(Arc::new(ForwardAuth::new(desk))),
            Mode::ExtAuthz => Self::ExtAuthz(Arc::new(ExtAuthz::new(desk))),
        }
    }

    pub(super) fn desk(&self) -> &Desk {
        match self {
            Self::Proxy(proxy) => proxy.desk(),
            Self::ForwardAuth(front) => front.desk(),
            Self::ExtAuthz(front) => front.desk(),
        }
    }

    /// Answers a request; it is recorded when its answer has been sent.
    pub(super) fn answer(&self, request: Request<Incoming>, peer: &Arc<Peer>) -> Answering {
        match self {
            Self::Proxy(proxy) => proxy.answer(request, peer),
            Self::ForwardAuth(front) => front.answer(request, peer),
            Self::ExtAuthz(front) => front.answer(request, peer),
        }
    }
}
