//! Parts of URLs that have one spelling, so that whoever reads them reads the same.

/// A label of a name (RFC 1123 §2.1), in lower case.
pub(crate) fn is_label(text: &str) -> bool {
    let is_good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=63).contains(&text.len())
        && text.bytes().all(is_good)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A segment of a path, of unreserved characters alone (RFC 3986 §2.3), and not `.` or `..`.
pub(crate) fn is_segment(text: &str) -> bool {
    let is_good =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !text.is_empty() && text.bytes().all(is_good) && !matches!(text, "." | "..")
}

/// Whether some reader of a segment may take it, or a part of it, for a step in the tree of paths:
/// `..`, `%2e.`, `a%2f..`, `a\..`, and `..;x`, where some servers see a parameter of `..`.
pub(crate) fn may_be_a_step(segment: &str) -> bool {
    // Most segments have none of what a step is made of.
    if !segment.contains(['.', '%']) {
        return false;
    }
    let mut read = segment.to_ascii_lowercase();
    for (escape, means) in [("%2e", "."), ("%2f", "/"), ("%5c", "\\"), ("%3b", ";")] {
        read = read.replace(escape, means);
    }
    let mut names = read.split(['/', '\\']).filter_map(|part| part.split(';').next());
    names.any(|name| matches!(name, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_segments_have_one_spelling() {
        for good in ["a", "a-9", "9", &"a".repeat(63)] {
            assert!(is_label(good) && is_segment(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "ä", "*", "%61", &"a".repeat(64)] {
            assert!(!is_label(bad), "{bad}");
        }
        for good in ["A.b_c~d", "...", "-"] {
            assert!(is_segment(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a;b", "a%62", "ä", "a b"] {
            assert!(!is_segment(bad), "{bad}");
        }
    }

    #[test]
    fn a_step_is_seen_in_every_spelling() {
        for step in [
            ".",
            "..",
            "%2e",
            "%2E%2e",
            ".%2e",
            "a%2f..",
            "..%2Fa",
            "%2e%2e%5Ca",
            "a\\..\\b",
            "%2f.",
            "..;",
            "..%3Bx=1",
        ] {
            assert!(may_be_a_step(step), "{step}");
        }
        for other in
            ["", "...", "a..", "..a", ".well-known", "a.b", "a%2fb", "%252e%252e", "%2", "ä"]
        {
            assert!(!may_be_a_step(other), "{other}");
        }
    }
}
