//! Registered clients.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::config_error::Faults;
use crate::scope::{Ceiling, Scope};

/// What a client is granted that asks for no scope; every client may have it.
pub(super) const DEFAULT_SCOPE: &str = "RegisteredClient";

/// A confidential client: an id, a secret, and the scope that it may be granted.
///
/// ```
/// use portcullis::testing::{Authority, Client};
///
/// let authority = Authority::new();
/// authority.register(Client::new("app", "secret").allowed_scope("send* messages.write"))?;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
///
/// Nothing is checked here; [`Authority::register`](super::Authority::register) reports every
/// fault at once.
#[derive(Clone)]
#[must_use]
pub struct Client {
    id: String,
    secret: String,
    allowed_scope: String,
}

impl Client {
    /// A client that may be granted nothing but the default scope, `RegisteredClient`. Id and
    /// secret are printable US-ASCII (RFC 6749 App. A.1, A.2).
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into(), allowed_scope: String::new() }
    }

    /// What the client may be granted: scope elements separated by white space, in which `*`
    /// stands for any run of characters. `*` alone allows any scope.
    pub fn allowed_scope(mut self, patterns: impl Into<String>) -> Self {
        self.allowed_scope = patterns.into();
        self
    }

    /// Checks everything and adds what is wrong to `faults`. `None` only with faults.
    pub(super) fn compile(self, faults: &mut Faults) -> Option<RegisteredClient> {
        // An id that is not ASCII is escaped here, so that one line of output stays one line.
        let label = format!("client {:?}", self.id);
        if !is_printable_ascii(&self.id) {
            faults.add(label.clone(), "the id must be one or more printable ASCII characters");
        }
        if !is_printable_ascii(&self.secret) {
            faults.add(label.clone(), "the secret must be one or more printable ASCII characters");
        }
        let allowed = Ceiling::from_config(&self.allowed_scope).map_err(|errors| {
            for error in errors {
                faults.add(label.clone(), format!("allowed scope: {error}"));
            }
        });
        Some(RegisteredClient { id: self.id, secret: self.secret, allowed: allowed.ok()? })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("allowed_scope", &self.allowed_scope)
            .finish_non_exhaustive()
    }
}

fn is_printable_ascii(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A client whose registration was good.
pub(super) struct RegisteredClient {
    id: String,
    secret: String,
    allowed: Ceiling,
}

/// More was asked for than the client may have, or what was asked for is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScopeRefused;

impl RegisteredClient {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Takes the same time for every wrong secret of the right length.
    pub(super) fn has_secret(&self, secret: &str) -> bool {
        self.secret.as_bytes().ct_eq(secret.as_bytes()).into()
    }

    /// What a token for this client grants when `asked` is asked for: all of it or nothing.
    /// Without a wish it is the default scope, which can also be asked for by name.
    pub(super) fn grant(&self, asked: &str) -> Result<String, ScopeRefused> {
        let mut granted: Vec<&str> = Vec::new();
        for element in asked.split(' ').filter(|element| !element.is_empty()) {
            let scope = Scope::new(element).map_err(|_| ScopeRefused)?;
            let allowed = element == DEFAULT_SCOPE || self.allowed.covers(scope.as_str());
            if !allowed {
                return Err(ScopeRefused);
            }
            if !granted.contains(&element) {
                granted.push(element);
            }
        }
        Ok(if granted.is_empty() { DEFAULT_SCOPE.to_owned() } else { granted.join(" ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered(client: Client) -> Result<RegisteredClient, String> {
        let mut faults = Faults::default();
        let registered = client.compile(&mut faults);
        faults.or(registered).map(Option::unwrap).map_err(|error| error.to_string())
    }

    #[test]
    fn the_asked_scope_is_granted_as_a_whole_or_not_at_all() {
        let refused = Err(ScopeRefused);
        for (allowed, asked, expected) in [
            ("", "", Ok("RegisteredClient")),
            ("*", "", Ok("RegisteredClient")),
            ("", "RegisteredClient", Ok("RegisteredClient")),
            ("scopeA", "RegisteredClient scopeA", Ok("RegisteredClient scopeA")),
            ("", "read", refused),
            ("send* read", "sendMessage read", Ok("sendMessage read")),
            ("send*", "sendMessage read", refused),
            (
                "messages.write push.application.*",
                "push.application.x messages.write",
                Ok("push.application.x messages.write"),
            ),
            ("a*  b\twrite", "b write", Ok("b write")),
            ("*", "anything at:all / *", Ok("anything at:all / *")),
            ("*", "twice once twice", Ok("twice once")),
            ("*", " read  write ", Ok("read write")),
            ("read", "READ", refused),
            ("read", "*", refused),
            ("*", "réad", refused),
            ("*", "re\tad", refused),
            ("*", "re\"ad", refused),
            ("*", "re\u{a0}ad", refused),
        ] {
            let client = registered(Client::new("c", "s").allowed_scope(allowed)).unwrap();
            let granted = client.grant(asked);
            assert_eq!(granted.as_deref(), expected.as_deref(), "{allowed:?} {asked:?}");
        }
    }

    #[test]
    fn id_and_secret_are_ascii() {
        for (id, secret) in [("clïent", "s"), ("c", "sécret"), ("", "s"), ("c", ""), ("c\n", "s")]
        {
            assert!(registered(Client::new(id, secret)).is_err(), "{id:?} {secret:?}");
        }
        assert!(registered(Client::new("a client: 1", "s p%+&=~")).is_ok());
    }

    #[test]
    fn faults_come_together_and_without_the_secret() {
        let client = Client::new("c\u{e9}\n", "h\u{fc}sh").allowed_scope("r\u{e9}ad \"*");
        let faults = registered(client.clone()).err().unwrap();
        assert_eq!(faults.lines().count(), 4, "{faults}");
        assert!(!faults.contains("sh\n") && !faults.contains('\u{fc}'), "{faults}");
        assert!(!format!("{client:?}").contains('\u{fc}'));
    }

    #[test]
    fn the_secret_must_be_the_same() {
        let client = registered(Client::new("c", "secret")).unwrap();
        assert!(client.has_secret("secret"));
        for wrong in ["", "Secret", "secre", "secret ", "secretsecret"] {
            assert!(!client.has_secret(wrong), "{wrong}");
        }
    }
}
