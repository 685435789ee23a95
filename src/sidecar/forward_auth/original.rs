//! What was asked for, in the words of a gateway.
//!
//! nginx is configured to say it in `X-Original-*`, Traefik and Caddy say it in `X-Forwarded-*`.
//! Both are read, as a client may have sent the ones that its gateway does not write. So whatever
//! is told twice has to be the same twice: of two accounts, nobody knows which one is the gateway's.

use http::header::HeaderMap;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderName, HeaderValue, Method};

use crate::sidecar::proxy::is_host;
use crate::sidecar::telemetry::BadRequest;

const METHOD: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-forwarded-method")];
/// A path with its query, or a whole URL.
const TARGET: [HeaderName; 3] = [
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-forwarded-uri"),
];
const HOST: [HeaderName; 2] =
    [HeaderName::from_static("x-original-host"), HeaderName::from_static("x-forwarded-host")];
const PROTO: [HeaderName; 2] =
    [HeaderName::from_static("x-original-proto"), HeaderName::from_static("x-forwarded-proto")];

/// Whether the words are those that only nginx is configured to use.
pub(super) fn is_told_by_nginx(headers: &HeaderMap) -> bool {
    let [method, _] = METHOD;
    let [uri, url, _] = TARGET;
    [method, uri, url].iter().any(|name| headers.contains_key(name))
}

/// A request as its client has sent it to the gateway.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Original {
    pub(super) method: Method,
    /// With scheme and host, where both are told.
    pub(super) uri: Uri,
    /// What the gateway has routed it by, where that is told.
    pub(super) host: Option<Authority>,
}

impl Original {
    /// # Errors
    /// `OriginalMissing` without a method or a path, `OriginalContradictory` where accounts differ,
    /// `OriginalMalformed` where something is not what it should be.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, BadRequest> {
        let method = one(headers, &METHOD)?.ok_or(BadRequest::OriginalMissing)?;
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|_| BadRequest::OriginalMalformed)?;
        let mut target = agreed(told(headers, &TARGET).map(|value| Target::parse(value?)))?
            .ok_or(BadRequest::OriginalMissing)?;
        target.hosts(told(headers, &HOST))?;
        target.schemes(told(headers, &PROTO))?;
        let host = target.host.clone();
        Ok(Self { method, uri: target.uri()?, host })
    }
}

/// A target, and where it is, as far as that is told.
#[derive(PartialEq, Eq)]
struct Target {
    path: PathAndQuery,
    scheme: Option<Scheme>,
    host: Option<Authority>,
}

impl Target {
    /// Origin form or absolute form (RFC 9112 §3.2).
    fn parse(value: &HeaderValue) -> Result<Self, BadRequest> {
        let malformed = BadRequest::OriginalMalformed;
        let text = value.as_bytes();
        // No part of a target, and cut off by some who read one.
        if text.contains(&b'#') {
            return Err(malformed);
        }
        let parts = Uri::try_from(text).map_err(|_| malformed)?.into_parts();
        // As it is written: where nothing stands before the query, http reads a slash, and gateways none.
        let path = parts.path_and_query.filter(|path| path.as_str().starts_with('/'));
        let is_web = |scheme: &Scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS;
        let is_whole = parts.scheme.as_ref().is_some_and(is_web)
            && parts.authority.as_ref().is_some_and(|host| is_host(host.as_str().as_bytes()));
        let is_path = parts.scheme.is_none() && parts.authority.is_none();
        match path {
            Some(path) if is_whole || is_path => {
                Ok(Self { path, scheme: parts.scheme, host: parts.authority })
            }
            _ => Err(malformed),
        }
    }

