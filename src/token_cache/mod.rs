//! What was found out about tokens, so that the next request with one of them need not find it out
//! again.
//!
//! 1. A token is known by its [`fingerprint`] alone; its text is not kept.
//! 2. What is kept here is not judged here: whoever looks something up says whether it still holds,
//!    and what does not is dropped.
//! 3. Only what was found good is put in, so tokens that are made up push nothing out. Among good
//!    ones, those that come again stay (S3-FIFO).
//! 4. Each thread has what it asks for often at hand ([`near`]), as its own copy: two processors
//!    that see the same token write to no memory in common. Everything else is shared.
//! 5. Both are bounded, see [`TokenCache::new`].

mod fingerprint;
mod near;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use thread_local::ThreadLocal;

pub(crate) use fingerprint::Fingerprint;
use fingerprint::{Fingerprints, Unhashed};
use near::Near;

/// What an entry may weigh, on average. Bytes.
const AVERAGE_BYTES: u64 = 2048;

/// What is kept.
pub(crate) trait Kept: Send {
    /// What it takes in memory, roughly.
    fn bytes(&self) -> usize;

    /// A copy that counts the owners of what it hands out apart from `self`.
    fn apart(&self) -> Self;
}

/// A bounded memory of tokens.
pub(crate) struct TokenCache<V: Kept> {
    fingerprints: Fingerprints,
    near: ThreadLocal<OwnLine<RefCell<Near<V>>>>,
    shared: Cache<Fingerprint, Arc<V>, Weight, Unhashed>,
    entries: usize,
}

impl<V: Kept> TokenCache<V> {
    /// Of so many entries, which may take 2 KiB each on average: larger ones leave room for fewer.
    /// Besides, each thread has at most 1,024 of them at hand, which stay as long as the thread
    /// has not come by others.
    ///
    /// `None` where nothing is to be kept, or the system gives no random numbers.
    pub(crate) fn new(entries: usize) -> Option<Self> {
        let bytes = u64::try_from(entries).unwrap_or(u64::MAX).saturating_mul(AVERAGE_BYTES);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(entries)
            // Room to move, without which a single entry would not get in; too little for another.
            .weight_capacity(bytes.saturating_add(AVERAGE_BYTES / 2))
            .build()
            .ok()
            .filter(|_| entries > 0)?;
        Some(Self {
            fingerprints: Fingerprints::new()?,
            near: ThreadLocal::new(),
            shared: Cache::with_options(options, Weight, Unhashed, DefaultLifecycle::default()),
            entries,
        })
    }

    /// `None` for a token that cannot be kept.
    pub(crate) fn fingerprint(&self, token: &[u8]) -> Option<Fingerprint> {
        self.fingerprints.of(token)
    }

    /// What `judge` makes of what is kept, where something is; what it makes nothing of is dropped.
    pub(crate) fn get<T>(&self, token: Fingerprint, judge: impl Fn(&V) -> Option<T>) -> Option<T> {
        let near = &self.near.get_or(|| OwnLine(RefCell::new(Near::new(self.entries)))).0;
        // Borrowed already only where `judge` has led back here.
        let mut near = near.try_borrow_mut().ok();
        if let Some(near) = &mut near
            && let Some(kept) = near.get(token)
        {
            if let Some(judgement) = judge(kept) {
                return Some(judgement);
            }
            near.remove(token);
        }
        let kept = self.shared.get(&token)?;
        let judgement = judge(&kept);
        match (&judgement, near) {
            (None, _) => drop(self.shared.remove(&token)),
            (Some(_), Some(mut near)) => near.offer(token, || kept.apart()),
            (Some(_), None) => {}
        }
        judgement
    }

    pub(crate) fn put(&self, token: Fingerprint, kept: V) {
        self.shared.insert(token, Arc::new(kept));
    }
}

impl<V: Kept> fmt::Debug for TokenCache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// Shares no cache line with anything else: two threads that write to one wait for one another.
#[repr(align(128))]
struct OwnLine<T>(T);

/// No entry weighs less than the average, so their number is bounded too.
#[derive(Clone)]
struct Weight;

impl<V: Kept> Weighter<Fingerprint, Arc<V>> for Weight {
    fn weight(&self, _: &Fingerprint, kept: &Arc<V>) -> u64 {
        u64::try_from(kept.bytes()).unwrap_or(u64::MAX).max(AVERAGE_BYTES)
    }
}

#[cfg(test)]
mod tests;
