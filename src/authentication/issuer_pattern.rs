//! Many issuers of one form: `https://*.us.wristband.dev`.

use crate::fetch::AllowHttp;
use crate::spelling::{is_label, is_segment};

/// An issuer in which whole labels of the host, or whole segments of the path, may be anything. An
/// issuer is taken apart before it is compared: `*` never takes a dot or a slash, and what has more
/// than one spelling matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerPattern {
    scheme: Box<str>,
    labels: Box<[Part]>,
    /// With its colon; empty where there is none.
    port: Box<str>,
    /// Split at slashes; empty where there is no path.
    segments: Box<[Part]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Any,
    Literal(Box<str>),
}

/// Labels after a `*` in the host that must be literal: `*.dev` would be everybody.
const OWN_LABELS: usize = 2;
const LONGEST: usize = 512;

impl IssuerPattern {
    /// # Errors
    /// What is wrong, for the operator.
    pub(crate) fn parse(text: &str, allow_http: AllowHttp) -> Result<Self, &'static str> {
        // With a name for each star it has to be an issuer.
        let example = allow_http.check(&text.replace('*', "any"))?;
        if example.query().is_some() {
            return Err("must not have a query");
        }
        let Split { scheme, host, port, path } = Split::of(text).ok_or("is not an absolute URL")?;
        let labels = parts(host.split('.'), is_label)?;
        let segments = parts(segments(path), is_segment_or_end)?;
        let starred = |parts: &[Part]| parts.contains(&Part::Any);
        if !starred(&labels) && !starred(&segments) {
            return Err("has no * in host or path, so that it is no pattern");
        }
        let own = labels.iter().rev().take_while(|part| **part != Part::Any).count();
        if starred(&labels) && own < OWN_LABELS {
            return Err("must have two labels of its own after the *, as in *.example.com");
        }
        Ok(Self { scheme: scheme.into(), labels, port: port.into(), segments })
    }

    /// Whether an issuer is of this form, in its only spelling.
    pub(crate) fn matches(&self, issuer: &str) -> bool {
        if issuer.len() > LONGEST {
            return false;
        }
        let Some(Split { scheme, host, port, path }) = Split::of(issuer) else { return false };
        *self.scheme == *scheme
            && *self.port == *port
            && fit(&self.labels, host.split('.'), is_label)
            && fit(&self.segments, segments(path), is_segment)
    }
}

/// `scheme`, `host`, `:port` and `/path` of a text, which need not be good.
struct Split<'a> {
    scheme: &'a str,
    host: &'a str,
    port: &'a str,
    path: &'a str,
}

impl<'a> Split<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
        let (host, port) =
            authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?;
        Some(Self { scheme, host, port, path })
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').into_iter().flat_map(|path| path.split('/'))
}

fn parts<'a>(
    texts: impl Iterator<Item = &'a str>,
    is_good: impl Fn(&str) -> bool,
) -> Result<Box<[Part]>, &'static str> {
    texts
        .map(|text| match text {
            "*" => Ok(Part::Any),
            _ if is_good(text) => Ok(Part::Literal(text.into())),
            _ if text.contains('*') => Err("has a * that is not a whole label or segment"),
            _ => Err("must be in lower case, without escapes, where it is a pattern"),
        })
        .collect()
}

fn fit<'a>(
    parts: &[Part],
    mut texts: impl Iterator<Item = &'a str>,
    is_good: impl Fn(&str) -> bool,
) -> bool {
    let all = parts.iter().all(|part| {
        texts.next().is_some_and(|text| match part {
            Part::Any => is_good(text),
            Part::Literal(literal) => **literal == *text,
        })
    });
    all && texts.next().is_none()
}

/// The last one may be empty: a slash at the end counts.
fn is_segment_or_end(text: &str) -> bool {
    text.is_empty() || is_segment(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> IssuerPattern {
        IssuerPattern::parse(text, AllowHttp::Loopback).unwrap()
    }

    #[test]
    fn a_star_is_one_label_and_never_text() {
        let vanity = pattern("https://*.us.wristband.dev");
        assert!(vanity.matches("https://acme.us.wristband.dev"));
        assert!(vanity.matches("https://a-b-9.us.wristband.dev"));
        for other in [
            "https://us.wristband.dev",
            "https://.us.wristband.dev",
            "https://a.b.us.wristband.dev",
            "https://evil.example/.us.wristband.dev",
            "https://evil.example#.us.wristband.dev",
            "https://evil.example?.us.wristband.dev",
            "https://evil.example\\.us.wristband.dev",
            "https://u@acme.us.wristband.dev",
            "https://acme.us.wristband.dev@evil.example",
            "https://acme.us.wristband.dev.evil.example",
            "https://acme.us.wristband.dev/",
            "https://acme.us.wristband.dev:443",
            "https://ACME.us.wristband.dev",
            "https://acme.US.wristband.dev",
            "https://ac%6de.us.wristband.dev",
            "https://äcme.us.wristband.dev",
            "https://-a.us.wristband.dev",
            "https://*.us.wristband.dev.",
            "http://acme.us.wristband.dev",
            "acme.us.wristband.dev",
            "",
        ] {
            assert!(!vanity.matches(other), "{other}");
        }
    }

    #[test]
    fn a_star_is_one_segment() {
        let entra = pattern("https://login.microsoftonline.com/*/v2.0");
        assert!(entra.matches("https://login.microsoftonline.com/9122040d-6c67/v2.0"));
        for other in [
            "https://login.microsoftonline.com//v2.0",
            "https://login.microsoftonline.com/../v2.0",
            "https://login.microsoftonline.com/a/b/v2.0",
            "https://login.microsoftonline.com/a/v2.0/",
            "https://login.microsoftonline.com/a%2Fb/v2.0",
            "https://login.microsoftonline.com/a",
        ] {
            assert!(!entra.matches(other), "{other}");
        }
        let slash = pattern("https://*.auth0.com/");
        assert!(slash.matches("https://t.auth0.com/") && !slash.matches("https://t.auth0.com"));
        let local = pattern("http://127.0.0.1:8080/*");
        assert!(local.matches("http://127.0.0.1:8080/acme"));
        assert!(!local.matches("http://127.0.0.1:8081/acme"));
        assert!(!local.matches("http://127.0.0.1/acme"));
    }

    #[test]
    fn what_would_be_everybody_or_is_no_pattern_is_refused() {
        for bad in [
            "https://*",
            "https://*.dev",
            "https://a.*.dev",
            "https://x*.example.com",
            "https://*x.example.com",
            "https://**.example.com",
            "https://*.Example.com",
            "https://*.example.com/?x",
            "https://*.example.com#x",
            "https://u@*.example.com",
            "https://*.example.com:*",
            "https://example.com",
            "https://example.com/a*",
            "http://*.example.com",
            "*.example.com",
            "https://example.com/*/%41",
            "",
        ] {
            assert!(IssuerPattern::parse(bad, AllowHttp::Loopback).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Whatever matches is an issuer of a host directly below ours, as a URL parser sees it.
        #[test]
        fn what_matches_is_ours(text in r"(https?://)?[a-z.@:/#?%\\*-]{0,12}(\.us\.wristband\.dev)?[a-z.@:/#?%\\]{0,4}") {
            if pattern("https://*.us.wristband.dev").matches(&text) {
                let url = url::Url::parse(&text).unwrap();
                let host = url.host_str().unwrap();
                let label = host.strip_suffix(".us.wristband.dev").unwrap();
                prop_assert!(!label.is_empty() && !label.contains('.'));
                prop_assert_eq!(format!("https://{host}"), text);
            }
        }
    }
}
