//! What a verified token leads back to: the resource server that verified it.

use std::sync::Arc;
use std::time::Duration;

use crate::access_token::AccessToken;
use crate::authorization::{Requirement, authorize};
use crate::challenge::Challenges;
use crate::clock::{Clock, NumericDate};
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;

/// The longest time without a look at the clock, which may have been set meanwhile, or have gone on
/// while the machine slept.
const NAP: Duration = Duration::from_secs(10);

/// What of a resource server its tokens have need of later.
pub(crate) struct Origin {
    challenges: Arc<Challenges>,
    /// What every request needs.
    required: Arc<Requirement>,
    clock: Arc<dyn Clock>,
}

impl Origin {
    pub(crate) fn new(
        challenges: &Arc<Challenges>,
        required: &Arc<Requirement>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let (challenges, required) = (Arc::clone(challenges), Arc::clone(required));
        Self { challenges, required, clock: Arc::clone(clock) }
    }
}

impl AccessToken {
    /// Whether the token meets `requirement`, as a layer would judge it: with the wildcards,
    /// hierarchy and ceiling of its issuer. [`scopes`](Self::scopes) lists words alone. A
    /// [tenant](crate::tenant) of path or host is not met, as there is no request here.
    ///
    /// ```
    /// use portcullis::{AccessToken, Scope, scope};
    ///
    /// fn may_delete(token: &AccessToken, tenant: &str) -> bool {
    ///     let own = Scope::new(&format!("tenant.{tenant}.delete"));
    ///     own.is_ok_and(|own| token.allows(&own.into())) || token.allows(&scope("admin"))
    /// }
    /// ```
    pub fn allows(&self, requirement: &Requirement) -> bool {
        self.check(requirement).is_ok()
    }

    /// As [`allows`](Self::allows), with the refusal to answer with, whose challenge says what the
    /// client can do about it: it names what `requirement` asks for, and what
    /// [every request](crate::ResourceServerBuilder::required) needs.
    ///
    /// ```
    /// use portcullis::{AccessToken, Rejection, acr};
    ///
    /// fn transfer(token: &AccessToken, amount: u64) -> Result<(), Rejection> {
    ///     if amount > 1_000 {
    ///         token.check(&acr("phr"))?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// The reason why the token does not meet it.
    pub fn check(&self, requirement: &Requirement) -> Result<(), Rejection> {
        let Some(origin) = self.server().get::<Origin>() else {
            return Err(Rejection::new(RejectionKind::Internal));
        };
        authorize(requirement, self, &*origin.clock).map_err(|denial| {
            let all = Requirement::clone(&origin.required).and(requirement.clone());
            origin.challenges.reject_for(denial.into(), &all)
        })
    }

    /// A rejection to answer with when a handler finds out by itself that this token must not do
    /// what it is used for, most often as [`RejectionKind::Forbidden`]. It has the challenge of
    /// the resource server that verified the token.
    pub fn reject(&self, kind: RejectionKind) -> Rejection {
        match self.server().get::<Origin>() {
            Some(origin) => origin.challenges.reject(kind),
            None => Rejection::new(kind),
        }
    }

    /// Waits until the token would be refused as expired, leeway counted, and gives that refusal.
    ///
    /// A token is judged when a request begins. What goes on for long, a stream or a websocket, can
    /// be ended by this. The time is that of the resource server's [`Clock`], looked at every ten
    /// seconds at least; it needs a tokio runtime with timers.
    ///
    /// ```
    /// use portcullis::{AccessToken, Rejection};
    ///
    /// async fn while_good<T>(token: &AccessToken, work: impl Future<Output = T>) -> Result<T, Rejection> {
    ///     tokio::select! {
    ///         done = work => Ok(done),
    ///         refusal = token.expired() => Err(refusal),
    ///     }
    /// }
    /// ```
    pub fn expired(&self) -> impl Future<Output = Rejection> + Send + use<> {
        let token = self.clone();
        async move {
            while let Some(left) = token.time_left() {
                tokio::time::sleep(left.min(NAP)).await;
            }
            token.reject(RejectionKind::Expired)
        }
    }

    /// `None` where there is none left, or no way to know.
    fn time_left(&self) -> Option<Duration> {
        let now = self.server().get::<Origin>()?.clock.now();
        self.good_until().ahead_of(NumericDate::at(now)?)
    }
}
