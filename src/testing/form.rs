//! The parameters of a token request (RFC 6749 §3.2, App. B).

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::token_error::TokenError;

/// Parameters that may come several times: RFC 8707 §2, RFC 8693 §2.1.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// Parameters in their order, none of them empty.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, TokenError> {
        if !is_form(headers.get(CONTENT_TYPE)) {
            return Err(TokenError::request(
                "the media type must be application/x-www-form-urlencoded",
            ));
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            let repeated = parameters.iter().any(|(known, _)| *known == name);
            if repeated && !REPEATABLE.contains(&&*name) {
                return Err(TokenError::request("a parameter is given more than once"));
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        // One without a value counts as omitted.
        parameters.retain(|(_, value)| !value.is_empty());
        Ok(Self(parameters))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn is_form(content_type: Option<&HeaderValue>) -> bool {
    let value = content_type.map(HeaderValue::as_bytes).unwrap_or_default();
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}
