//! Fields of a request that are not the client's alone to send.

use http::HeaderName;

use super::field_class::fold;

/// What a field is to a proxy, whatever its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// Nothing special.
    EndToEnd,
    /// HTTP or this proxy gives it a meaning. Another spelling of it (`Content_Length`) has none,
    /// and nobody means well by it.
    Reserved,
    /// For this hop alone (RFC 9110 §7.6.1), `Proxy-*` among them. `Proxy` itself is none, but
    /// becomes a variable that HTTP clients of the service obey.
    HopByHop,
    /// What proxies usually tell about where a request comes from.
    Told,
    /// What may say who calls, from where or for what, in the words of some proxy. Ours says it
    /// in others, so that it is nobody's to say.
    Hearsay,
    /// Makes another method of a request than the one that was judged.
    MethodOverride,
}

use FieldKind::{EndToEnd, Hearsay, HopByHop, MethodOverride, Reserved, Told};

/// Sorted by name.
const KNOWN: [(&str, FieldKind); 53] = [
    ("authorization", Reserved),
    ("cf-connecting-ip", Hearsay),
    ("cf-connecting-ipv6", Hearsay),
    ("client-ip", Hearsay),
    ("connection", HopByHop),
    ("content-encoding", Reserved),
    ("content-length", Reserved),
    ("content-type", Reserved),
    ("cookie", Reserved),
    ("date", Reserved),
    ("dpop", Reserved),
    ("expect", Reserved),
    ("fastly-client-ip", Hearsay),
    ("forwarded", Told),
    ("forwarded-for", Hearsay),
    ("forwarded-host", Hearsay),
    ("forwarded-proto", Hearsay),
    ("front-end-https", Hearsay),
    ("host", Reserved),
    ("keep-alive", HopByHop),
    ("proxy", HopByHop),
    ("te", HopByHop),
    ("traceparent", Reserved),
    ("tracestate", Reserved),
    ("trailer", Reserved),
    ("transfer-encoding", HopByHop),
    ("true-client-ip", Hearsay),
    ("upgrade", HopByHop),
    ("user-agent", Reserved),
    ("via", Reserved),
    ("wl-proxy-client-ip", Hearsay),
    ("x-appengine-user-ip", Hearsay),
    ("x-client-ip", Hearsay),
    ("x-cluster-client-ip", Hearsay),
    ("x-envoy-external-address", Hearsay),
    ("x-envoy-original-path", Hearsay),
    ("x-forwarded-for", Told),
    ("x-forwarded-host", Told),
    ("x-forwarded-port", Told),
    ("x-forwarded-prefix", Told),
    ("x-forwarded-proto", Told),
    ("x-host", Hearsay),
    ("x-http-destinationurl", Hearsay),
    ("x-http-host-override", Hearsay),
    ("x-http-method", MethodOverride),
    ("x-http-method-override", MethodOverride),
    ("x-method-override", MethodOverride),
    ("x-originating-ip", Hearsay),
    ("x-real-ip", Told),
    ("x-request-id", Reserved),
    ("x-rewrite-url", Hearsay),
    ("x-scheme", Hearsay),
    ("x-url-scheme", Hearsay),
];

/// Families of names, some of which are [`KNOWN`] by themselves.
const FAMILIES: [(&str, FieldKind); 4] = [
    ("proxy-", HopByHop),
    ("x-forwarded", Hearsay),
    ("x-original-", Hearsay),
    ("x-remote-", Hearsay),
];

/// The longest name in the lists.
const LONGEST: usize = 24;

/// Whether any known name begins with this letter, so that most names are seen to be unknown at once.
const BEGINNINGS: [bool; 128] = beginnings();

#[expect(clippy::indexing_slicing, reason = "done by the compiler, which sees when it is wrong")]
const fn beginnings() -> [bool; 128] {
    let mut begins = [false; 128];
    let mut index = 0;
    while index < KNOWN.len() {
        begins[KNOWN[index].0.as_bytes()[0] as usize] = true;
        index += 1;
    }
    index = 0;
    while index < FAMILIES.len() {
        begins[FAMILIES[index].0.as_bytes()[0] as usize] = true;
        index += 1;
    }
    begins
}

pub(super) fn kind(name: &HeaderName) -> FieldKind {
    let text = name.as_str().as_bytes();
    let first = text.first().map_or(0, |first| usize::from(fold(*first)));
    if !BEGINNINGS.get(first).is_some_and(|begins| *begins) {
        return EndToEnd;
    }
    let mut buffer = [0; LONGEST];
    let start = text.len().min(LONGEST);
    for (place, byte) in buffer.iter_mut().zip(text) {
        *place = fold(*byte);
    }
    let folded = buffer.get(..start).unwrap_or_default();
    if text.len() <= LONGEST
        && let Ok(found) = KNOWN.binary_search_by(|(known, _)| known.as_bytes().cmp(folded))
        && let Some((_, kind)) = KNOWN.get(found)
    {
        return *kind;
    }
    let family = FAMILIES.iter().find(|(start, _)| folded.starts_with(start.as_bytes()));
    family.map_or(EndToEnd, |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str) -> FieldKind {
        kind(&HeaderName::from_bytes(text.as_bytes()).unwrap())
    }

    #[test]
    fn kinds_hold_for_every_spelling() {
        for (text, expected) in [
            ("keep_alive", HopByHop),
            ("Proxy-Authorization", HopByHop),
            ("proxy~anything-however-long-it-may-be", HopByHop),
            ("Proxy", HopByHop),
            ("proxying", EndToEnd),
            ("transfer.encoding", HopByHop),
            ("X_Forwarded_For", Told),
            ("x~forwarded~for", Told),
            ("x-forwarded-user", Hearsay),
            ("x-forwarded", Hearsay),
            ("x-forwarded-anything-at-all-however-long-it-may-be", Hearsay),
            ("x_original.url", Hearsay),
            ("X-Remote-Addr", Hearsay),
            ("WL_Proxy_Client_IP", Hearsay),
            ("x_http_method", MethodOverride),
            ("Content_Length", Reserved),
            ("X_Request.Id", Reserved),
            ("content-lengths", EndToEnd),
            ("x-forwarde", EndToEnd),
            ("accept", EndToEnd),
            ("tenant", EndToEnd),
            ("~", EndToEnd),
        ] {
            assert_eq!(kind_of(text), expected, "{text}");
        }
    }

    #[test]
    fn every_name_in_the_list_is_found() {
        assert!(KNOWN.is_sorted_by_key(|(name, _)| name));
        for (name, kind) in KNOWN {
            assert_eq!(kind_of(name), kind, "{name}");
            assert!(name.len() <= LONGEST, "{name}");
        }
    }
}
