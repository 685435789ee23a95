//! Who we are, in a JWT of our own (RFC 7523 §2.2 and §3).

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde_json::json;

use super::private_key::PrivateKey;
use crate::clock::Clock;
use crate::jose::base64url;

/// Used at once. Seconds.
const LIFETIME: u64 = 60;

pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What assertions are made of.
pub(super) struct Assertions {
    pub(super) client_id: String,
    /// The issuer, as rfc7523bis wants it: an address could be somebody else's.
    pub(super) audience: String,
    pub(super) key: PrivateKey,
    pub(super) clock: Arc<dyn Clock>,
}

impl Assertions {
    /// A new one; `None` without a usable clock or random numbers.
    pub(super) fn make(&self) -> Option<String> {
        let now = self.clock.now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let mut id = [0; 16];
        getrandom::fill(&mut id).ok()?;
        let header = json!({ "alg": self.key.algorithm.name(), "typ": "JWT" });
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": now,
            "exp": now.saturating_add(LIFETIME),
            "jti": base64url::encode(id),
        });
        let encode = |part: serde_json::Value| base64url::encode(part.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(message.as_bytes())?;
        Some(format!("{message}.{}", base64url::encode(signature)))
    }
}
