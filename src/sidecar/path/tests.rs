use proptest::prelude::*;

use super::*;

fn canonical_of(path: &str) -> Result<String, Ambiguous> {
    canonical(path).map(Cow::into_owned)
}

#[test]
fn paths_that_are_canonical_are_not_copied() {
    for path in [
        "/",
        "/orders",
        "/orders/",
        "/orders/7",
        "/~user/a-b_c.d",
        "/a.b/...",
        "/.well-known/x",
        "/a..b",
        "/..a",
        "/a/.b/c.",
        "/!$&'()*+,=:@",
        "/orders/7:cancel",
        "/%7b",
    ] {
        let escapes = path.contains('%');
        let result = canonical(path).unwrap();
        assert_eq!(matches!(result, Cow::Borrowed(_)), !escapes, "{path}");
        assert!(result.eq_ignore_ascii_case(path));
    }
}

#[test]
fn one_spelling_goes_on() {
    for (given, expected) in [
        ("/%61", "/a"),
        ("/%7Euser", "/~user"),
        ("/%7euser", "/~user"),
        ("/a%2Db%5Fc", "/a-b_c"),
        ("/%30%39", "/09"),
        ("/%41dmin", "/Admin"),
        ("/a%20b", "/a%20b"),
        ("/%c3%a9", "/%C3%A9"),
        ("/%C3%a9", "/%C3%A9"),
        ("/é", "/%C3%A9"),
        ("/caf\u{65}\u{301}", "/cafe%CC%81"),
        ("/%e2%82%ac", "/%E2%82%AC"),
        ("/€", "/%E2%82%AC"),
        ("/{id}", "/%7Bid%7D"),
        ("/%7Bid%7d", "/%7Bid%7D"),
        ("/a\"b", "/a%22b"),
        ("/a<b>", "/a%3Cb%3E"),
        ("/a|b^c`d", "/a%7Cb%5Ec%60d"),
        ("/[x]", "/%5Bx%5D"),
        ("/a%3fb", "/a%3Fb"),
        ("/a%23b", "/a%23b"),
        ("/a%3ab", "/a%3Ab"),
        ("/a%40b", "/a%40b"),
        ("/a%2bb", "/a%2Bb"),
        ("/100%25", "/100%25"),
        ("/100%25/a", "/100%25/a"),
        ("/%25g1", "/%25g1"),
        ("/%250g", "/%250g"),
        ("/%25/41", "/%25/41"),
        ("/%F0%9F%94%92", "/%F0%9F%94%92"),
        ("/%e2%80%a6", "/%E2%80%A6"),
    ] {
        assert_eq!(canonical_of(given).as_deref(), Ok(expected), "{given}");
    }
}

#[test]
fn ambiguous_paths_are_refused() {
    use Ambiguous as A;
    for (path, reason) in [
        ("", A::NotAbsolute),
        ("*", A::NotAbsolute),
        ("example.com:443", A::NotAbsolute),
        ("a/b", A::NotAbsolute),
        ("%2Fa", A::NotAbsolute),
        ("//", A::EmptySegment),
        ("//a", A::EmptySegment),
        ("/a//b", A::EmptySegment),
        ("/a//", A::EmptySegment),
        ("/.", A::DotSegment),
        ("/..", A::DotSegment),
        ("/./a", A::DotSegment),
        ("/a/./b", A::DotSegment),
        ("/a/../b", A::DotSegment),
        ("/a/.", A::DotSegment),
        ("/a/..", A::DotSegment),
        ("/../", A::DotSegment),
        ("/%2e", A::EncodedDot),
        ("/%2E%2E/a", A::EncodedDot),
        ("/.%2e/a", A::EncodedDot),
        ("/a%2ejson", A::EncodedDot),
        ("/a%2fb", A::EncodedSlash),
        ("/a%2Fb", A::EncodedSlash),
        ("/%2F", A::EncodedSlash),
        ("/a/..%2fb", A::EncodedSlash),
        ("/a\\b", A::Backslash),
        ("/a%5cb", A::Backslash),
        ("/..%5C..%5Ca", A::Backslash),
        ("/a;b", A::Semicolon),
        ("/a;jsessionid=1/b", A::Semicolon),
        ("/..;/a", A::Semicolon),
        ("/a%3bb", A::Semicolon),
        ("/a%3B", A::Semicolon),
        ("/a%00", A::Control),
        ("/a%00.png", A::Control),
        ("/%0a", A::Control),
        ("/a%0D%0Ab", A::Control),
        ("/%09", A::Control),
        ("/%1f", A::Control),
        ("/%7F", A::Control),
        ("/a\tb", A::Control),
        ("/a\u{7f}", A::Control),
        ("/a\0", A::Control),
        ("/%C2%80", A::Control),
        ("/%c2%9f", A::Control),
        ("/\u{85}", A::Control),
        ("/%", A::BadEscape),
        ("/%4", A::BadEscape),
        ("/a%/b", A::BadEscape),
        ("/%zz", A::BadEscape),
        ("/%4g", A::BadEscape),
        ("/%+4", A::BadEscape),
        ("/%u002f", A::BadEscape),
        ("/%\u{661}\u{661}", A::BadEscape),
        ("/%2541", A::EncodedTwice),
        ("/%252e%252e/a", A::EncodedTwice),
        ("/a%252fb", A::EncodedTwice),
        ("/%25%34%31", A::EncodedTwice),
        ("/%254%31", A::EncodedTwice),
        ("/%c0%af", A::NotUtf8),
        ("/%c0%ae%c0%ae/a", A::NotUtf8),
        ("/%e0%80%af", A::NotUtf8),
        ("/%ed%a0%80", A::NotUtf8),
        ("/%ff", A::NotUtf8),
        ("/%c3", A::NotUtf8),
        ("/%c3/%a9", A::NotUtf8),
        ("/%f5%80%80%80", A::NotUtf8),
        ("/a\u{FF0F}b", A::LookAlike),
        ("/a%EF%BC%8Fb", A::LookAlike),
        ("/\u{FF0E}\u{FF0E}/a", A::LookAlike),
        ("/%EF%BC%8E%ef%bc%8e/a", A::LookAlike),
        ("/a%ef%bc%bcb", A::LookAlike),
        ("/a%E2%88%95b", A::LookAlike),
        ("/a%E2%81%84b", A::LookAlike),
        ("/%EF%B9%92%EF%B9%92/a", A::LookAlike),
        ("/%E2%80%A4%E2%80%A4/a", A::LookAlike),
        ("/%E2%80%A5/a", A::LookAlike),
        ("/a%CD%BEb", A::LookAlike),
        ("/%EF%BC%8541", A::LookAlike),
    ] {
        assert_eq!(canonical_of(path), Err(reason), "{path:?}");
    }
}

