//! How users say which token they want.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::Authority;
use super::mint::{Recipe, Signer, Validity};
use super::misuse::{expect_sound, misuse};
use crate::access_token::AccessToken;
use crate::client_certificate::ClientCertificate;
use crate::jose::{Algorithm, base64url};
use crate::rejection::Rejection;

/// A token to be made, good unless something is changed about it: signed by the authority's
/// current key, with `typ` `at+jwt` and the claims `iss`, `aud`, `sub` (`alice`), `client_id`
/// (`app`), `iat` (now), `exp` (in 300 seconds) and `jti`.
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Algorithm, testing::Authority};
///
/// let authority = Authority::new();
/// let token = authority
///     .token()
///     .subject("bob")
///     .scope("orders.read")
///     .claim("tenant", "acme")
///     .expires_in(Duration::from_secs(60))
///     .algorithm(Algorithm::EdDSA)
///     .mint();
/// assert_eq!(token.split('.').count(), 3);
/// ```
///
/// Where two calls disagree, the later one counts. Times are taken from the authority's clock when
/// the token is made, and the same builder makes a new token each time, with its own `jti`.
#[derive(Clone)]
#[must_use]
pub struct TokenBuilder {
    authority: Authority,
    recipe: Recipe,
}

impl TokenBuilder {
    pub(super) fn new(authority: Authority) -> Self {
        Self { authority, recipe: Recipe::default() }
    }

    /// The claim `sub`.
    pub fn subject(self, subject: &str) -> Self {
        self.set_claim("sub", subject.into())
    }

    /// The claim `client_id`. Equal to the subject, it makes a token of a client acting for
    /// itself.
    pub fn client_id(self, client_id: &str) -> Self {
        self.set_claim("client_id", client_id.into())
    }

    /// The claim `scope`, elements separated by one space. Without it, the token has none.
    pub fn scope(self, scope: &str) -> Self {
        self.set_claim("scope", scope.into())
    }

    /// The claim `aud`, a string. For an array, set it with [`claim`](Self::claim).
    pub fn audience(self, audience: &str) -> Self {
        self.set_claim("aud", audience.into())
    }

    /// The claim `iss`; the key stays the authority's.
    pub fn issuer(self, issuer: &str) -> Self {
        self.set_claim("iss", issuer.into())
    }

    /// Any claim, with any value that JSON can express.
    ///
    /// # Panics
    /// When the value cannot be written as JSON, for example a map whose keys are no strings.
    #[track_caller]
    pub fn claim(self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => self.set_claim(name, value),
            Err(error) => misuse(format_args!("the claim {name:?} cannot be written: {error}")),
        }
    }

    /// The claim `cnf` of a token that is good together with this certificate alone (RFC 8705 §3.1).
    ///
    /// ```
    /// use portcullis::ClientCertificate;
    /// use portcullis::testing::Authority;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let authority = Authority::new();
    /// let api = authority.resource_server().build()?;
    /// let certificate = ClientCertificate::from_der("any bytes will do");
    /// let token = authority.token().bound_to(&certificate).mint();
    /// assert!(api.verify_with_certificate(&token, &certificate).await.is_ok());
    /// assert!(api.verify(&token).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn bound_to(self, certificate: &ClientCertificate) -> Self {
        let thumbprint = base64url::encode(certificate.sha256());
        self.set_claim("cnf", json!({ "x5t#S256": thumbprint }))
    }

    /// Leaves a claim out.
    pub fn without(mut self, claim: &str) -> Self {
        self.recipe.claims.insert(claim.to_owned(), None);
        self
    }

    /// Any header member, `alg` and `kid` too; how the token is signed does not follow them.
    ///
    /// # Panics
    /// When the value cannot be written as JSON.
    #[track_caller]
    pub fn header(mut self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.recipe.header.insert(name.to_owned(), Some(value));
                self
            }
            Err(error) => misuse(format_args!("the header {name:?} cannot be written: {error}")),
        }
    }

    /// Leaves a header member out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.recipe.header.insert(name.to_owned(), None);
        self
    }

    /// Another `kid` than that of the key.
    pub fn kid(mut self, kid: &str) -> Self {
        self.recipe.header.insert("kid".to_owned(), Some(kid.into()));
        self
    }

    /// No `kid`.
    pub fn without_kid(self) -> Self {
        self.without_header("kid")
    }

    /// How to sign. Default: the first of
    /// [`AuthorityBuilder::algorithms`](super::AuthorityBuilder::algorithms).
    ///
    /// Any algorithm will do. One that the authority was not set up for has its key in no
    /// published set, and HS256, HS384 and HS512 are verified by
    /// [`issuer_with_secrets`](super::Authority::issuer_with_secrets) alone.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.recipe.algorithm = Some(algorithm);
        self
    }

    /// How long after `iat` the token expires. Default: 300 seconds.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.recipe.lifetime = Some(lifetime);
        self
    }

    /// Expired one hour ago.
    pub fn expired(mut self) -> Self {
        self.recipe.validity = Validity::Past;
        self
    }

    /// Valid from one hour later on (`nbf`).
    pub fn not_yet_valid(mut self) -> Self {
        self.recipe.validity = Validity::Future;
        self
    }

    /// Signed by a key that the authority does not have, under the `kid` of one that it has.
    pub fn signed_by_stranger(mut self) -> Self {
        self.recipe.signer = Signer::Stranger;
        self
    }

    /// Not signed: `alg` is `none` and the signature empty.
    pub fn unsigned(mut self) -> Self {
        self.recipe.signer = Signer::Nobody;
        self
    }

    /// These bytes in place of the header, whatever they are: two members of one name, no JSON …
    /// Signed as [`algorithm`](Self::algorithm) says.
    pub fn header_text(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.recipe.header_text = Some(text.into());
        self
    }

    /// These bytes in place of the claims, whatever they are.
    pub fn claims_text(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.recipe.claims_text = Some(text.into());
        self
    }

    /// Makes the token.
    ///
    /// # Panics
    /// When the cryptographic library fails, which means that this machine has no randomness.
    #[track_caller]
    pub fn mint(&self) -> String {
        expect_sound(self.recipe.mint(self.authority.state()))
    }

    /// Makes an opaque token with these claims: the authority's introspection endpoint alone knows
    /// them. How a JWT would be signed does not matter for it.
    ///
    /// # Panics
    /// As [`mint`](Self::mint).
    #[track_caller]
    pub fn opaque(&self) -> String {
        expect_sound(self.recipe.opaque(self.authority.state()))
    }

    /// Makes the token and has it verified, for tests of code that takes an [`AccessToken`].
    ///
    /// The verdict is that of [`Authority::resource_server`], so a bad token is refused here too.
    /// Keys are fetched for it, in process, which needs a tokio runtime.
    ///
    /// # Errors
    /// The reason why the token is not accepted.
    ///
    /// # Panics
    /// As [`mint`](Self::mint).
    pub async fn verified(&self) -> Result<AccessToken, Rejection> {
        let server = expect_sound(self.authority.resource_server().build());
        server.verify(&self.mint()).await
    }

    fn set_claim(mut self, name: &str, value: Value) -> Self {
        self.recipe.claims.insert(name.to_owned(), Some(value));
        self
    }
}

impl fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder").field("authority", &self.authority).finish_non_exhaustive()
    }
}
