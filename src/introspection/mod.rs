//! Asking the authorization server about a token (RFC 7662), for tokens that say nothing by
//! themselves. Mechanism: what the server says, not what follows from it.
//!
//! 1. A token is asked about once at a time ([`flights`]): those who come with the same one meanwhile
//!    wait for the same answer, in tasks that no client can abort.
//! 2. An answer is remembered for a bounded time and in bounded memory, under a keyed hash of the
//!    token ([`lookups`]).
//! 3. We prove who we are in one of four ways ([`client_auth`]); one of them is a token of our own,
//!    which is renewed when it is refused ([`service_token`]).
//! 4. `active` is `true` or `false`. Everything else is an outage and says nothing about the token
//!    ([`answer`]), signed answers (RFC 9701) that are not what was agreed on included ([`signed`]).

mod alarm;
mod answer;
mod assertion;
mod client_auth;
mod compile;
mod fault;
mod flights;
mod introspector;
mod lookups;
mod private_key;
mod service_token;
mod settings;
mod signed;

pub(crate) use answer::Answer;
pub(crate) use compile::Shared;
pub(crate) use flights::Seat;
pub(crate) use introspector::Introspector;
pub(crate) use lookups::{Finding, LookUp, Lookups};
pub use settings::Introspection;
