//! Last good keys across restarts: taken from the file at the start, put into it after each
//! success.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;

use super::last_good::LastGood;
use super::loaded::Loaded;
use super::shared::Shared;
use super::snapshot::KeySnapshot;
use super::{Instant, lifetime};
use crate::fetch::shown;
use crate::jose::KeyOrigin;

/// How far the clock that wrote an entry may have been ahead of ours.
const SKEW: Duration = Duration::from_secs(300);

impl Shared {
    /// Takes the keys of an earlier process into use, and has them refreshed at the first
    /// occasion. Until that is over they serve like keys that cannot be refreshed.
    pub(super) fn restore(&self) {
        let Some(entry) = self.last_good.as_ref().and_then(|file| file.recall(&self.issuer)) else {
            return;
        };
        let issuer = &self.issuer;
        let snapshot = match self.admit(&entry) {
            Ok(snapshot) => snapshot,
            Err(problem) => {
                tracing::warn!(issuer = %shown(issuer), "ignored the last good keys of this issuer: {problem}");
                return;
            }
        };
        let now = Instant::now();
        let age = snapshot.age(now).as_secs();
        tracing::info!(issuer = %shown(issuer), keys = snapshot.set().len(), age, "took the last good keys from the file");
        snapshot.serve_until(snapshot.dies(self.max_stale));
        self.flights.change(|schedule| schedule.succeeded(Some(now)));
        self.due.set(Some(now));
        self.snapshot.store(Some(Arc::new(snapshot)));
    }

    fn admit(&self, entry: &LastGood) -> Result<KeySnapshot, String> {
        if !self.source.may_lead_to(&entry.address) {
            let address = &entry.address;
            return Err(format!("they are from {address}, which is not where its keys are now"));
        }
        let age = self.age(entry.fetched_at)?;
        let lifetime = entry.lifetime.min(lifetime::LONGEST);
        if age >= lifetime.saturating_add(self.max_stale) {
            return Err(format!("they are {} s old", age.as_secs()));
        }
        let (address, document) = (&entry.address, &entry.document);
        let loaded = Loaded::parse(document, &self.algorithms, KeyOrigin::Fetched, None, address)
            .map_err(|error| error.to_string())?;
        let loaded = Loaded { lifetime, address: Some(address.clone()), ..loaded };
        Ok(KeySnapshot::new(loaded, Instant::now(), age))
    }

    fn age(&self, fetched_at: SystemTime) -> Result<Duration, String> {
        match self.clock.now().duration_since(fetched_at) {
            Ok(age) => Ok(age),
            Err(ahead) if ahead.duration() <= SKEW => Ok(Duration::ZERO),
            Err(ahead) => {
                let ahead = ahead.duration().as_secs();
                Err(format!("they were fetched {ahead} s from now; is a clock wrong?"))
            }
        }
    }

    /// Puts the keys in use into the file, in a thread where that may block.
    pub(super) fn remember(&self) -> Option<JoinHandle<()>> {
        let file = Arc::clone(self.last_good.as_ref()?);
        let snapshot = self.snapshot.load_full()?;
        let fetched_at = self.clock.now().checked_sub(snapshot.age(Instant::now()))?;
        let entry = LastGood {
            address: snapshot.loaded.address.clone()?,
            document: snapshot.loaded.document.clone(),
            fetched_at,
            lifetime: snapshot.loaded.lifetime,
        };
        let issuer = Arc::clone(&self.issuer);
        Some(tokio::task::spawn_blocking(move || file.remember(&issuer, entry)))
    }
}
