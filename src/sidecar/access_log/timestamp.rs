//! Points in time as logs write them (RFC 3339, UTC, milliseconds).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `2026-11-22T10:28:28.123Z`, of which most is the same for all lines of a second.
#[derive(Default)]
pub(super) struct Timestamp {
    second: Option<u64>,
    text: Vec<u8>,
}

impl Timestamp {
    pub(super) fn at(&mut self, time: SystemTime) -> &[u8] {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        if self.second != Some(since.as_secs()) {
            self.second = Some(since.as_secs());
            self.text.clear();
            write_second(since.as_secs(), &mut self.text);
        }
        self.text.truncate(SECOND.len());
        digits(&mut self.text, since.subsec_millis().into(), 3);
        self.text.push(b'Z');
        &self.text
    }
}

/// As long as every beginning.
const SECOND: &str = "2026-11-22T10:28:28.";

fn write_second(since_1970: u64, to: &mut Vec<u8>) {
    let (days, second) = (since_1970 / 86_400, since_1970 % 86_400);
    let (year, month, day) = date(days);
    digits(to, year, 4);
    to.push(b'-');
    digits(to, month, 2);
    to.push(b'-');
    digits(to, day, 2);
    to.push(b'T');
    digits(to, second / 3600, 2);
    to.push(b':');
    digits(to, second / 60 % 60, 2);
    to.push(b':');
    digits(to, second % 60, 2);
    to.push(b'.');
}

/// Year, month and day in the proleptic Gregorian calendar. Years begin in March here, so that the
/// day that is there every four years is the last one.
fn date(days_since_1970: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    // 1970-01-01 is 719,468 days after 0000-03-01.
    let days = days_since_1970 + 719_468;
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next_year, month, day_of_month)
}

fn digits(to: &mut Vec<u8>, value: u64, count: u32) {
    for place in (0..count).rev() {
        let digit = value / 10_u64.pow(place) % 10;
        to.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_written() {
        let mut timestamp = Timestamp::default();
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (7, "1970-01-01T00:00:00.007Z"),
            (999, "1970-01-01T00:00:00.999Z"),
            (1_000, "1970-01-01T00:00:01.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_341_600_007, "2026-11-22T10:00:00.007Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (4_107_456_000_000, "2100-02-28T00:00:00.000Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
        ] {
            let text = timestamp.at(UNIX_EPOCH + Duration::from_millis(milliseconds));
            assert_eq!(std::str::from_utf8(text).unwrap(), expected);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = date(0);
        for day in 1..200_000 {
            let (year, month, day_of_month) = date(day);
            let follows = (year, month, day_of_month) == (before.0, before.1, before.2 + 1)
                || (year, month, day_of_month) == (before.0, before.1 + 1, 1)
                || (year, month, day_of_month) == (before.0 + 1, 1, 1) && before.1 == 12;
            assert!(follows, "{before:?} {:?}", (year, month, day_of_month));
            before = (year, month, day_of_month);
        }
    }
}
