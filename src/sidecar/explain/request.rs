//! The request for which a token is to be judged, as `--request` has it.

use http::Method;

use crate::sidecar::Failure;
use crate::sidecar::path::canonical;
use crate::sidecar::rules::{Routes, method};

/// A method and a path, without its query, and the host if it is told.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sidecar) struct RequestLine {
    method: Method,
    host: String,
    path: String,
}

impl RequestLine {
    /// `GET /orders/7` or `GET https://api.example.com/orders/7`. `None` where it is something else.
    pub(in crate::sidecar) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (method, target) = (words.next()?, words.next()?);
        let (host, target) = match target.split_once("://") {
            Some(("https" | "http", rest)) => rest.split_at_checked(rest.find('/')?)?,
            _ => ("", target),
        };
        let path = target.split(['?', '#']).next().filter(|path| path.starts_with('/'))?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        let (host, path) = (host.to_owned(), path.to_owned());
        words.next().is_none().then_some(Self { method, host, path })
    }

    /// With its path as rules are asked about it.
    ///
    /// # Errors
    /// Why no token would help, or that the method is most likely misspelt.
    pub(super) fn for_routes(mut self, routes: &Routes) -> Result<Self, Failure> {
        method(self.method.as_str())
            .map_err(|problem| Failure::Usage(format!("--request: {problem}")))?;
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

    /// Empty where it is not told.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_method_is_told() {
        let authority = crate::testing::Authority::builder().build().unwrap();
        let server = crate::resource_server::ResourceServer::builder()
            .issuer(authority.issuer())
            .http_client(authority.http_service())
            .build()
            .unwrap();
        let routes = crate::sidecar::rules::Rules::none().compile(&server);
        let told = |text| RequestLine::parse(text).unwrap().for_routes(&routes);
        assert!(told("DELETE /x").is_ok() && told("M-SEARCH /x").is_ok());
        for (text, hint) in [("delete /x", "did you mean \"DELETE\"?"), ("DELTE /x", "\"DELETE\"?")]
        {
            let Err(Failure::Usage(problem)) = told(text) else { panic!("{text}") };
            assert!(problem.starts_with("--request: ") && problem.ends_with(hint), "{problem}");
        }
    }

    #[test]
    fn a_host_may_be_told() {
        for (text, host, path) in [
            ("GET https://acme.example.com/x?y", "acme.example.com", "/x"),
            ("GET http://h:8080/", "h:8080", "/"),
            ("GET /x://y/z", "", "/x://y/z"),
        ] {
            let line = RequestLine::parse(text).unwrap();
            assert_eq!((line.host(), line.path()), (host, path), "{text}");
        }
        for bad in ["GET https://h", "GET ftp://h/x", "GET h/x"] {
            assert_eq!(RequestLine::parse(bad), None, "{bad}");
        }
    }

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
