//! Fields of a request that are not the client's alone to send.

use http::{HeaderMap, HeaderName};

use super::field_class::{begins, is_spelling};

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

/// The names of [`KNOWN`] and [`FAMILIES`] that begin with one character.
#[derive(Clone, Copy)]
struct Shelf {
    start: usize,
    end: usize,
    /// A bit for each length that there is, so that most names are seen to be unknown at once.
    lengths: u64,
    has_families: bool,
}

const SHELVES: [Shelf; 128] = shelves();

#[expect(clippy::indexing_slicing, reason = "done by the compiler, which sees when it is wrong")]
const fn shelves() -> [Shelf; 128] {
    let mut shelves = [Shelf { start: 0, end: 0, lengths: 0, has_families: false }; 128];
    let mut index = 0;
    while index < KNOWN.len() {
        let name = KNOWN[index].0.as_bytes();
        let shelf = &mut shelves[name[0] as usize];
        if shelf.lengths == 0 {
            shelf.start = index;
        }
        shelf.end = index + 1;
        shelf.lengths |= 1 << name.len();
        index += 1;
    }
    index = 0;
    while index < FAMILIES.len() {
        shelves[FAMILIES[index].0.as_bytes()[0] as usize].has_families = true;
        index += 1;
    }
    shelves
}

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Its place in [`KNOWN`].
    Plain(usize),
    /// The place of what it is another spelling of.
    Alias(usize),
    Family(FieldKind),
    Not,
}

/// Done for every field of every request and answer.
fn known(name: &HeaderName) -> Known {
    let name = name.as_str().as_bytes();
    // Names are in lower case here, and no known one begins with what others are folded to.
    let first = name.first().map_or(0, |first| usize::from(*first));
    let Some(shelf) = SHELVES.get(first) else { return Known::Not };
    if shelf.lengths & (1 << name.len().min(63)) != 0 {
        let known = KNOWN.get(shelf.start..shelf.end).unwrap_or_default();
        if let Some(at) = known.iter().position(|(known, _)| known.as_bytes() == name) {
            return Known::Plain(shelf.start + at);
        }
        if let Some(at) = known.iter().position(|(known, _)| is_spelling(name, known.as_bytes())) {
            return Known::Alias(shelf.start + at);
        }
    }
    if !shelf.has_families {
        return Known::Not;
    }
    let family = FAMILIES.iter().find(|(start, _)| begins(name, start.as_bytes()));
    family.map_or(Known::Not, |(_, kind)| Known::Family(*kind))
}

/// What this field is.
pub(super) fn kind(name: &HeaderName) -> FieldKind {
    match known(name) {
        Known::Plain(place) | Known::Alias(place) => {
            KNOWN.get(place).map_or(EndToEnd, |(_, kind)| *kind)
        }
        Known::Family(kind) => kind,
        Known::Not => EndToEnd,
    }
}

/// Which of the known fields there are in a header, so that nobody looks for those that there are not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Present(u64);

/// One of the known fields, or several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(u64);

impl Mark {
    pub(super) const CONNECTION: Self = Self::of("connection");
    pub(super) const CONTENT_LENGTH: Self = Self::of("content-length");
    pub(super) const EXPECT: Self = Self::of("expect");
    pub(super) const KEEP_ALIVE: Self = Self::of("keep-alive");
    pub(super) const TE: Self = Self::of("te");
    pub(super) const TRACEPARENT: Self = Self::of("traceparent");
    pub(super) const TRANSFER_ENCODING: Self = Self::of("transfer-encoding");
    pub(super) const UPGRADE: Self = Self::of("upgrade");
    pub(super) const VIA: Self = Self::of("via");
    pub(super) const X_REQUEST_ID: Self = Self::of("x-request-id");

    /// Fields that are known by their family alone.
    pub(super) const FAMILY: Self = Self(1 << KNOWN.len());
    /// Known fields in another spelling. Each is marked as the field that it is, too.
    const ALIAS: Self = Self(1 << (KNOWN.len() + 1));
    /// Whatever may not go on, for some requests at least.
    pub(super) const DOUBTFUL: Self = Self::doubtful();

    /// The mark of a name in the list; a program with another one does not compile.
    #[expect(
        clippy::indexing_slicing,
        reason = "done by the compiler, which sees when it is wrong"
    )]
    const fn of(name: &str) -> Self {
        let mut place = 0;
        while !are_equal(KNOWN[place].0.as_bytes(), name.as_bytes()) {
            place += 1;
        }
        Self(1 << place)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "done by the compiler, which sees when it is wrong"
    )]
    const fn doubtful() -> Self {
        let mut marks = Self::FAMILY.0 | Self::ALIAS.0 | Self::EXPECT.0;
        let mut place = 0;
        while place < KNOWN.len() {
            if !matches!(KNOWN[place].1, Reserved) {
                marks |= 1 << place;
            }
            place += 1;
        }
        Self(marks)
    }
}

#[expect(clippy::indexing_slicing, reason = "done by the compiler, which sees when it is wrong")]
const fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

impl Present {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(headers.keys().fold(0, |marks, name| marks | marks_of(name)))
    }

    /// Whether one of them is there, in some spelling.
    pub(super) fn has(self, mark: Mark) -> bool {
        self.0 & mark.0 != 0
    }
}

fn marks_of(name: &HeaderName) -> u64 {
    match known(name) {
        Known::Plain(place) => 1 << place,
        Known::Alias(place) => 1 << place | Mark::ALIAS.0,
        Known::Family(_) => Mark::FAMILY.0,
        Known::Not => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn name(text: &str) -> HeaderName {
        HeaderName::from_bytes(text.as_bytes()).unwrap()
    }

    fn kind_of(text: &str) -> FieldKind {
        kind(&name(text))
    }

    fn present(names: &[&str]) -> Present {
        Present::of(&names.iter().map(|text| (name(text), HeaderValue::from_static("x"))).collect())
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
        assert!(KNOWN.iter().all(|(name, _)| name.len() < 63));
        for (name, kind) in KNOWN {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }

    #[test]
    fn what_is_present_is_marked() {
        let header = present(&["accept", "via", "cookie"]);
        assert!(header.has(Mark::VIA) && header.has(Mark::of("cookie")));
        for (known, _) in KNOWN {
            let mark = Mark::of(known);
            assert!(present(&["accept", known]).has(mark), "{known}");
            assert_eq!(header.has(mark), ["via", "cookie"].contains(&known), "{known}");
        }
        assert!(!header.has(Mark::DOUBTFUL));
        assert!(!present(&[]).has(Mark::DOUBTFUL));
    }

    #[test]
    fn whatever_may_not_go_on_is_doubtful() {
        for (known, kind) in KNOWN {
            let is_doubtful = kind != Reserved || known == "expect";
            assert_eq!(present(&[known]).has(Mark::DOUBTFUL), is_doubtful, "{known}");
            let alias = known.replace('-', "_");
            assert!(alias == known || present(&[&alias]).has(Mark::DOUBTFUL), "{alias}");
        }
        for family in ["proxy-x", "x-forwarded-x", "x_original_x", "x-remote-user"] {
            assert!(present(&[family]).has(Mark::DOUBTFUL), "{family}");
            assert!(present(&[family]).has(Mark::FAMILY), "{family}");
        }
    }
}
