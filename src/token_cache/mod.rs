//! What was found out about tokens, so that the next request with one of them need not find it out
//! again.
//!
//! 1. A token is known by its [`fingerprint`] alone; its text is not kept.
//! 2. What is kept here is not judged here: whoever looks something up says whether it still holds.
//! 3. Only what was found good is put in, so tokens that are made up push nothing out. Among good
//!    ones, those that come again stay.
//! 4. Each thread has what it asks for often at hand ([`near`]), as its own copy: two processors
//!    that see the same token write to no memory in common. Everything else is shared.
//! 5. Both are bounded, see [`TokenCache::new`].
//! 6. Each thread counts for itself how often it found something ([`tally`]).

mod fingerprint;
mod near;
mod tally;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use thread_local::ThreadLocal;

pub(crate) use fingerprint::Fingerprint;
#[cfg(feature = "introspection")]
pub(crate) use fingerprint::Fingerprints;
#[cfg(not(feature = "introspection"))]
use fingerprint::Fingerprints;
use fingerprint::Unhashed;
use near::Near;
use tally::Tally;
pub use tally::TokenCacheStatus;

/// What an entry may weigh on average, and the most that one may weigh that threads have at hand.
/// Bytes.
const AVERAGE_BYTES: usize = 2048;

/// Parts of the shared table, each with a lock of its own, have at least so many entries: enough for
/// them to fill evenly.
const SHARD: usize = 1024;
const MOST_SHARDS: usize = 64;

/// What is kept.
pub(crate) trait Kept: Send {
    /// What it takes in memory, roughly.
    fn bytes(&self) -> usize;

    /// A copy that counts the owners of what it hands out apart from `self`.
    fn apart(&self) -> Self;
}

/// What is made of what is kept.
pub(crate) enum Judged<T> {
    Holds(T),
    /// It cannot be told now.
    Open,
    /// It will never hold again, and is dropped.
    Over,
}

/// A bounded memory of tokens.
pub(crate) struct TokenCache<V: Kept> {
    fingerprints: Fingerprints,
    near: ThreadLocal<OwnLine<RefCell<Near<V>>>>,
    shared: Cache<Fingerprint, Arc<V>, Weight, Unhashed>,
    /// Apart from what is near, which no other thread may look into.
    tallies: ThreadLocal<OwnLine<Tally>>,
    entries: usize,
}

impl<V: Kept> TokenCache<V> {
    /// With room for so many entries, and an eighth more, as the parts of the table do not fill
    /// evenly. They may take 2 KiB each on average: larger ones leave room for fewer. Besides, what a
    /// thread has at hand stays until others take its place there: 1,024 entries of at most 2 KiB,
    /// and no more of them than there is room for. A thread that ends leaves it to the next that
    /// begins.
    ///
    /// `None` where nothing is to be kept, or the system gives no random numbers.
    pub(crate) fn new(entries: usize) -> Option<Self> {
        let room = entries.saturating_add(entries / 8);
        let average = AVERAGE_BYTES as u64;
        let bytes = u64::try_from(room).unwrap_or(u64::MAX).saturating_mul(average);
        let options = OptionsBuilder::new()
            .shards(power_of_two_within(entries / SHARD).min(MOST_SHARDS))
            .estimated_items_capacity(room)
            // Room to move, without which a single entry would not get in; too little for another.
            .weight_capacity(bytes.saturating_add(average / 2))
            .build()
            .ok()
            .filter(|_| entries > 0)?;
        Some(Self {
            fingerprints: Fingerprints::new()?,
            near: ThreadLocal::new(),
            shared: Cache::with_options(options, Weight, Unhashed, DefaultLifecycle::default()),
            tallies: ThreadLocal::new(),
            entries,
        })
    }

    /// `None` for a token that cannot be kept.
    pub(crate) fn fingerprint(&self, token: &[u8]) -> Option<Fingerprint> {
        self.fingerprints.of(token)
    }

    /// What `judge` makes of what is kept, where there is something and it holds.
    pub(crate) fn get<T>(&self, token: Fingerprint, judge: impl Fn(&V) -> Judged<T>) -> Option<T> {
        let found = self.look_up(token, judge);
        self.tallies.get_or(OwnLine::default).0.count(found.is_some());
        found
    }

    /// What this thread has asked for last, and has not found, will be asked for again.
    pub(crate) fn take_back_miss(&self) {
        self.tallies.get_or(OwnLine::default).0.take_back();
    }

    fn look_up<T>(&self, token: Fingerprint, judge: impl Fn(&V) -> Judged<T>) -> Option<T> {
        let near = &self.near.get_or(|| OwnLine(RefCell::new(Near::new(self.entries)))).0;
        // Borrowed already only where `judge` has led back here.
        let mut near = near.try_borrow_mut().ok();
        if let Some(near) = &mut near
            && let Some(kept) = near.get(token)
        {
            match judge(kept) {
                Judged::Holds(judgement) => return Some(judgement),
                Judged::Open => return None,
                Judged::Over => near.remove(token),
            }
        }
        let kept = self.shared.get(&token)?;
        match judge(&kept) {
            Judged::Holds(judgement) => {
                if let Some(near) = &mut near
                    && kept.bytes() <= AVERAGE_BYTES
                {
                    near.offer(token, || kept.apart());
                }
                Some(judgement)
            }
            Judged::Open => None,
            Judged::Over => {
                // Unless another thread has put something newer in its place.
                self.shared.remove_if(&token, |now| Arc::ptr_eq(now, &kept));
                None
            }
        }
    }

    pub(crate) fn put(&self, token: Fingerprint, kept: V) {
        self.shared.insert(token, Arc::new(kept));
    }

    pub(crate) fn status(&self) -> TokenCacheStatus {
        let mut status = TokenCacheStatus { entries: self.shared.len(), ..Default::default() };
        self.tallies.iter().for_each(|tally| tally.0.add_to(&mut status));
        status
    }
}

impl<V: Kept> fmt::Debug for TokenCache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// One where there is none.
fn power_of_two_within(number: usize) -> usize {
    1 << number.checked_ilog2().unwrap_or(0)
}

/// Shares no cache line with anything else: two threads that write to one wait for one another.
#[derive(Default)]
#[repr(align(128))]
struct OwnLine<T>(T);

/// No entry weighs less than the average, so their number is bounded too.
#[derive(Clone)]
struct Weight;

impl<V: Kept> Weighter<Fingerprint, Arc<V>> for Weight {
    fn weight(&self, _: &Fingerprint, kept: &Arc<V>) -> u64 {
        u64::try_from(kept.bytes().max(AVERAGE_BYTES)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
