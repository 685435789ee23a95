//! How an authorization server is asked, as a user writes it.

use std::fmt;

/// How to ask an authorization server about tokens (RFC 7662).
///
/// ```
/// use portcullis::{Introspection, Issuer};
///
/// // Every token is asked about.
/// let opaque = Issuer::introspected(
///     "https://login.example.com",
///     Introspection::at("https://login.example.com/introspect").basic("orders-api", "secret"),
/// );
/// // JWTs are verified with the issuer's keys; only what is no JWT is asked about.
/// let both = Issuer::discover("https://login.example.com").introspect(
///     Introspection::at("https://login.example.com/introspect").basic("orders-api", "secret"),
/// );
/// # let _ = (opaque, both);
/// ```
///
/// Nothing is checked here; [`ResourceServerBuilder::build`](crate::ResourceServerBuilder::build)
/// reports every fault at once. `Debug` shows no secret.
#[derive(Clone)]
#[must_use]
pub struct Introspection {
    pub(super) address: String,
    pub(super) auth: Option<Auth>,
    pub(super) service_scope: Option<String>,
    pub(super) signed_answers: bool,
    pub(super) audience_implied: bool,
    pub(super) every_token: bool,
}

/// How we prove who we are, before it is checked.
#[derive(Clone)]
pub(super) enum Auth {
    Basic { client_id: String, secret: String },
    Post { client_id: String, secret: String },
    PrivateKeyJwt { client_id: String, pem: String },
    Bearer { client_id: String, secret: String, token_uri: String },
}

impl Introspection {
    /// Asks at this address, an https URL. One of the four ways to prove who is asking has to be
    /// chosen as well.
    pub fn at(introspection_uri: impl Into<String>) -> Self {
        Self {
            address: introspection_uri.into(),
            auth: None,
            service_scope: None,
            signed_answers: false,
            audience_implied: false,
            every_token: false,
        }
    }

    /// By `client_secret_basic` (RFC 6749 §2.3.1): id and secret in `Authorization: Basic`.
    pub fn basic(self, client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.by(Auth::Basic { client_id: client_id.into(), secret: secret.into() })
    }

    /// By `client_secret_post` (RFC 6749 §2.3.1): id and secret in the form.
    pub fn post(self, client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.by(Auth::Post { client_id: client_id.into(), secret: secret.into() })
    }

    /// By `private_key_jwt` (RFC 7523 §2.2): a short-lived assertion whose audience is the issuer,
    /// signed with this key, a PKCS#8 private key in PEM. RSA keys sign by RS256, those on P-256,
    /// P-384 and P-521 by ES256, ES384 and ES512, Ed25519 keys by EdDSA.
    pub fn private_key_jwt(self, client_id: impl Into<String>, pem: impl Into<String>) -> Self {
        self.by(Auth::PrivateKeyJwt { client_id: client_id.into(), pem: pem.into() })
    }

    /// By an access token of our own, got at `token_uri` by client credentials (RFC 6749 §4.4) with
    /// the scope `authorization.introspect`, as IBM MobileFirst wants it. It is renewed ahead of its
    /// end, and once when it is refused.
    pub fn bearer(
        self,
        client_id: impl Into<String>,
        secret: impl Into<String>,
        token_uri: impl Into<String>,
    ) -> Self {
        let (client_id, secret) = (client_id.into(), secret.into());
        self.by(Auth::Bearer { client_id, secret, token_uri: token_uri.into() })
    }

    /// Another scope for [`bearer`](Self::bearer) to ask for; the empty one asks for none.
    pub fn service_scope(mut self, scope: impl Into<String>) -> Self {
        self.service_scope = Some(scope.into());
        self
    }

    /// Answers are signed (RFC 9701), by the issuer's keys: they have to be `token-introspection+jwt`
    /// from this issuer, for our client id or an accepted audience. A plain answer counts as an
    /// outage then. Encrypted ones are not read.
    pub fn signed_answers(mut self) -> Self {
        self.signed_answers = true;
        self
    }

    /// An answer without `aud` is about a token for us: for servers that say `active` only to whom
    /// the token is for. Otherwise such tokens are refused, unless the audience does not count.
    pub fn audience_implied(mut self) -> Self {
        self.audience_implied = true;
        self
    }

    /// Asks about every token, JWTs too, so that one that was revoked is noticed within a minute.
    /// The keys of the issuer then serve for [signed answers](Self::signed_answers) alone.
    pub fn every_token(mut self) -> Self {
        self.every_token = true;
        self
    }

    fn by(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    pub(crate) fn is_for_every_token(&self) -> bool {
        self.every_token
    }

    pub(crate) fn has_signed_answers(&self) -> bool {
        self.signed_answers
    }

    pub(crate) fn implies_audience(&self) -> bool {
        self.audience_implied
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection").finish_non_exhaustive()
    }
}
