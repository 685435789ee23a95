use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use proptest::prelude::*;

use super::*;

/// Says how often it was copied for a thread, and claims to be so large.
struct Entry {
    number: usize,
    bytes: usize,
    copies: Arc<AtomicUsize>,
}

impl Entry {
    fn new(number: usize) -> Self {
        Self { number, bytes: 1, copies: Arc::default() }
    }
}

impl Kept for Entry {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn apart(&self) -> Self {
        self.copies.fetch_add(1, Ordering::Relaxed);
        Self { copies: Arc::clone(&self.copies), ..*self }
    }
}

fn token(number: usize) -> Vec<u8> {
    format!("token {number}").into_bytes()
}

fn put(cache: &TokenCache<Entry>, entry: Entry) {
    let fingerprint = cache.fingerprint(&token(entry.number)).unwrap();
    cache.put(fingerprint, entry);
}

fn get(cache: &TokenCache<Entry>, number: usize) -> Option<usize> {
    let fingerprint = cache.fingerprint(&token(number)).unwrap();
    cache.get(fingerprint, |entry| Judged::Holds(entry.number))
}

#[test]
fn what_was_put_in_is_found_until_the_judge_says_no() {
    let cache = TokenCache::new(100).unwrap();
    assert_eq!(get(&cache, 1), None);
    put(&cache, Entry::new(1));
    // Once before this thread has it at hand, and once after.
    for times in [1, 3] {
        for _ in 0..times {
            assert_eq!(get(&cache, 1), Some(1));
        }
        let fingerprint = cache.fingerprint(&token(1)).unwrap();
        // What cannot be told now may be told later.
        assert_eq!(cache.get(fingerprint, |_| Judged::<()>::Open), None);
        assert_eq!(get(&cache, 1), Some(1));
        assert_eq!(cache.get(fingerprint, |_| Judged::<()>::Over), None);
        assert_eq!(get(&cache, 1), None);
        put(&cache, Entry::new(1));
    }
}

#[test]
fn finds_are_counted_for_all_threads_together() {
    let cache = TokenCache::new(100).unwrap();
    assert_eq!(cache.status(), TokenCacheStatus::default());
    assert_eq!(get(&cache, 1), None);
    put(&cache, Entry::new(1));
    put(&cache, Entry::new(2));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..100).for_each(|_| assert_eq!(get(&cache, 1), Some(1)));
                (0..10).for_each(|_| assert_eq!(get(&cache, 3), None));
            });
        }
    });
    assert_eq!(cache.status(), TokenCacheStatus { hits: 400, misses: 41, entries: 2 });
    // What is over, or cannot be told now, is nothing found.
    let fingerprint = cache.fingerprint(&token(1)).unwrap();
    assert_eq!(cache.get(fingerprint, |_| Judged::<()>::Open), None);
    assert_eq!(cache.get(fingerprint, |_| Judged::<()>::Over), None);
    assert_eq!(cache.status(), TokenCacheStatus { hits: 400, misses: 43, entries: 1 });
}

#[test]
fn what_a_thread_has_at_hand_does_not_hide_what_came_later() {
    let cache = TokenCache::new(100).unwrap();
    let fingerprint = cache.fingerprint(&token(1)).unwrap();
    let newest = |least: usize| {
        cache.get(fingerprint, |entry: &Entry| match entry.bytes {
            bytes if bytes < least => Judged::Over,
            bytes => Judged::Holds(bytes),
        })
    };
    for bytes in 1..5 {
        cache.put(fingerprint, Entry { bytes, ..Entry::new(1) });
        assert_eq!(newest(bytes), Some(bytes));
        assert_eq!(newest(bytes), Some(bytes));
    }
}

#[test]
fn each_thread_makes_one_copy() {
    let cache = TokenCache::new(100).unwrap();
    let copies = Arc::<AtomicUsize>::default();
    put(&cache, Entry { copies: Arc::clone(&copies), ..Entry::new(1) });
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| assert_eq!(get(&cache, 1), Some(1))));
        }
    });
    let copies = copies.load(Ordering::Relaxed);
    // A thread that begins when another has ended takes over what that one had.
    assert!((1..=4).contains(&copies), "{copies}");
}

#[test]
fn neither_their_number_nor_their_size_is_without_bounds() {
    for (entries, bytes, most) in [(100, 1, 112), (100, 20_000, 12), (1, 1, 1), (3, 1, 3)] {
        let cache = TokenCache::new(entries).unwrap();
        for number in 0..2_000 {
            put(&cache, Entry { bytes, ..Entry::new(number) });
        }
        // Looking them up puts nothing else out.
        let kept = (0..2_000).filter(|number| get(&cache, *number).is_some()).count();
        assert!((1..=most).contains(&kept), "{kept} of {entries} entries of {bytes} bytes");
    }
    let cache = TokenCache::new(1).unwrap();
    put(&cache, Entry { bytes: usize::MAX, ..Entry::new(1) });
    assert_eq!(get(&cache, 1), None);
}

#[test]
fn as_many_as_there_is_room_for_are_kept() {
    for entries in [1, 2, 10, 1_000, 10_000, 100_000] {
        let cache = TokenCache::new(entries).unwrap();
        (0..entries).for_each(|number| put(&cache, Entry::new(number)));
        let kept = (0..entries).filter(|number| get(&cache, *number).is_some()).count();
        assert_eq!(kept, entries);
    }
}

