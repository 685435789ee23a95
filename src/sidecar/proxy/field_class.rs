//! Names of fields that servers take for one another.
//!
//! CGI, WSGI, Rack, PHP and others turn names into variables and write `_` for whatever is no
//! letter, so that `X_Auth.Subject` arrives as `X-Auth-Subject` does. Case, `-`, `_` and `.` are
//! therefore one (case is gone already: the name of a field is lower case here).

use http::HeaderName;

/// All spellings of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sidecar) struct FieldClass(Box<[u8]>);

impl FieldClass {
    pub(in crate::sidecar) fn of(name: &HeaderName) -> Self {
        Self(name.as_str().bytes().map(fold).collect())
    }

    fn holds(&self, name: &[u8]) -> bool {
        self.0.len() == name.len()
            && self.0.iter().zip(name).all(|(one, other)| *one == fold(*other))
    }
}

/// Several classes, to be looked through for every field of every request.
#[derive(Debug, Clone, Default)]
pub(in crate::sidecar) struct FieldClasses {
    classes: Vec<FieldClass>,
    lengths: u64,
}

impl FieldClasses {
    pub(in crate::sidecar) fn hold(&self, name: &HeaderName) -> bool {
        let name = name.as_str().as_bytes();
        self.lengths & length_bit(name) != 0 && self.classes.iter().any(|class| class.holds(name))
    }
}

impl<'a> FromIterator<&'a HeaderName> for FieldClasses {
    fn from_iter<I: IntoIterator<Item = &'a HeaderName>>(names: I) -> Self {
        let classes: Vec<_> = names.into_iter().map(FieldClass::of).collect();
        let lengths = classes.iter().fold(0, |bits, class| bits | length_bit(&class.0));
        Self { classes, lengths }
    }
}

/// Lengths from 63 on share a bit.
fn length_bit(name: &[u8]) -> u64 {
    1 << name.len().min(63)
}

fn fold(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        byte => byte.to_ascii_lowercase(),
    }
}

/// What says who the client is, where it comes from or what it asked for, in the words of proxies.
/// Only a proxy that is trusted may say it; sorted.
const FORWARDED: [&str; 24] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "forwarded-host",
    "forwarded-proto",
    "front-end-https",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-envoy-original-path",
    "x-host",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-scheme",
    "x-url-scheme",
];

/// Makes another method of a request than the one that rules were asked about; sorted.
const METHOD_OVERRIDES: [&str; 3] =
    ["x-http-method", "x-http-method-override", "x-method-override"];

/// What a field of a request is to a proxy, by any of its spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum FieldKind {
    /// Nothing special.
    EndToEnd,
    /// RFC 9110 §7.6.1, and `Proxy-*` for this hop.
    HopByHop,
    /// Another spelling of a field that HTTP or this proxy gives a meaning, `Content_Length` for
    /// example: nobody means well by it.
    Disguised,
    /// See [`FORWARDED`], and everything that begins with `x-forwarded-` or `x-original-`.
    Forwarded,
    MethodOverride,
}

/// `Forwarded` in the spelling that standards and proxies use; another one is never a proxy's.
pub(in crate::sidecar) fn is_plainly_spelled(name: &HeaderName) -> bool {
    !name.as_str().bytes().any(|byte| matches!(byte, b'_' | b'.'))
}

pub(in crate::sidecar) fn kind(name: &HeaderName) -> FieldKind {
    let text = name.as_str().as_bytes();
    if !is_plainly_spelled(name) && RESERVED.iter().any(|reserved| is_alike(reserved, text)) {
        return FieldKind::Disguised;
    }
    match text.first() {
        Some(b'c' | b'f' | b't' | b'x' | b'k' | b'p' | b'u') => {}
        _ => return FieldKind::EndToEnd,
    }
    let mut buffer = [0; LONGEST];
    let Some(folded) = fold_into(text, &mut buffer) else {
        return if starts_like_forwarded(text) {
            FieldKind::Forwarded
        } else {
            FieldKind::EndToEnd
        };
    };
    match folded {
        b"connection"
        | b"keep-alive"
        | b"proxy-connection"
        | b"proxy-authenticate"
        | b"proxy-authorization"
        | b"te"
        | b"transfer-encoding"
        | b"upgrade" => FieldKind::HopByHop,
        folded if starts_like_forwarded(folded) || is_one_of(&FORWARDED, folded) => {
            FieldKind::Forwarded
        }
        folded if is_one_of(&METHOD_OVERRIDES, folded) => FieldKind::MethodOverride,
        _ => FieldKind::EndToEnd,
    }
}

/// The longest name in the lists.
const LONGEST: usize = 32;

