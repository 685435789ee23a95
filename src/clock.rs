//! Where "now" comes from. Time is an argument everywhere else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A source of wall-clock time, injected so that tests and simulations decide what "now" is.
///
/// Token lifetimes (`exp`, `nbf`, `iat`, RFC 7519 §4.1) are judged against it. Key lifetimes and
/// timeouts use the runtime's monotonic clock instead: a wall clock that jumps must not let keys
/// expire.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> SystemTime;
}

/// The operating system's clock; the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// An RFC 7519 NumericDate: seconds since 1970-01-01T00:00:00Z, fractions allowed.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct NumericDate(f64);

impl NumericDate {
    pub(crate) const ZERO: Self = Self(0.0);

    /// From 2^53 on whole seconds can no longer be told apart.
    const LIMIT: f64 = 9_007_199_254_740_992.0;

    /// Of what has no end that anybody knows.
    #[cfg(feature = "introspection")]
    pub(crate) const NEVER: Self = Self(f64::INFINITY);

    pub(crate) fn new(seconds: f64) -> Option<Self> {
        (0.0..Self::LIMIT).contains(&seconds).then_some(Self(seconds))
    }

    /// `None` for a clock set before 1970, which no token can be judged by.
    pub(crate) fn at(time: SystemTime) -> Option<Self> {
        time.duration_since(UNIX_EPOCH).ok().map(|since| Self(since.as_secs_f64()))
    }

    pub(crate) fn plus(self, leeway: Duration) -> Self {
        Self(self.0 + leeway.as_secs_f64())
    }

    pub(crate) fn minus(self, leeway: Duration) -> Self {
        Self(self.0 - leeway.as_secs_f64())
    }

    /// Without the fraction.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within 0 and 2^53"
    )]
    pub(crate) fn whole_seconds(self) -> u64 {
        self.0 as u64
    }

    /// How far ahead of `now` it lies; `None` from then on.
    pub(crate) fn ahead_of(self, now: Self) -> Option<Duration> {
        let seconds = self.0 - now.0;
        (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }

    /// `None` where the platform's time cannot express the date.
    pub(crate) fn to_system_time(self) -> Option<SystemTime> {
        let since = Duration::try_from_secs_f64(self.0).ok()?;
        UNIX_EPOCH.checked_add(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jwt_05_numeric_dates_are_finite_and_not_negative() {
        for bad in [-1.0, f64::NAN, f64::INFINITY, 9_007_199_254_740_992.0] {
            assert!(NumericDate::new(bad).is_none(), "{bad}");
        }
        assert!(NumericDate::new(0.0).is_some());
        assert!(NumericDate::new(1_700_000_000.5).is_some());
    }

    #[test]
    fn a_date_is_ahead_until_it_is_there() {
        let date = |seconds| NumericDate::new(seconds).unwrap();
        assert_eq!(date(10.5).ahead_of(date(10.0)), Some(Duration::from_millis(500)));
        assert_eq!(date(10.0).ahead_of(date(10.0)), None);
        assert_eq!(date(9.0).ahead_of(date(10.0)), None);
    }

    #[test]
    fn a_clock_before_1970_is_unusable() {
        assert!(NumericDate::at(UNIX_EPOCH - Duration::from_secs(1)).is_none());
    }
}
