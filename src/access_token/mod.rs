//! A token that has been verified. Holding one is the proof: it has a single origin.

mod binding;
mod caller;
mod one_claim;

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
#[cfg(feature = "sidecar")]
use std::sync::Weak;
use std::time::{Duration, SystemTime};

use serde::de::{DeserializeOwned, DeserializeSeed};

pub(crate) use binding::Binding;
pub(crate) use caller::CallerFacts;
pub use caller::{Actor, Caller};
use one_claim::OneClaim;

use crate::clock::NumericDate;
use crate::scope::GrantedScopes;

/// A verified access token: genuine, unexpired and meant for this resource server when it was
/// checked.
///
/// It cannot be made by hand; the layer puts one into the request extensions. Cloning copies a
/// pointer. The token's own text is not kept, its claims are, and are read anew each time they are
/// asked for. `Debug` shows no claim values.
#[derive(Clone)]
pub struct AccessToken(Arc<Handle>);

/// Clones of a token share a handle and with it a count of owners, which each clone writes to. There
/// are several handles to what was found out, so that processors that see the same token need not
/// wait for one another to write to one count.
struct Handle {
    verified: Arc<Verified>,
    /// So that the counts of two handles, which stand before this, never share a cache line.
    _room: [u64; 5],
}

/// What a token is known by again, without keeping what it says.
#[cfg(feature = "sidecar")]
pub(crate) struct Mark(Weak<Handle>);

#[cfg(feature = "sidecar")]
impl AccessToken {
    pub(crate) fn mark(&self) -> Mark {
        Mark(Arc::downgrade(&self.0))
    }

    /// Whether it is the very one. The mark sees to it that no other one comes to the same place.
    pub(crate) fn is_marked(&self, mark: &Mark) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.0), mark.0.as_ptr())
    }
}

impl Deref for Handle {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.verified
    }
}

impl From<Arc<Verified>> for Handle {
    fn from(verified: Arc<Verified>) -> Self {
        Self { verified, _room: [0; 5] }
    }
}

/// What verification found out. Built by [`crate::authentication`] alone.
pub(crate) struct Verified {
    pub(crate) server: ServerMark,
    pub(crate) issuer: Arc<str>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) client_id: Option<Box<str>>,
    pub(crate) caller: CallerFacts,
    pub(crate) expires_at: NumericDate,
    /// Leeway counted.
    pub(crate) good_until: NumericDate,
    pub(crate) granted: GrantedScopes,
    /// Where it is good together with one certificate alone.
    pub(crate) binding: Option<Box<Binding>>,
    /// One strict JSON object, as it was signed.
    pub(crate) claims: Box<str>,
}

/// Says which resource server has verified a token, so that none trusts another's verdict.
///
/// Opaque here: what it points to is the business of the floors above, which find their own
/// things in it again.
#[derive(Clone)]
pub(crate) struct ServerMark(Arc<dyn Any + Send + Sync>);

impl ServerMark {
    pub(crate) fn new<T: Any + Send + Sync>(mark: Arc<T>) -> Self {
        Self(mark)
    }

    pub(crate) fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl PartialEq for ServerMark {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

/// The subject of a token: `sub` together with the issuer that vouches for it.
///
/// Subjects are unique per issuer only (RFC 7519 §4.1.2), so equality and hashing use the pair.
/// `Display` writes `sub` alone, or `-` where the token has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject<'a> {
    issuer: &'a str,
    id: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// The issuer, exactly as configured.
    pub fn issuer(&self) -> &'a str {
        self.issuer
    }

    /// The `sub` claim. Always present under [`Profile::Rfc9068`](crate::Profile::Rfc9068).
    pub fn id(&self) -> Option<&'a str> {
        self.id
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id.unwrap_or("-"))
    }
}

impl AccessToken {
    /// The one place where a token becomes verified.
    pub(crate) fn assertion(verified: Verified) -> Self {
        Self(Arc::new(Arc::new(verified).into()))
    }

    /// The same token by a handle of its own.
    pub(crate) fn apart(&self) -> Self {
        Self(Arc::new(Arc::clone(&self.0.verified).into()))
    }