fn fold_into<'a>(text: &[u8], buffer: &'a mut [u8; LONGEST]) -> Option<&'a [u8]> {
    let folded = buffer.get_mut(..text.len())?;
    for (place, byte) in folded.iter_mut().zip(text) {
        *place = fold(*byte);
    }
    Some(folded)
}

fn starts_like_forwarded(text: &[u8]) -> bool {
    [&b"x-forwarded-"[..], b"x-original-"].iter().any(|prefix| {
        text.get(..prefix.len()).is_some_and(|start| {
            start.iter().zip(*prefix).all(|(byte, expected)| fold(*byte) == *expected)
        })
    })
}

fn is_one_of(sorted: &[&str], name: &[u8]) -> bool {
    sorted.binary_search_by(|one| one.as_bytes().cmp(name)).is_ok()
}

/// They mean something to HTTP or to this proxy.
const RESERVED: [&str; 15] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "dpop",
    "expect",
    "host",
    "trailer",
    "traceparent",
    "tracestate",
    "user-agent",
    "via",
    "x-request-id",
];

/// Whether no claim may be put under this name.
pub(in crate::sidecar) fn is_reserved(name: &HeaderName) -> bool {
    kind(name) != FieldKind::EndToEnd
        || RESERVED.iter().any(|reserved| is_alike(reserved, name.as_str().as_bytes()))
}

/// Whether `name` is a spelling of `folded`.
fn is_alike(folded: &str, name: &[u8]) -> bool {
    folded.len() == name.len() && folded.bytes().zip(name).all(|(one, other)| one == fold(*other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HeaderName {
        HeaderName::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn hdr_15_spellings_of_one_name_are_one() {
        let classes: FieldClasses = [name("x-auth-subject"), name("x-tenant")].iter().collect();
        for alias in
            ["X-Auth-Subject", "x_auth_subject", "X.AUTH-Subject", "x-auth_subject", "X_TENANT"]
        {
            assert!(classes.hold(&name(alias)), "{alias}");
        }
        for other in ["x-auth-subject-", "xauthsubject", "x-auth-subjec", "x-auth~subject", "x"] {
            assert!(!classes.hold(&name(other)), "{other}");
        }
        let long = "x-".to_owned() + &"y".repeat(100);
        let classes: FieldClasses = [name(&long)].iter().collect();
        assert!(classes.hold(&name(&long.replace('-', "_"))));
        assert!(!classes.hold(&name(&"z".repeat(102))));
    }

    #[test]
    fn kinds_hold_for_every_spelling() {
        for (text, expected) in [
            ("connection", FieldKind::HopByHop),
            ("keep_alive", FieldKind::HopByHop),
            ("Proxy-Authorization", FieldKind::HopByHop),
            ("te", FieldKind::HopByHop),
            ("upgrade", FieldKind::HopByHop),
            ("transfer.encoding", FieldKind::HopByHop),
            ("content_length", FieldKind::Disguised),
            ("X_Request.Id", FieldKind::Disguised),
            ("user_agent", FieldKind::Disguised),
            ("content_lengths", FieldKind::EndToEnd),
            ("content-length", FieldKind::EndToEnd),
            ("forwarded", FieldKind::Forwarded),
            ("x-forwarded-for", FieldKind::Forwarded),
            ("X_Forwarded_For", FieldKind::Forwarded),
            ("x-forwarded-anything-at-all-however-long-it-may-be", FieldKind::Forwarded),
            ("x_original.url", FieldKind::Forwarded),
            ("x-rewrite-url", FieldKind::Forwarded),
            ("x-real-ip", FieldKind::Forwarded),
            ("true_client_ip", FieldKind::Forwarded),
            ("x-http-method-override", FieldKind::MethodOverride),
            ("x_http_method", FieldKind::MethodOverride),
            ("x-forwarde", FieldKind::EndToEnd),
            ("accept", FieldKind::EndToEnd),
            ("cookie", FieldKind::EndToEnd),
            ("x-request-id", FieldKind::EndToEnd),
            ("tenant", FieldKind::EndToEnd),
        ] {
            assert_eq!(kind(&name(text)), expected, "{text}");
        }
    }

    #[test]
    fn the_lists_are_sorted_and_found_by_their_first_letters() {
        assert!(FORWARDED.is_sorted() && METHOD_OVERRIDES.is_sorted());
        for text in FORWARDED {
            assert_eq!(kind(&name(text)), FieldKind::Forwarded, "{text}");
        }
        for text in METHOD_OVERRIDES {
            assert_eq!(kind(&name(text)), FieldKind::MethodOverride, "{text}");
        }
        assert!(FORWARDED.iter().chain(&METHOD_OVERRIDES).all(|text| text.len() <= LONGEST));
    }
}