    fn hosts<'a>(&mut self, told: impl Iterator<Item = Told<'a>>) -> Result<(), BadRequest> {
        for value in told {
            let host = Authority::try_from(value?.as_bytes())
                .ok()
                .filter(|host| is_host(host.as_str().as_bytes()))
                .ok_or(BadRequest::OriginalMalformed)?;
            agree(&mut self.host, host)?;
        }
        Ok(())
    }

    fn schemes<'a>(&mut self, told: impl Iterator<Item = Told<'a>>) -> Result<(), BadRequest> {
        for value in told {
            let scheme = match value?.as_bytes() {
                // A websocket begins as a request.
                b"http" | b"ws" => Scheme::HTTP,
                b"https" | b"wss" => Scheme::HTTPS,
                _ => return Err(BadRequest::OriginalMalformed),
            };
            agree(&mut self.scheme, scheme)?;
        }
        Ok(())
    }

    fn uri(self) -> Result<Uri, BadRequest> {
        let Self { path, scheme: Some(scheme), host: Some(host) } = self else {
            return Ok(Uri::from(self.path));
        };
        let uri = Uri::builder().scheme(scheme).authority(host).path_and_query(path).build();
        uri.map_err(|_| BadRequest::OriginalMalformed)
    }
}

type Told<'a> = Result<&'a HeaderValue, BadRequest>;

/// What these fields say, each of which may be there once. An empty one says nothing: it is how
/// gateways overwrite a client's.
fn told<'a>(headers: &'a HeaderMap, names: &[HeaderName]) -> impl Iterator<Item = Told<'a>> {
    names.iter().filter_map(|name| {
        let mut lines = headers.get_all(name).iter();
        let value = lines.next()?;
        match lines.next() {
            Some(_) => Some(Err(BadRequest::OriginalContradictory)),
            None => Some(Ok(value)).filter(|_| !value.is_empty()),
        }
    })
}

/// The one value of all these fields.
fn one<'a>(
    headers: &'a HeaderMap,
    names: &[HeaderName],
) -> Result<Option<&'a HeaderValue>, BadRequest> {
    let mut known = None;
    for value in told(headers, names) {
        agree(&mut known, value?)?;
    }
    Ok(known)
}

/// The targets, made one: a whole URL and a path may say the same.
fn agreed(
    targets: impl Iterator<Item = Result<Target, BadRequest>>,
) -> Result<Option<Target>, BadRequest> {
    let mut known: Option<Target> = None;
    for target in targets {
        let target = target?;
        match &mut known {
            None => known = Some(target),
            Some(known) if known.path == target.path => {
                target.scheme.map_or(Ok(()), |scheme| agree(&mut known.scheme, scheme))?;
                target.host.map_or(Ok(()), |host| agree(&mut known.host, host))?;
            }
            Some(_) => return Err(BadRequest::OriginalContradictory),
        }
    }
    Ok(known)
}

