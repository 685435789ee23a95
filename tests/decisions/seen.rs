//! What services behind fronts of this process tell: whom they have seen, in fields.

use http::{HeaderMap, HeaderValue, Response, StatusCode};
use portcullis::AccessToken;

use crate::table::{Answer, Refused};

const SUBJECT: &str = "x-seen-subject";
const SCOPE: &str = "x-seen-scope";

/// The fields of an answer to a request that has passed.
pub(crate) fn fields(token: Option<&AccessToken>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let scopes: Vec<_> = token.scopes().collect();
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        headers.insert(SUBJECT, value(&token.subject().to_string()));
        headers.insert(SCOPE, value(&scopes.join(" ")));
    }
    headers
}

/// Who was told of in these fields.
pub(crate) fn allowed(headers: &HeaderMap) -> Answer {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap());
    Answer::allowed(text(SUBJECT), text(SCOPE))
}

/// An answer over plain HTTP.
pub(crate) fn answer<B>(response: &Response<B>) -> Answer {
    if response.status() == StatusCode::OK {
        return allowed(response.headers());
    }
    let status = Some(response.status().as_u16());
    Answer::Refused(Refused { status, ..Refused::with_fields(response.headers()) })
}
