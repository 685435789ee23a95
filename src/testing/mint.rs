//! From a recipe to the text of a token.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use serde_json::{Map, Value};

use super::signing_key::{CryptoFailure, SigningKey};
use super::state::State;
use crate::clock::Clock;
use crate::jose::{Algorithm, base64url};

/// Far beyond the largest leeway there is.
const LONG: Duration = Duration::from_secs(60 * 60);
const LIFETIME: Duration = Duration::from_secs(300);

/// All that is special about one token. The default is a good one (RFC 9068).
#[derive(Clone, Default)]
pub(super) struct Recipe {
    pub(super) algorithm: Option<Algorithm>,
    pub(super) lifetime: Option<Duration>,
    pub(super) validity: Validity,
    pub(super) signer: Signer,
    /// What replaces the usual members; `None` leaves one out.
    pub(super) header: BTreeMap<String, Option<Value>>,
    pub(super) claims: BTreeMap<String, Option<Value>>,
    /// In place of header and claims altogether.
    pub(super) header_text: Option<Vec<u8>>,
    pub(super) claims_text: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Default)]
pub(super) enum Validity {
    #[default]
    Now,
    Past,
    Future,
}

#[derive(Clone, Copy, Default)]
pub(super) enum Signer {
    #[default]
    Authority,
    /// Says that it is the authority's key, and is another.
    Stranger,
    Nobody,
}

impl Recipe {
    pub(super) fn mint(&self, state: &State) -> Result<String, CryptoFailure> {
        let algorithm = self.algorithm.unwrap_or(state.default_algorithm());
        let (key, kid) = state.keys.current(algorithm)?;
        let header = match &self.header_text {
            Some(text) => text.clone(),
            None => self.header(algorithm, kid).to_string().into_bytes(),
        };
        let claims = match &self.claims_text {
            Some(text) => text.clone(),
            None => self.claims(state)?.to_string().into_bytes(),
        };
        let message = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
        let sign = |key: &SigningKey| key.sign(algorithm, message.as_bytes());
        let signature = match self.signer {
            Signer::Authority => sign(&key)?,
            Signer::Stranger => sign(SigningKey::stranger(algorithm)?.as_ref())?,
            Signer::Nobody => Vec::new(),
        };
        Ok(format!("{message}.{}", base64url::encode(signature)))
    }

    /// An opaque token with the same claims.
    pub(super) fn opaque(&self, state: &State) -> Result<String, CryptoFailure> {
        state.keep(self.claims(state)?)
    }

    fn header(&self, algorithm: Algorithm, kid: String) -> Value {
        let alg = match self.signer {
            Signer::Nobody => "none",
            Signer::Authority | Signer::Stranger => algorithm.name(),
        };
        let usual = [("alg", alg.into()), ("typ", "at+jwt".into()), ("kid", kid.into())];
        replaced(usual, &self.header)
    }

    /// The claims that RFC 9068 §2.2 requires.
    fn claims(&self, state: &State) -> Result<Value, CryptoFailure> {
        let now = whole_seconds(state.clock().now());
        let lifetime = self.lifetime.unwrap_or(LIFETIME);
        let (iat, not_before) = match self.validity {
            Validity::Now => (now, None),
            Validity::Past => (now.saturating_sub(LONG.saturating_add(lifetime)), None),
            Validity::Future => (now, Some(now.saturating_add(LONG))),
        };
        let exp = not_before.unwrap_or(iat).saturating_add(lifetime);
        let usual = [
            ("iss", state.addresses().issuer().into()),
            ("aud", state.default_audience().into()),
            ("sub", "alice".into()),
            ("client_id", "app".into()),
            ("iat", numeric_date(iat)),
            ("exp", numeric_date(exp)),
            ("jti", unique()?.into()),
        ];
        let not_before = not_before.map(|date| ("nbf", numeric_date(date)));
        Ok(replaced(usual.into_iter().chain(not_before), &self.claims))
    }
}

fn replaced(
    usual: impl IntoIterator<Item = (&'static str, Value)>,
    replacements: &BTreeMap<String, Option<Value>>,
) -> Value {
    let mut members: Map<String, Value> =
        usual.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for (name, value) in replacements {
        match value {
            Some(value) => members.insert(name.clone(), value.clone()),
            None => members.remove(name),
        };
    }
    Value::Object(members)
}

/// The time since 1970 without fractions, which many readers of `iat` do not expect. A clock set
/// before 1970 shows 1970 here.
fn whole_seconds(time: SystemTime) -> Duration {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_secs(since_epoch.as_secs())
}

/// An integer where it can be one (RFC 7519 §2 allows others).
fn numeric_date(since_epoch: Duration) -> Value {
    if since_epoch.subsec_nanos() == 0 {
        since_epoch.as_secs().into()
    } else {
        since_epoch.as_secs_f64().into()
    }
}

fn unique() -> Result<String, CryptoFailure> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)?;
    Ok(base64url::encode(bytes))
}
