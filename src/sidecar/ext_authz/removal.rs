//! Fields of a request that Envoy is to take away before it goes on.
//!
//! The same go as in the proxy, but for what Envoy itself says in them: it has its own settings for
//! whom to believe, and writes some of them before it asks here. What is for one hop alone, it takes
//! away by itself.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};

use crate::sidecar::field_class::is_plainly_spelled;
use crate::sidecar::known_fields::{FieldKind, kind};
use crate::sidecar::proxy::FieldPolicy;

/// What Envoy writes, or takes away, before it asks.
const ENVOYS: [&str; 4] =
    ["x-envoy-external-address", "x-forwarded-client-cert", "x-forwarded-for", "x-forwarded-proto"];

/// Credentials and names of ours, which are taken away where nobody has seen them either: Envoy may
/// have been told to show us a part of the fields.
pub(super) struct Always {
    credentials: [Bytes; 2],
    /// Each of ours with its other usual spelling.
    identity: Vec<(HeaderName, Bytes, Option<Bytes>)>,
}

/// On whose behalf a request goes on.
pub(super) struct Admission {
    pub(super) is_verified: bool,
    /// Whether rules may have looked at the method.
    pub(super) by_rules: bool,
    /// Whether the gateway's client is believed.
    pub(super) is_trusted: bool,
}

impl Always {
    pub(super) fn new(policy: &FieldPolicy) -> Self {
        let identity = policy.identity().names().map(|name| {
            let other = name.as_str().replace('-', "_");
            let other = (other != name.as_str()).then(|| Bytes::from(other));
            (name.clone(), Bytes::copy_from_slice(name.as_str().as_bytes()), other)
        });
        let credentials = [b"authorization", &b"dpop"[..]].map(Bytes::from_static);
        Self { credentials, identity: identity.collect() }
    }

    /// All that go; `set` are those of ours that are written anew.
    pub(super) fn and(
        &self,
        policy: &FieldPolicy,
        headers: &HeaderMap,
        admission: &Admission,
        set: &[&HeaderName],
    ) -> Vec<Bytes> {
        let mut removed = Vec::with_capacity(2 + 2 * self.identity.len());
        if !policy.forwards(admission.is_verified) {
            removed.extend(self.credentials.iter().cloned());
        }
        for (name, plain, other) in &self.identity {
            // Envoy removes after it has set.
            if !set.contains(&name) {
                removed.push(plain.clone());
            }
            removed.extend(other.clone());
        }
        for name in headers.keys().filter(|name| goes(policy, name, admission)) {
            let name = name.as_str().as_bytes();
            let is_set = set.iter().any(|set| set.as_str().as_bytes() == name);
            if !is_set && !removed.iter().any(|listed| **listed == *name) {
                removed.push(Bytes::copy_from_slice(name));
            }
        }
        removed
    }
}

fn goes(policy: &FieldPolicy, name: &HeaderName, admission: &Admission) -> bool {
    let is_plain = is_plainly_spelled(name);
    let is_envoys = || is_plain && ENVOYS.contains(&name.as_str());
    let by_kind = match kind(name) {
        FieldKind::EndToEnd => false,
        FieldKind::Reserved => !is_plain,
        FieldKind::HopByHop => !is_plain || name.as_str().starts_with("proxy"),
        FieldKind::Hearsay => !is_envoys(),
        FieldKind::Told => !(is_envoys() || is_plain && admission.is_trusted),
        FieldKind::MethodOverride => admission.by_rules || !admission.is_verified,
    };
    by_kind || policy.is_ours(name, admission.is_verified)
}
