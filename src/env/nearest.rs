//! "Did you mean …?"

/// The candidate that `given` was probably meant to be: the nearest one, the first of several,
/// unless more than a third of it would have to change.
pub(crate) fn nearest<T: AsRef<str>>(
    given: &str,
    candidates: impl IntoIterator<Item = T>,
) -> Option<T> {
    let given = given.to_uppercase();
    let near_enough = |candidate: T| {
        let upper = candidate.as_ref().to_uppercase();
        // Spares the work for absurd lengths.
        if given.len().abs_diff(upper.len()) > upper.len() {
            return None;
        }
        let distance = strsim::osa_distance(&given, &upper);
        (distance * 3 <= upper.len()).then_some((distance, candidate))
    };
    let near = candidates.into_iter().filter_map(near_enough);
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_is_within_a_third_and_case_is_nothing() {
        for (given, expected) in [
            ("rs256", Some("RS256")),
            ("RS265", Some("RS256")),
            ("ES2566", Some("ES256")),
            ("eddsa", Some("EdDSA")),
            ("none", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(nearest(given, ["RS256", "ES256", "EdDSA"]), expected, "{given}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), ["RS256"]), None);
        assert_eq!(nearest("x", [""]), None);
        assert_eq!(nearest("", [""]), Some(""));
    }
}