    /// What it takes in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        size_of::<Verified>()
            + size_of::<Handle>()
            + self.0.claims.len()
            + self.0.granted.bytes()
            + text(&self.0.subject)
            + text(&self.0.client_id)
            + self.0.caller.actor.as_ref().map_or(0, |actor| actor.bytes())
            + self.0.binding.as_ref().map_or(0, |_| size_of::<Binding>())
    }

    pub(crate) fn server(&self) -> &ServerMark {
        &self.0.server
    }

    pub(crate) fn good_until(&self) -> NumericDate {
        self.0.good_until
    }

    /// Looked at before anything else is done with the token.
    pub(crate) fn binding(&self) -> Option<&Binding> {
        self.0.binding.as_deref()
    }

    /// How far clocks may differ, as its issuer's rules have it.
    pub(crate) fn leeway(&self) -> Duration {
        self.0.good_until.ahead_of(self.0.expires_at).unwrap_or_default()
    }

    pub(crate) fn granted(&self) -> &GrantedScopes {
        &self.0.granted
    }

    /// Who the token is about: `iss` and `sub`.
    pub fn subject(&self) -> Subject<'_> {
        Subject { issuer: &self.0.issuer, id: self.0.subject.as_deref() }
    }

    /// The configured issuer that the token came from (`iss`).
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The client the token was issued to: `client_id` (RFC 9068 §2.2), else `azp`, unless the
    /// issuer [names clients by other claims](crate::Issuer::client_claims).
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// Whether a person or a client is calling, as far as the token tells in the way that its
    /// issuer was [declared](crate::Issuer::callers) to tell it.
    pub fn caller(&self) -> Caller {
        self.0.caller.caller
    }

    /// What told it, as in `sub==client_id` or `gty=client-credentials`; `None` for
    /// [`Caller::Unknown`]. Names of claims and configured values, nothing else of the token.
    pub fn caller_told_by(&self) -> Option<&str> {
        self.0.caller.told_by.as_deref()
    }

    /// Whether the client is one of ours and not somebody else's, `None` where the issuer was not
    /// declared to tell ([`Issuer::first_party_clients`](crate::Issuer::first_party_clients),
    /// [`Issuer::first_party_claim`](crate::Issuer::first_party_claim)) or the token does not say.
    pub fn is_first_party(&self) -> Option<bool> {
        self.0.caller.is_first_party
    }

    /// Who acts on behalf of the subject, where somebody does (`act`, RFC 8693 §4.1).
    pub fn actor(&self) -> Option<&Actor> {
        self.0.caller.actor.as_deref()
    }

    /// When the token expires, leeway not counted. `None` for dates beyond the platform's time, and
    /// where the authorization server was asked about the token and did not say.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at.to_system_time()
    }

    /// The granted scope elements as the token spells them, in its order. To judge by scope, ask
    /// [`allows`](Self::allows): it knows the issuer's ceiling, wildcards and hierarchy.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.granted.iter()
    }

    /// All claims as the type `T`.
    ///
    /// # Errors
    /// When the claims do not have the shape of `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        serde_json::from_str(&self.0.claims).map_err(ClaimsError)
    }

    /// One claim as the type `T`, `None` where the token has no such claim.
    ///
    /// # Errors
    /// When the claim does not have the shape of `T`.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ClaimsError> {
        let mut claims = serde_json::Deserializer::from_str(&self.0.claims);
        OneClaim::new(name).deserialize(&mut claims).map_err(ClaimsError)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("issuer", &self.0.issuer).finish_non_exhaustive()
    }
}

/// Claims that do not have the shape that was asked for.
///
/// Neither `Display` nor `Debug` shows a claim's value.
pub struct ClaimsError(serde_json::Error);

impl ClaimsError {
    fn explain(&self) -> &'static str {
        // serde_json's own message may quote the offending value.
        use serde_json::error::Category;
        match self.0.classify() {
            Category::Data => "the token's claims do not have the expected shape",
            _ => "the token's claims cannot be read",
        }
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explain())
    }
}

impl fmt::Debug for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClaimsError").field(&self.explain()).finish()
    }
}

impl std::error::Error for ClaimsError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(subject: &str, client_id: &str, scope: &str, claims: &str) -> AccessToken {
        AccessToken::assertion(Verified {
            server: ServerMark::new(Arc::new(())),
            issuer: "https://as.example".into(),
            subject: Some(subject.into()),
            client_id: Some(client_id.into()),
            caller: Caller::User.into(),
            expires_at: NumericDate::new(0.0).unwrap(),
            good_until: NumericDate::new(0.0).unwrap(),
            granted: GrantedScopes::from_text(scope, &Arc::default()).unwrap(),
            binding: None,
            claims: claims.into(),
        })
    }

    #[test]
    fn every_text_that_a_token_keeps_counts() {
        let small = token("", "", "", "").bytes();
        let long = "x".repeat(1_000);
        for token in [
            token(&long, "", "", ""),
            token("", &long, "", ""),
            token("", "", &long, ""),
            token("", "", "", &long),
        ] {
            assert_eq!(token.bytes(), small + 1_000);
        }
    }

    #[test]
    fn a_handle_of_its_own_counts_its_own_clones() {
        let token = token("u1", "c1", "read", "{}");
        let apart = token.apart();
        let clones = [token.clone(), token.clone()];
        assert_eq!((Arc::strong_count(&token.0), Arc::strong_count(&apart.0)), (3, 1));
        assert!(std::ptr::eq(&**token.0, &**apart.0));
        drop(clones);
    }
}
