//! What is at hand wherever requests are answered, whatever the mode.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use super::access_log::AccessLog;
use super::proxy::FieldPolicy;
use super::rules::Routes;
use super::settings::{Networks, Settings};
use super::telemetry::Telemetry;
use crate::resource_server::ResourceServer;

/// What all workers share.
pub(super) struct Shared {
    pub(super) server: ResourceServer,
    pub(super) routes: ArcSwap<Routes>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) trusted_proxies: Networks,
    pub(super) fields: FieldPolicy,
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

/// One worker's place: what all share, and its own lines of the log.
pub(super) struct Desk {
    pub(super) shared: Arc<Shared>,
    pub(super) log: AccessLog,
    is_over: AtomicBool,
}

impl Desk {
    pub(super) fn new(shared: Arc<Shared>, log: AccessLog) -> Arc<Self> {
        Arc::new(Self { shared, log, is_over: AtomicBool::new(false) })
    }

    /// Requests that end after this were cut off.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}
