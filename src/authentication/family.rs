//! Issuers of one form, of which those are kept whose tokens come.
//!
//! 1. An issuer that the pattern does not match is none: nothing is asked of it, nothing kept.
//! 2. An issuer gets a place when a first token of it comes, and its keys are fetched then.
//! 3. There are so many places as is configured. Whoever can write `iss` into a token can claim one,
//!    so issuers that have not yet shown a token with a good signature have a quarter of them at
//!    most, and each of them for [`PROBATION`], however often it is named meanwhile: that bounds how
//!    many are asked for keys on account of forged tokens, and how long those keep others out.
//! 4. Who has been [`IDLE`] makes room, the longest idle first, and those whose probation is over
//!    before all others. Where nobody can, tokens of one more issuer are told to come again: 503.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::compile::Shared;
use super::issuer::Issuer;
use super::issuer_pattern::IssuerPattern;
use super::trusted::TrustedIssuer;
use crate::clock::NumericDate;
use crate::config_error::Faults;
use crate::jose::Algorithm;
use crate::keys::{KeyFetches, KeyStatus};

/// As long as one attempt to fetch keys takes at most.
const PROBATION: u64 = 5;
/// Seconds.
const IDLE: u64 = 60;

/// The issuers that one pattern stands for.
pub(crate) struct IssuerFamily {
    text: Arc<str>,
    pattern: IssuerPattern,
    /// What each of them is configured like.
    template: Issuer,
    shared: Shared,
    places: usize,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    issuers: HashMap<Arc<str>, Arc<TrustedIssuer>>,
    /// Of those that have made room.
    past: KeyFetches,
    /// When the log was told last that there is no place. Unix seconds.
    told: Option<u64>,
}

/// What is known about the use of an issuer that has a place. In Unix seconds.
#[derive(Debug)]
pub(super) struct Place {
    since: u64,
    last_used: AtomicU64,
    /// Whether it has signed a token.
    is_proven: AtomicBool,
}

impl Place {
    fn new(now: NumericDate) -> Self {
        let now = now.whole_seconds();
        Self { since: now, last_used: AtomicU64::new(now), is_proven: AtomicBool::new(false) }
    }

    /// Written at most once a second, so that processors which see the same issuer seldom wait for
    /// one another.
    pub(super) fn used(&self, now: NumericDate) {
        let now = now.whole_seconds();
        if self.last_used.load(Ordering::Relaxed) != now {
            self.last_used.store(now, Ordering::Relaxed);
        }
    }

    pub(super) fn prove(&self) {
        if !self.is_proven.load(Ordering::Relaxed) {
            self.is_proven.store(true, Ordering::Relaxed);
        }
    }

    fn is_proven(&self) -> bool {
        self.is_proven.load(Ordering::Relaxed)
    }

    /// When its time began, at whose end it may have to make room. Forged tokens are no use of an
    /// issuer, so what has not shown a good one cannot make its time longer by showing others.
    fn since(&self) -> u64 {
        if self.is_proven() { self.last_used.load(Ordering::Relaxed) } else { self.since }
    }
}

/// There is no place for one more issuer right now.
pub(super) struct Crowded;

impl IssuerFamily {
    pub(super) fn new(
        pattern: IssuerPattern,
        template: Issuer,
        shared: Shared,
        places: usize,
    ) -> Self {
        let text = template.name().into();
        Self { text, pattern, template, shared, places, live: Mutex::default() }
    }

    /// The pattern, as it is configured.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    #[cfg(feature = "sidecar")]
    pub(crate) fn places(&self) -> usize {
        self.places
    }

    pub(super) fn allows(&self, algorithm: Algorithm) -> bool {
        self.template.algorithms.contains(&algorithm)
    }

    /// How their tokens are judged: an issuer that is none of them and has their rules.
    #[cfg(feature = "sidecar")]
    pub(crate) fn example(&self) -> Option<TrustedIssuer> {
        self.issuer(&self.text.replace('*', "any"), NumericDate::ZERO)
    }

