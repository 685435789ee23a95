//! The request for which a token is to be judged, as `--request` has it.

use http::Method;

use crate::sidecar::Failure;
use crate::sidecar::path::canonical;
use crate::sidecar::rules::Routes;

/// A method and a path, without its query.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sidecar) struct RequestLine {
    method: Method,
    path: String,
}

impl RequestLine {
    /// `GET /orders/7`. `None` where it is something else.
    pub(in crate::sidecar) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (method, target) = (words.next()?, words.next()?);
        let path = target.split(['?', '#']).next().filter(|path| path.starts_with('/'))?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        words.next().is_none().then(|| Self { method, path: path.to_owned() })
    }

    /// With its path as rules are asked about it.
    ///
    /// # Errors
    /// Why no token would help.
    pub(super) fn for_routes(mut self, routes: &Routes) -> Result<Self, Failure> {
        if routes.exist() {
            let path = canonical(&self.path).map_err(|ambiguous| {
                let problem = "such a request is answered with 400, whatever its token";
                Failure::Usage(format!("--request: {problem}: {ambiguous}"))
            })?;
            self.path = path.into_owned();
        }
        Ok(self)
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_a_method_and_a_path() {
        for (text, method, path) in [
            ("GET /", "GET", "/"),
            (" POST\t/orders/7?page=2#x ", "POST", "/orders/7"),
            ("PURGE /a%20b", "PURGE", "/a%20b"),
        ] {
            let line = RequestLine::parse(text).unwrap();
            assert_eq!((line.method.as_str(), line.path.as_str()), (method, path), "{text}");
        }
        for bad in ["", "GET", "/orders", "GET orders", "GET ?x", "G@T /", "GET / HTTP/1.1"] {
            assert_eq!(RequestLine::parse(bad), None, "{bad}");
        }
    }
}
