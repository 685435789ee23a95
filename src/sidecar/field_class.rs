//! Names of fields that servers take for one another.
//!
//! CGI, WSGI, Rack, PHP and others turn names into variables and write `_` for whatever is no
//! letter or digit, some of them for a few characters, some for all, so that `X_Auth.Subject` and
//! `X+Auth~Subject` may arrive as `X-Auth-Subject` does. All of these are one name here, and case
//! makes no difference anyway.

use http::HeaderName;

/// All spellings of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldClass(Box<[u8]>);

impl FieldClass {
    pub(super) fn of(name: &HeaderName) -> Self {
        Self(name.as_str().bytes().map(fold).collect())
    }

    fn holds(&self, name: &[u8]) -> bool {
        is_spelling(name, &self.0)
    }
}

/// Whether a name folds to this.
pub(super) fn is_spelling(name: &[u8], folded: &[u8]) -> bool {
    name.len() == folded.len() && begins(name, folded)
}

/// Whether the beginning of a name folds to this.
pub(super) fn begins(name: &[u8], folded: &[u8]) -> bool {
    name.len() >= folded.len() && folded.iter().zip(name).all(|(one, other)| *one == fold(*other))
}

/// Several classes, to be looked through for every field of every request.
#[derive(Debug, Clone, Default)]
pub(super) struct FieldClasses {
    classes: Vec<FieldClass>,
    lengths: u64,
}

impl FieldClasses {
    pub(super) fn hold(&self, name: &HeaderName) -> bool {
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

/// What stands for a byte of a name in its class.
pub(super) fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

/// Whether a name is the usual spelling of its class.
pub(super) fn is_plainly_spelled(name: &HeaderName) -> bool {
    name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
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
        for alias in [
            "X-Auth-Subject",
            "x_auth_subject",
            "X.AUTH-Subject",
            "x-auth_subject",
            "X_TENANT",
            "x+auth~subject",
            "x|auth!subject",
        ] {
            assert!(classes.hold(&name(alias)), "{alias}");
        }
        for other in ["x-auth-subject-", "xauthsubject", "x-auth-subjec", "x-auth0subject", "x"] {
            assert!(!classes.hold(&name(other)), "{other}");
        }
        let long = "x-".to_owned() + &"y".repeat(100);
        let classes: FieldClasses = [name(&long)].iter().collect();
        assert!(classes.hold(&name(&long.replace('-', "_"))));
        assert!(!classes.hold(&name(&"z".repeat(102))));
    }
}
