//! What the tests share.

mod balancer;
mod held;
mod http2;
mod load;
/// A part of it is used here.
#[path = "../../support/oidc_provider.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod oidc_provider;
mod process;
mod raw;
mod raw_upstream;
mod secure;
mod stage;
mod tools;
mod upstream;

pub(crate) use balancer::{Balancer, KeepAlive};
pub(crate) use held::{Held, PARTS};
pub(crate) use http2::{Http2, request};
pub(crate) use load::Load;
pub(crate) use process::{Settings, Sidecar, memory, signal};
pub(crate) use raw::{Answer, Connection, get, get_from};
pub(crate) use raw_upstream::{RawRequest, RawUpstream};
pub(crate) use secure::{Identity, SecureClient, connect, trusting};
pub(crate) use stage::Stage;
pub(crate) use tools::is_missing;
pub(crate) use upstream::{Recorded, Upstream};

use portcullis::testing::{Authority, ManualClock, TokenBuilder};

pub(crate) const AUDIENCE: &str = "https://api.example";

/// An authorization server on a socket.
pub(crate) async fn authority() -> Authority {
    Authority::builder().audience(AUDIENCE).clock(ManualClock::running()).serve().await.unwrap()
}

/// The header line that presents a token.
pub(crate) fn bearer(token: &TokenBuilder) -> String {
    format!("Authorization: Bearer {}\r\n", token.mint())
}
