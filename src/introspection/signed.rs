//! Signed answers (RFC 9701).

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::answer::{self, Answer};
use super::fault::Fault;
use crate::jose::json::{self, Json, Members};
use crate::jose::{CompactJws, JoseHeader, NotVerified};
use crate::keys::{KeyStore, MAX_WAIT, Missing, Patience, Refresh};

pub(super) const MEDIA_TYPE: &str = "application/token-introspection+jwt";
const TYP: &str = "token-introspection+jwt";

/// What a signed answer has to say about itself.
pub(super) struct Signed {
    pub(super) issuer: String,
    /// Names of ours: the client id, and the audiences of tokens.
    pub(super) audiences: Vec<String>,
}

#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    token_introspection: &'a RawValue,
}

impl Signed {
    /// Only what is inside `token_introspection` counts (RFC 9701 §5).
    pub(super) async fn read(
        &self,
        response: &Response<Bytes>,
        keys: &KeyStore,
    ) -> Result<Answer, Fault> {
        if !has_media_type(response) {
            return Err(Fault::of_answer("answered without the signature that was agreed on"));
        }
        let unreadable = || Fault::of_answer("answered with a JWT that cannot be read");
        let jws = CompactJws::parse(response.body()).map_err(|_| unreadable())?;
        let header = JoseHeader::parse(jws.header()).map_err(|_| unreadable())?;
        if header.typ.as_deref() != Some(TYP) {
            return Err(Fault::of_answer("answered with another kind of JWT"));
        }
        if !is_signed(&header, &jws, keys).await {
            return Err(Fault::of_answer(
                "answered with a JWT whose signature cannot be verified with the issuer's keys",
            ));
        }
        let text = std::str::from_utf8(jws.payload()).map_err(|_| unreadable())?;
        let members = json::members(text).map_err(|_| unreadable())?;
        self.check(&members).map_err(Fault::of_answer)?;
        let claims: Claims<'_> = serde_json::from_str(text).map_err(|_| unreadable())?;
        answer::members(claims.token_introspection.get())
    }

    fn check(&self, members: &Members<'_>) -> Result<(), &'static str> {
        if members.get("iss").and_then(Json::as_str) != Some(&self.issuer) {
            return Err("answered with a JWT of another issuer");
        }
        let is_ours = |audience: &Json<'_>| {
            audience.as_str().is_some_and(|one| self.audiences.iter().any(|ours| ours == one))
        };
        let is_for_us = match members.get("aud") {
            Some(Json::Array(audiences)) => audiences.iter().any(is_ours),
            Some(audience) => is_ours(audience),
            None => false,
        };
        if !is_for_us {
            return Err("answered with a JWT for somebody else");
        }
        match members.get("iat") {
            Some(Json::Number(_)) => Ok(()),
            _ => Err("answered with a JWT that is not dated"),
        }
    }
}

fn has_media_type(response: &Response<Bytes>) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

/// Waits for keys where they are not there, as requests do.
async fn is_signed(header: &JoseHeader<'_>, jws: &CompactJws<'_>, keys: &KeyStore) -> bool {
    let deadline = Instant::now() + MAX_WAIT;
    for _ in 0..2 {
        match look(header, jws, keys, Patience::MayWait) {
            Ok(is_signed) => return is_signed,
            Err(refresh) => refresh.wait_until(deadline).await,
        }
    }
    look(header, jws, keys, Patience::Exhausted).unwrap_or(false)
}

fn look(
    header: &JoseHeader<'_>,
    jws: &CompactJws<'_>,
    keys: &KeyStore,
    patience: Patience,
) -> Result<bool, Refresh> {
    let current = keys.current(patience);
    match current.as_ref().map(|keys| keys.set().verify(header, jws)) {
        Some(Ok(())) => return Ok(true),
        Some(Err(NotVerified::NoKey { kid_is_known: true })) => return Ok(false),
        Some(Err(NotVerified::BadSignature)) if header.kid.is_some() => return Ok(false),
        Some(Err(_)) | None => {}
    }
    match keys.missing(current.as_ref(), header.kid.as_deref(), patience) {
        Missing::Wait(refresh) if patience == Patience::MayWait => Err(refresh),
        Missing::Unavailable { .. } if current.is_none() && patience == Patience::MayWait => {
            look(header, jws, keys, Patience::Exhausted)
        }
        _ => Ok(false),
    }
}
