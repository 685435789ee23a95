//! The key that the token names, and its signature.

use super::report::{Check, Line, Outcome};
use super::values::quoted;
use crate::authentication::TrustedIssuer;
use crate::jose::{CompactJws, JoseHeader, JwkSet, NotVerified, VerificationKey};
use crate::keys::Patience;
use crate::rejection_kind::RejectionKind;
use crate::sidecar::words::{cut, enumerate, shown};

/// `refused` is the engine's verdict: it alone knows whether a key that is not there might be had
/// later.
pub(super) async fn lines(
    issuer: &TrustedIssuer,
    header: &JoseHeader<'_>,
    jws: &CompactJws<'_>,
    refused: Option<RejectionKind>,
    offline: bool,
) -> [Line; 2] {
    let store = issuer.keys();
    // A token that fails before its key is needed has made nobody fetch any.
    if !offline && store.status().fetches.attempts == 0 && store.status().keys == 0 {
        // What went wrong is in the status.
        let _ = store.load().await;
    }
    let keys = store.current(Patience::Exhausted);
    let Some(keys) = keys.as_ref() else {
        return if offline {
            [Line::skipped(Check::Key, "offline"), Line::skipped(Check::Signature, "offline")]
        } else {
            no_keys(store.status().last_error.as_deref())
        };
    };
    judge(keys.set(), header, jws, refused)
}

fn no_keys(error: Option<&str>) -> [Line; 2] {
    let found = match error {
        Some(error) => format!("the keys of the issuer cannot be had: {}", cut(error, 400)),
        None => "the keys of the issuer cannot be had".to_owned(),
    };
    let fault = Outcome::Fail(RejectionKind::KeysUnavailable);
    [
        Line::new(Check::Key, fault, found, "portcullis check says more"),
        Line::skipped(Check::Signature, "there is no key"),
    ]
}

fn judge(
    set: &JwkSet,
    header: &JoseHeader<'_>,
    jws: &CompactJws<'_>,
    refused: Option<RejectionKind>,
) -> [Line; 2] {
    let named = match &header.kid {
        Some(kid) => format!("kid is {}", quoted(kid)),
        None => "kid is missing, so every fitting key is tried".to_owned(),
    };
    let has = format!("the issuer has {}", enumerate(set.keys().map(name), ", "));
    let key = |outcome| Line::new(Check::Key, outcome, named.clone(), has.clone());
    let signature =
        |outcome, found: &str| Line::new(Check::Signature, outcome, found, "made by that key");
    match set.verify(header, jws) {
        Ok(()) => [key(Outcome::Pass), signature(Outcome::Pass, "good")],
        Err(NotVerified::BadSignature) => [
            key(Outcome::Pass),
            signature(
                Outcome::Fail(RejectionKind::BadSignature),
                "made by another key, or the token was changed",
            ),
        ],
        Err(NotVerified::NoKey { kid_is_known }) => {
            let kind = match refused {
                Some(RejectionKind::KeysUnavailable) => RejectionKind::KeysUnavailable,
                _ => RejectionKind::UnknownKey,
            };
            let found = if kid_is_known {
                format!("{named}, a key for another algorithm than {}", header.algorithm)
            } else {
                format!("{named}, for {}", header.algorithm)
            };
            [
                Line::new(Check::Key, Outcome::Fail(kind), found, has),
                Line::skipped(Check::Signature, "there is no key for it"),
            ]
        }
    }
}

/// A key as people know it.
pub(in crate::sidecar) fn name(key: &VerificationKey) -> String {
    match key.kid() {
        Some(kid) => format!("{} ({})", shown(kid), key.algorithm()),
        None => format!("one without kid ({})", key.algorithm()),
    }
}
