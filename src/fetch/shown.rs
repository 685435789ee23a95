//! Addresses as people may see them.

use std::borrow::Cow;

/// An address without what may be a secret in it: `…@` stands for user information, `?…` for a
/// query. Written this way wherever an address is told to anybody.
pub(crate) fn shown(address: &str) -> Cow<'_, str> {
    let (front, has_query) = match address.split_once('?') {
        Some((front, _)) => (front, true),
        None => (address, false),
    };
    let authority = front.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = front.split_at_checked(authority).unwrap_or(("", front));
    let end = rest.find(['/', '#']).unwrap_or(rest.len());
    let user = rest.split_at_checked(end).and_then(|(authority, _)| authority.rfind('@'));
    if !has_query && user.is_none() {
        return Cow::Borrowed(address);
    }
    let (user, rest) = match user.and_then(|at| rest.split_at_checked(at)) {
        Some((_, rest)) => ("…", rest),
        None => ("", rest),
    };
    Cow::Owned(format!("{scheme}{user}{rest}{}", if has_query { "?…" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_user_information_are_not_shown() {
        for (address, expected) in [
            ("https://h/keys", "https://h/keys"),
            ("https://h/keys?code=secret", "https://h/keys?…"),
            ("https://h?secret?secret", "https://h?…"),
            ("https://u:secret@h:8443/@x", "https://…@h:8443/@x"),
            ("https://u:secret@secret@h/é?secret", "https://…@h/é?…"),
            ("https://h/@x", "https://h/@x"),
            ("app-issuer", "app-issuer"),
            ("", ""),
        ] {
            assert_eq!(shown(address), expected);
        }
    }
}
