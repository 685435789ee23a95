//! From when until when the token is good, in words.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::report::{Check, Line};
use super::values;
use crate::authentication::IssuerPolicy;
use crate::clock::NumericDate;
use crate::jose::json::{Json, Members};
use crate::rejection_kind::RejectionKind;
use crate::sidecar::words::{span, utc};

pub(super) fn line(
    policy: &IssuerPolicy<'_>,
    claims: &Members<'_>,
    now: SystemTime,
    result: Result<(), RejectionKind>,
) -> Line {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let expected = match policy.leeway {
        Duration::ZERO => "between nbf, iat and exp".to_owned(),
        leeway => format!("between nbf, iat and exp, with {} of leeway", span(leeway)),
    };
    Line::new(Check::Lifetime, result, found(claims, now, result.err()), expected)
}

fn found(claims: &Members<'_>, now: Duration, fault: Option<RejectionKind>) -> String {
    let malformed = ["exp", "nbf", "iat"]
        .into_iter()
        .find(|name| claims.contains(name) && date(claims, name).is_none());
    if let Some(name) = malformed {
        return format!("{}, which is no date", values::member(claims, name));
    }
    let Some(expires) = date(claims, "exp") else { return values::member(claims, "exp") };
    let starts = ["nbf", "iat"].into_iter().filter_map(|name| Some((name, date(claims, name)?)));
    let later = starts.filter(|(_, start)| *start > now).max_by_key(|(_, start)| *start);
    let is_over = now >= expires;
    match later {
        Some((name, start)) if !is_over || fault == Some(RejectionKind::NotYetValid) => {
            let wait = span(start.saturating_sub(now));
            format!("not valid before {wait} have passed, at {} ({name})", at(start))
        }
        _ if is_over => {
            format!("expired {} ago, at {}", span(now.saturating_sub(expires)), at(expires))
        }
        _ => format!("expires in {}, at {}", span(expires.saturating_sub(now)), at(expires)),
    }
}

/// Time since 1970.
fn date(claims: &Members<'_>, name: &str) -> Option<Duration> {
    let Json::Number(number) = claims.get(name)? else { return None };
    let seconds = number.as_f64()?;
    NumericDate::new(seconds)?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn at(time: Duration) -> String {
    utc(time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::json;

    fn words(text: &str, fault: Option<RejectionKind>) -> String {
        found(&json::members(text).unwrap(), Duration::from_secs(1_800_000_000), fault)
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        use RejectionKind::{Expired, MalformedClaim, MissingClaim, NotYetValid};
        for (claims, fault, expected) in [
            (r#"{"exp":1800000300}"#, None, "expires in 5 min, at 2027-01-15 08:05:00 UTC"),
            (
                r#"{"exp":1799988480}"#,
                Some(Expired),
                "expired 3 h 12 min ago, at 2027-01-15 04:48:00 UTC",
            ),
            (r#"{"exp":1799999970}"#, None, "expired 30 s ago, at 2027-01-15 07:59:30 UTC"),
            (
                r#"{"exp":1800009000,"nbf":1800003600,"iat":1800000001}"#,
                Some(NotYetValid),
                "not valid before 1 h have passed, at 2027-01-15 09:00:00 UTC (nbf)",
            ),
            (r#"{"exp":"soon"}"#, Some(MalformedClaim), "exp is \"soon\", which is no date"),
            (r#"{"exp":-1}"#, Some(MalformedClaim), "exp is -1, which is no date"),
            (r#"{"exp":1,"iat":null}"#, Some(MalformedClaim), "iat is null, which is no date"),
            ("{}", Some(MissingClaim), "exp is missing"),
        ] {
            assert_eq!(words(claims, fault), expected, "{claims}");
        }
    }
}
