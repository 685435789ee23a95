//! What an answer says (RFC 7662 §2.2).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::fault::{Fault, Reason, Step};
use crate::jose::json::{self, Json};

/// Answers are a few hundred bytes. Bytes.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// Longer ones are not passed on. Bytes.
const MAX_CONFLICT: usize = 1024;

/// IBM MobileFirst says by it that the client has to do something before the token counts.
const CONFLICT: HeaderName = HeaderName::from_static("mfp-conflict");

/// What the authorization server says about a token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is active, and these are its members: one strict JSON object.
    Active(String),
    /// It is not: unknown, expired, revoked, or none of our business.
    Inactive,
    /// 409 with `MFP-Conflict`, which is for the client.
    Conflict(HeaderValue),
}

/// What there is to read, or the answer itself.
pub(super) enum Read {
    Body(Response<Bytes>),
    Conflict(HeaderValue),
}

/// Whether the server answers at all.
pub(super) fn head(response: Response<Bytes>) -> Result<Read, Fault> {
    let status = response.status();
    let reason = match status {
        StatusCode::OK => return Ok(Read::Body(response)),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Reason::Credentials,
        StatusCode::CONFLICT => {
            let conflict = response.headers().get(CONFLICT);
            match conflict.filter(|value| value.len() <= MAX_CONFLICT) {
                Some(value) => return Ok(Read::Conflict(value.clone())),
                None => Reason::Status(status),
            }
        }
        other => Reason::Status(other),
    };
    Err(Fault { step: Step::Introspection, reason })
}

/// The members of an answer. Judged by content: what says `active` is one, whatever media type it has.
pub(super) fn members(text: &str) -> Result<Answer, Fault> {
    let members = json::members(text)
        .map_err(|_| Fault::of_answer("answered with something else than one JSON object"))?;
    match members.get("active") {
        Some(Json::Bool(true)) => Ok(Answer::Active(text.to_owned())),
        Some(Json::Bool(false)) => Ok(Answer::Inactive),
        _ => Err(Fault::of_answer("answered without saying whether the token is active")),
    }
}

pub(super) fn plain(response: &Response<Bytes>) -> Result<Answer, Fault> {
    let text = std::str::from_utf8(response.body())
        .map_err(|_| Fault::of_answer("answered with something else than text in UTF-8"))?;
    members(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intro_05_intro_06_active_is_a_boolean_in_one_json_object() {
        let active = r#" {"active":true,"sub":"u1"} "#;
        assert_eq!(members(active).unwrap(), Answer::Active(active.to_owned()));
        assert_eq!(members(r#"{"active":false,"sub":7}"#).unwrap(), Answer::Inactive);
        for bad in [
            "",
            "true",
            "[]",
            "<html>",
            "{}",
            r#"{"active":"true"}"#,
            r#"{"active":1}"#,
            r#"{"active":null}"#,
            r#"{"active":false,"active":true}"#,
            r#"{"active":true}{"active":true}"#,
            r#"{"active":true,"cnf":{"jkt":"a","jkt":"b"}}"#,
        ] {
            assert!(members(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn intro_06_only_200_is_an_answer_and_409_with_its_field() {
        let read = |status: u16, conflict: Option<&str>| {
            let mut response = Response::builder().status(status);
            if let Some(value) = conflict {
                response = response.header(CONFLICT, value);
            }
            head(response.body(Bytes::new()).unwrap())
        };
        assert!(matches!(read(200, None), Ok(Read::Body(_))));
        assert!(matches!(read(409, Some("c")), Ok(Read::Conflict(value)) if value == "c"));
        for (status, conflict) in [(409, None), (409, Some(&*"x".repeat(1025))), (400, Some("c"))] {
            let fault = read(status, conflict).err().unwrap();
            assert!(matches!(fault.reason, Reason::Status(_)), "{status}");
        }
        for status in [401, 403] {
            assert!(read(status, None).err().unwrap().needs_somebody());
        }
        for status in [201, 204, 404, 500, 503] {
            assert!(!read(status, None).err().unwrap().needs_somebody());
        }
    }
}