#[test]
fn sentences_are_fixed_text() {
    for reason in [Ambiguous::NotAbsolute, Ambiguous::LookAlike, Ambiguous::EncodedTwice] {
        let sentence = reason.to_string();
        assert!(sentence.is_ascii() && !sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn meaning_is_decoded_once() {
    for (canonical, expected) in
        [("/a", "/a"), ("/%C3%A9/%20", "/é/ "), ("/100%25", "/100%"), ("/%7B%7D", "/{}")]
    {
        assert_eq!(decoded(canonical), expected);
    }
    assert_eq!(meaning("caf%c3%a9").as_deref(), Ok("café"));
    assert_eq!(meaning("café").as_deref(), Ok("café"));
    assert_eq!(meaning("%2f"), Err(Ambiguous::EncodedSlash));
}

/// Paths with a tendency to what is dangerous.
fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z]{1,3}",
        2 => Just("/".to_owned()),
        2 => "%[0-9a-fA-F]{2}",
        1 => Just("%25".to_owned()),
        1 => any::<char>().prop_map(|char| {
            let mut bytes = [0; 4];
            char.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02x}")).collect()
        }),
        1 => prop::sample::select(&[".", "..", ";", "\\", "%", "%2", "é", "{", "}", "~", ":"][..])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// What a plain server sees: it splits, then decodes what is an escape.
fn segments(path: &str) -> Vec<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let decode = |segment: &str| {
        let (bytes, mut at, mut decoded) = (segment.as_bytes(), 0, Vec::new());
        while at < bytes.len() {
            let escape = match bytes[at..] {
                [b'%', high, low, ..] => value(high).zip(value(low)),
                _ => None,
            };
            decoded.push(escape.map_or(bytes[at], |(high, low)| 16 * high + low));
            at += if escape.is_some() { 3 } else { 1 };
        }
        decoded
    };
    path.split('/').map(decode).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_canonical_form_of_a_canonical_path_is_itself(path in path()) {
        if let Ok(once) = canonical_of(&path) {
            prop_assert_eq!(canonical_of(&once), Ok(once.clone()));
            prop_assert!(once.bytes().all(|byte| byte == b'/' || byte == b'%' || is_plain_byte(byte)));
        }
    }

    #[test]
    fn a_plain_server_sees_the_same_segments_in_both(path in path()) {
        if let Ok(canonical) = canonical_of(&path) {
            prop_assert_eq!(segments(&canonical), segments(&path));
        }
    }

    /// A server that decodes before it splits, and one that decodes twice, see no other segments.
    #[test]
    fn order_and_number_of_decodings_do_not_matter(path in path()) {
        if let Ok(canonical) = canonical_of(&path) {
            let decoded = decoded(&canonical).into_owned();
            let early: Vec<_> = decoded.split('/').map(|s| s.as_bytes().to_vec()).collect();
            prop_assert_eq!(&early, &segments(&canonical));
            prop_assert_eq!(&segments(&decoded), &early);
        }
    }

    #[test]
    fn what_is_refused_is_never_in_a_canonical_path(path in path()) {
        if let Ok(canonical) = canonical_of(&path) {
            let decoded = decoded(&canonical).into_owned();
            prop_assert!(!decoded.contains(['\\', ';']) && !decoded.chars().any(char::is_control));
            let inner = decoded.strip_prefix('/').unwrap();
            let inner = inner.strip_suffix('/').unwrap_or(inner);
            prop_assert!(inner.is_empty() || inner.split('/').all(|s| !["", ".", ".."].contains(&s)));
            for escape in ["%2E", "%2F", "%5C", "%3B", "%00"] {
                prop_assert!(!canonical.contains(escape));
            }
        }
    }

    #[test]
    fn segments_alone_decide(path in "/[a-zA-Z0-9._~!$&'()*+,=:@-]{1,9}(/[a-zA-Z0-9_~-]{1,9}){0,3}/?") {
        let dots = path.split('/').any(|segment| segment == "." || segment == "..");
        prop_assert_eq!(canonical(&path).is_ok(), !dots);
    }
}
