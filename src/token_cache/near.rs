//! What one thread has at hand.

use std::iter;

use super::{Fingerprint, power_of_two_within};

const MOST: usize = 1024;
/// Of those who come to a place that is taken, one in so many takes it: what comes often gets in
/// soon, and what does not makes little work.
const PATIENCE: u32 = 8;

/// A table with one place for each fingerprint.
pub(super) struct Near<V> {
    /// None until there is something to put there.
    places: Box<[Option<(Fingerprint, V)>]>,
    /// How many there will be.
    size: usize,
    turned_away: u32,
}

impl<V> Near<V> {
    /// Never more places than there are entries in all.
    pub(super) fn new(entries: usize) -> Self {
        Self {
            places: Box::default(),
            size: power_of_two_within(entries.min(MOST)),
            turned_away: 0,
        }
    }

    pub(super) fn get(&self, token: Fingerprint) -> Option<&V> {
        match self.places.get(self.place(token))? {
            Some((kept, value)) if *kept == token => Some(value),
            _ => None,
        }
    }

    /// Takes the value in, or not.
    pub(super) fn offer(&mut self, token: Fingerprint, value: impl FnOnce() -> V) {
        if self.places.is_empty() {
            self.places = iter::repeat_with(|| None).take(self.size).collect();
        }
        let place = self.place(token);
        let Some(place) = self.places.get_mut(place) else { return };
        if place.is_some() {
            self.turned_away = (self.turned_away + 1) % PATIENCE;
        }
        if place.is_none() || self.turned_away == 0 {
            *place = Some((token, value()));
        }
    }

    pub(super) fn remove(&mut self, token: Fingerprint) {
        let place = self.place(token);
        if let Some(place) = self.places.get_mut(place) {
            place.take_if(|(kept, _)| *kept == token);
        }
    }

    fn place(&self, token: Fingerprint) -> usize {
        token.bits() as usize & self.size.wrapping_sub(1)
    }
}
