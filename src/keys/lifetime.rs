//! For how long a fetched document is fresh (RFC 9111 §4.2).

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue};

/// Unless `Cache-Control` says otherwise.
const USUAL: Duration = Duration::from_secs(10 * 60);
const SHORTEST: Duration = Duration::from_secs(60);
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// `max-age` (RFC 9111 §5.2.2.1), less the time spent in caches on the way (§5.1), within bounds.
pub(super) fn of(headers: &HeaderMap) -> Duration {
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok());
    max_age(headers)
        .map(|seconds| Duration::from_secs(seconds.saturating_sub(age.unwrap_or(0))))
        .unwrap_or(USUAL)
        .clamp(SHORTEST, LONGEST)
}

fn max_age(headers: &HeaderMap) -> Option<u64> {
    headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| HeaderValue::to_str(value).ok())
        .flat_map(|value| value.split(','))
        .find_map(|directive| {
            let (name, seconds) = directive.trim().split_once('=')?;
            name.eq_ignore_ascii_case("max-age").then_some(seconds.trim_matches('"'))
        })
        .and_then(|seconds| seconds.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avail_09_the_lifetime_follows_cache_control_within_bounds() {
        for (value, age, seconds) in [
            ("max-age=300", "", 300),
            ("public, Max-Age=300, immutable", "", 300),
            ("max-age=\"300\"", "", 300),
            ("max-age=1", "", 60),
            ("max-age=0, must-revalidate", "", 60),
            ("no-store", "", 600),
            ("max-age=999999999", "", 86_400),
            ("max-age=99999999999999999999999", "", 600),
            ("max-age=-1", "", 600),
            ("max-age", "", 600),
            ("max-age=300", "100", 200),
            ("max-age=300", "400", 60),
            ("max-age=300", "soon", 300),
            ("no-store", "100", 600),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
            if !age.is_empty() {
                headers.insert(AGE, HeaderValue::from_static(age));
            }
            assert_eq!(of(&headers), Duration::from_secs(seconds), "{value}, {age}");
        }
        assert_eq!(of(&HeaderMap::new()), USUAL);
    }
}
