//! Which tokens are JWTs, as far as can be told without looking into them.

/// Three parts, of which the first begins as the base64url of a JSON object does: `{"` or `{` and
/// white space. A JWE has five, and can be read by its issuer alone.
pub(super) fn is_jwt(token: &[u8]) -> bool {
    token.starts_with(b"e")
        && matches!(token.get(1), Some(b'y' | b'w'))
        && memchr::memchr_iter(b'.', token).count() == 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jose::base64url;

    #[test]
    fn f17_f18_opaque_tokens_and_jwes_are_no_jwts() {
        for opaque in
            ["", "e", "ey", "2YotnFZFEjr1zCsicMWpAA", "a.b.c", "ey.b", "ey.b.c.d.e", "eJ.b.c"]
        {
            assert!(!is_jwt(opaque.as_bytes()), "{opaque}");
        }
        assert!(is_jwt(b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln"));
    }

    proptest! {
        #[test]
        fn every_json_object_with_a_member_has_the_shape(
            space in "[ \t\r\n]{0,3}",
            name in "[a-z]{1,8}",
            rest in "[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}",
        ) {
            let header = base64url::encode(format!("{{{space}\"{name}\":1}}"));
            let token = format!("{header}.{rest}");
            prop_assert!(is_jwt(token.as_bytes()));
            prop_assert!(!is_jwt(header.as_bytes()));
        }
    }
}