fn agree<T: PartialEq>(known: &mut Option<T>, value: T) -> Result<(), BadRequest> {
    match known {
        Some(known) if *known != value => Err(BadRequest::OriginalContradictory),
        Some(_) => Ok(()),
        None => {
            *known = Some(value);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(fields: &[(&'static str, &str)]) -> Result<(String, String), BadRequest> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Original::of(&headers)
            .map(|original| (original.method.to_string(), original.uri.to_string()))
    }

    fn good(method: &str, uri: &str) -> Result<(String, String), BadRequest> {
        Ok((method.to_owned(), uri.to_owned()))
    }

    #[test]
    fn every_gateway_is_understood() {
        for (fields, expected) in [
            (
                &[("x-original-method", "GET"), ("x-original-uri", "/a?b=c%20d")][..],
                good("GET", "/a?b=c%20d"),
            ),
            (
                &[
                    ("x-forwarded-method", "PUT"),
                    ("x-forwarded-uri", "/a"),
                    ("x-forwarded-proto", "https"),
                    ("x-forwarded-host", "api.example:8443"),
                ],
                good("PUT", "https://api.example:8443/a"),
            ),
            (
                &[("x-original-method", "GET"), ("x-original-url", "https://api.example/a?b")],
                good("GET", "https://api.example/a?b"),
            ),
            (
                &[
                    ("x-original-method", "GET"),
                    ("x-original-uri", "/a"),
                    ("x-original-url", "http://api.example/a"),
                    ("x-original-host", "API.example"),
                    ("x-forwarded-proto", "ws"),
                    ("x-forwarded-uri", ""),
                ],
                good("GET", "http://api.example/a"),
            ),
            (
                &[
                    ("x-original-method", "GET"),
                    ("x-forwarded-method", "GET"),
                    ("x-original-uri", "/a"),
                    ("x-forwarded-uri", "/a"),
                ],
                good("GET", "/a"),
            ),
        ] {
            assert_eq!(of(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn ngx_05_what_is_not_told_is_missing() {
        for fields in [
            &[][..],
            &[("x-original-uri", "/a")],
            &[("x-original-method", "GET")],
            &[("x-original-method", "GET"), ("x-forwarded-uri", "")],
            &[("x-original-method", "GET"), ("x_original_uri", "/a")],
        ] {
            assert_eq!(of(fields), Err(BadRequest::OriginalMissing), "{fields:?}");
        }
    }

    #[test]
    fn accounts_that_differ_contradict_each_other() {
        for other in [
            ("x-original-uri", "/a"),
            ("x-original-uri", "/b"),
            ("x-forwarded-uri", "/b"),
            ("x-forwarded-uri", "/a?"),
            ("x-forwarded-uri", "/%61"),
            ("x-original-url", "http://api.example/b"),
            ("x-original-url", "http://other.example/a"),
            ("x-original-url", "https://api.example/a"),
            ("x-original-method", "GET"),
            ("x-forwarded-method", "POST"),
            ("x-forwarded-method", "get"),
            ("x-forwarded-host", "other.example"),
            ("x-forwarded-proto", "https"),
            ("x-original-proto", "http"),
        ] {
            let fields = [
                ("x-original-method", "GET"),
                ("x-original-uri", "/a"),
                ("x-original-host", "api.example"),
                ("x-original-proto", "http"),
                other,
            ];
            assert_eq!(of(&fields), Err(BadRequest::OriginalContradictory), "{other:?}");
        }
    }

    #[test]
    fn what_is_no_target_is_malformed() {
        let malformed = Err(BadRequest::OriginalMalformed);
        for target in [
            "a",
            "*",
            "api.example:80",
            "/a b",
            "/a\tb",
            "/a#b",
            "#",
            "ftp://api.example/a",
            "http://u@api.example/a",
            // http reads these as the path `/`, and gateways send on what follows.
            "http://api.example?/a",
            "http://api.example:80?/a",
            "http://[::1]?a",
            "HTTP://api.example?",
            "?/a",
            "http:///a",
            "http:/a",
            "//",
            "?a",
        ] {
            let found = of(&[("x-original-method", "GET"), ("x-original-uri", target)]);
            // Two slashes are a path, which is ambiguous and for others to judge.
            let expected = if target == "//" { good("GET", "//") } else { malformed.clone() };
            assert_eq!(found, expected, "{target}");
        }
        for (name, value) in [
            ("x-original-method", "G T"),
            ("x-original-host", "a b"),
            ("x-original-host", "a, b"),
            ("x-original-host", "u@a"),
            ("x-original-proto", "gopher"),
            ("x-original-proto", "http, https"),
        ] {
            let mut fields = vec![("x-original-uri", "/a"), (name, value)];
            if name != "x-original-method" {
                fields.push(("x-original-method", "GET"));
            }
            assert_eq!(of(&fields), malformed, "{name}: {value}");
        }
    }

    proptest! {
        #[test]
        fn two_accounts_of_anything_are_one_or_refused(
            one in "(/[ab?%#/ ]{0,3}|[ -~]{0,12})", other in "(/[ab?%#/ ]{0,3}|[ -~]{0,12})",
        ) {
            let fields = [
                ("x-original-method", "GET"),
                ("x-original-uri", one.as_str()),
                ("x-forwarded-uri", other.as_str()),
            ];
            if let Ok((_, uri)) = of(&fields) {
                let is_told = |text: &String| text.is_empty() || *text == uri;
                prop_assert!(is_told(&one) && is_told(&other) && !uri.is_empty(), "{uri}");
            }
        }
    }
}