#[test]
fn what_threads_have_at_hand_is_bounded_too() {
    let small = |number| (number, AVERAGE_BYTES);
    let large = |number| (number, AVERAGE_BYTES + 1);
    for (entry, most) in [(small as fn(usize) -> _, 72 + 64), (large, 72)] {
        let cache = TokenCache::new(64).unwrap();
        let mut seen = Vec::new();
        for (number, bytes) in (0..2_000).map(entry) {
            let copies = Arc::<AtomicUsize>::default();
            seen.push(Arc::downgrade(&copies));
            put(&cache, Entry { bytes, copies, ..Entry::new(number) });
            for _ in 0..10 {
                get(&cache, number);
            }
        }
        let kept = seen.iter().filter(|entry| entry.strong_count() > 0).count();
        assert!(kept <= most, "{kept} of {most}");
    }
}

#[test]
fn what_is_newer_is_not_removed_for_what_is_over() {
    let cache = TokenCache::new(64).unwrap();
    let fingerprint = cache.fingerprint(&token(1)).unwrap();
    put(&cache, Entry::new(1));
    // While the old one is judged, another thread puts a new one in.
    let judged = cache.get(fingerprint, |_| {
        put(&cache, Entry::new(1));
        Judged::<()>::Over
    });
    assert_eq!(judged, None);
    assert_eq!(get(&cache, 1), Some(1));
}

#[test]
fn none_is_none_and_all_is_possible() {
    assert!(TokenCache::<Entry>::new(0).is_none());
    let cache = TokenCache::new(usize::MAX).unwrap();
    put(&cache, Entry::new(1));
    assert_eq!(get(&cache, 1), Some(1));
}

#[test]
fn a_judge_may_lead_back_here() {
    let cache = TokenCache::new(100).unwrap();
    put(&cache, Entry::new(1));
    let fingerprint = cache.fingerprint(&token(1)).unwrap();
    for _ in 0..3 {
        assert_eq!(cache.get(fingerprint, |_| Judged::Holds(get(&cache, 1))), Some(Some(1)));
    }
}

#[test]
fn of_those_who_come_to_a_taken_place_one_in_some_takes_it() {
    let cache = TokenCache::<Entry>::new(100).unwrap();
    let [old, new] = [1, 2].map(|number| cache.fingerprint(&token(number)).unwrap());
    // One place, which is everybody's.
    let mut near = Near::new(1);
    near.offer(old, || 1);
    assert_eq!(near.get(old), Some(&1));
    let offers = (1..100).find(|_| {
        near.offer(new, || 2);
        near.get(new).is_some()
    });
    assert_eq!(offers, Some(8));
    assert_eq!(near.get(old), None);
    near.remove(old);
    assert_eq!(near.get(new), Some(&2));
    near.remove(new);
    assert_eq!(near.get(new), None);

    // Where nobody has to give way, nobody waits.
    near.offer(old, || 1);
    near.offer(new, || 2);
    near.remove(old);
    near.offer(new, || 2);
    assert_eq!(near.get(new), Some(&2));
}

#[test]
fn hdr_14_fingerprints_depend_on_every_bit_and_on_the_process() {
    let cache = TokenCache::<Entry>::new(1).unwrap();
    let other = TokenCache::<Entry>::new(1).unwrap();
    let token = b"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl".repeat(20);
    let fingerprint = cache.fingerprint(&token).unwrap();
    assert!(cache.fingerprint(&token) == Some(fingerprint));
    assert!(other.fingerprint(&token) != Some(fingerprint));
    let mut seen = HashSet::from([fingerprint]);
    for bit in 0..token.len() * 8 {
        let mut changed = token.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(seen.insert(cache.fingerprint(&changed).unwrap()), "bit {bit}");
    }
    for length in 0..token.len() {
        assert!(seen.insert(cache.fingerprint(&token[..length]).unwrap()), "{length} bytes");
    }
    // What a block is filled up with.
    for zeros in 1..40 {
        let longer = [&token[..], &vec![0; zeros]].concat();
        assert!(seen.insert(cache.fingerprint(&longer).unwrap()), "{zeros} more bytes");
    }
}

#[test]
fn hdr_14_fingerprints_have_128_bits_and_are_spread() {
    let cache = TokenCache::<Entry>::new(1).unwrap();
    let all: Vec<_> = (0..1_000).map(|n| cache.fingerprint(&token(n)).unwrap()).collect();
    assert_eq!(Fingerprint::bits_that_differ(&all), 128);
    let places: HashSet<_> = all.iter().map(|one| Unhashed.hash_one(one) % 1024).collect();
    assert!((500..800).contains(&places.len()), "{} of 1024", places.len());
    let hashes: HashSet<_> = all.iter().map(|one| Unhashed.hash_one(one)).collect();
    assert_eq!(hashes.len(), all.len());
}

proptest! {
    #[test]
    fn hdr_14_other_texts_have_other_fingerprints(
        one in prop::collection::vec(any::<u8>(), 0..200),
        other in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let cache = TokenCache::<Entry>::new(1).unwrap();
        let same = cache.fingerprint(&one) == cache.fingerprint(&other);
        prop_assert_eq!(same, one == other);
    }
}
