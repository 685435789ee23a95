//! Authorization: may this verified token do what the request asks for?
//!
//! 1. A [`Requirement`] is a tree: scopes, scope patterns, logins, the kind of caller and policies
//!    of your own, joined by "all of" and "any of". It is built once, and each request is judged against
//!    it without allocating.
//! 2. Only literals of the program's text reach [`scope`] and [`scope_pattern`]. Text that is
//!    known at run time goes through [`Scope::new`](crate::scope::Scope::new) or
//!    [`ScopePattern::new`](crate::scope::ScopePattern::new), which tell what is wrong with it.
//! 3. Plain scopes are literal. A `*` has a meaning in [`scope_pattern`] alone, and in lists that
//!    the operator configures.
//! 4. A refusal is one of four. *Insufficient scope*: the token would pass if it granted more, so
//!    the client may ask for more (RFC 6750 §3.1). *Insufficient login*: the person has to log in
//!    again, now or in another way, and the client may ask for that and for scope at once (RFC
//!    9470 §3). *Forbidden*: neither would help, because the caller's kind, a policy or the
//!    issuer's ceiling refuses; a client that acts for itself has nobody who could log in.
//!    Before all of them, *wrong tenant*: the token is for somebody else's data, and another one
//!    would help.
//! 5. What a challenge advertises is the whole required set, in the order in which it is written,
//!    without duplicates, and always the same for one requirement: neither what the token lacks
//!    nor what it holds. Of alternatives it names the first that is wholly concrete, else the
//!    first that is so in part. A pattern is never advertised, for no client can ask for it;
//!    [`Requirement::challenge_scope`] stands in for it.

mod advertised;
mod decision;
#[cfg(feature = "sidecar")]
mod description;
mod fact;
mod host;
mod path;
mod requirement;
mod step_up;
mod tenant;

pub use advertised::InvalidRequirement;
pub(crate) use decision::authorize;
#[cfg(feature = "sidecar")]
pub(crate) use decision::authorize_scope;
pub use fact::{actor, actor_of, client_ids, clients, first_party, no_actor, third_party, users};
#[cfg(feature = "sidecar")]
pub(crate) use host::HostPattern;
pub use requirement::{Requirement, all_of, any_of, policy, scope, scope_pattern};
pub(crate) use step_up::StepUp;
pub use step_up::{InvalidAcr, acr, max_age};
pub use tenant::{TenantClaim, tenant};

#[cfg(test)]
use decision::Denial;

#[cfg(test)]
mod tests;
