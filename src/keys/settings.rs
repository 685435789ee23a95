//! What a key store is made from.

use std::sync::Arc;
use std::time::Duration;

use super::{KeySource, LastGoodFile};
use crate::clock::Clock;
use crate::jose::Algorithm;

/// What a key store is made from.
pub(crate) struct KeySettings<'a> {
    pub(crate) issuer: Arc<str>,
    pub(crate) source: KeySource,
    /// Keys for others are not used.
    pub(crate) algorithms: &'a [Algorithm],
    /// How long keys are used past their lifetime while there is no way to get others.
    pub(crate) max_stale: Duration,
    /// Wall time, for what outlives the process.
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) last_good: Option<Arc<LastGoodFile>>,
}