    /// Whether the issuer of this name is one of them, whatever its place.
    #[cfg(feature = "introspection")]
    pub(super) fn has(&self, name: &str) -> bool {
        self.pattern.matches(name)
    }

    /// The issuer of this name, `None` where there can be none of it.
    pub(super) fn find(
        &self,
        name: &str,
        now: NumericDate,
    ) -> Option<Result<Arc<TrustedIssuer>, Crowded>> {
        if !self.pattern.matches(name) {
            return None;
        }
        let mut live = self.live();
        if let Some(issuer) = live.issuers.get(name) {
            issuer.used(now);
            return Some(Ok(Arc::clone(issuer)));
        }
        let issuer = Arc::new(self.issuer(name, now)?);
        if !live.make_room(self.places, now.whole_seconds()) {
            if live.is_time_to_tell(now.whole_seconds()) {
                tracing::warn!(issuers = %self.text, places = self.places, "no place for one more issuer: all are in use");
            }
            return Some(Err(Crowded));
        }
        live.issuers.insert(Arc::clone(&issuer.name), Arc::clone(&issuer));
        Some(Ok(issuer))
    }

    /// `None` for a name that is none of an issuer after all: `https://xn--.id.example`.
    fn issuer(&self, name: &str, now: NumericDate) -> Option<TrustedIssuer> {
        let mut faults = Faults::default();
        let issuer = self.template.named(name).compile(&self.shared, &mut faults);
        let mut issuer = faults.or(issuer).ok()??;
        issuer.place = Some(Place::new(now));
        issuer.keys.count_as(&self.text);
        Some(issuer)
    }

    /// All of them together, as keys are shown to operators: there may be many, and they come and go.
    pub(crate) fn status(&self) -> KeyStatus {
        let live = self.live();
        let each: Vec<_> = live.issuers.values().map(|issuer| issuer.keys.status()).collect();
        let source = format!("each of them, {} live of at most {}", each.len(), self.places);
        KeyStatus::of_many(&self.text, source, &each, live.past)
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Whether there is a place for one more issuer, which is on probation.
    fn make_room(&mut self, places: usize, now: u64) -> bool {
        let taken: Vec<_> = self.taken().collect();
        let on_probation = taken.iter().filter(|(place, _)| !place.is_proven()).count();
        let has_quota = on_probation < (places / 4).max(1);
        if has_quota && taken.len() < places {
            return true;
        }
        let candidates = taken.into_iter().filter_map(|(place, name)| {
            let (is_proven, since) = (place.is_proven(), place.since());
            let time = now.saturating_sub(since);
            let may_go = if is_proven { has_quota && time >= IDLE } else { time >= PROBATION };
            may_go.then_some((is_proven, since, name))
        });
        let Some(name) = candidates.min().map(|(_, _, name)| Arc::clone(name)) else {
            return false;
        };
        if let Some(issuer) = self.issuers.remove(&name) {
            issuer.keys.retire();
            let past = mem::take(&mut self.past);
            self.past = past.and(issuer.keys.status().fetches);
        }
        true
    }

    /// Once a minute: tokens that anybody can write must not fill the log.
    fn is_time_to_tell(&mut self, now: u64) -> bool {
        let is_time = self.told.is_none_or(|told| now.saturating_sub(told) >= IDLE);
        if is_time {
            self.told = Some(now);
        }
        is_time
    }

    fn taken(&self) -> impl Iterator<Item = (&Place, &Arc<str>)> {
        self.issuers.values().filter_map(|issuer| Some((issuer.place.as_ref()?, &issuer.name)))
    }
}

impl TrustedIssuer {
    /// Nothing to note for issuers that are listed.
    pub(super) fn used(&self, now: NumericDate) {
        if let Some(place) = &self.place {
            place.used(now);
        }
    }

    pub(super) fn prove(&self) {
        if let Some(place) = &self.place {
            place.prove();
        }
    }
}

/// When it is worth coming again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(PROBATION);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_once_a_minute() {
        let mut live = Live::default();
        let told: Vec<u64> = (100..300).filter(|now| live.is_time_to_tell(*now)).collect();
        assert_eq!(told, [100, 160, 220, 280]);
    }
}
