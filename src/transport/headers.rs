//! The times in an answer's headers.

use std::time::{Duration, UNIX_EPOCH};

use http::header::{AGE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};

/// `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3), which is at least a second from
/// `now`, the local time in seconds since 1970-01-01 UTC.
pub(super) fn retry_after(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    let seconds = value.parse().ok();
    let until = || Some(unix_seconds(value)?.saturating_sub(now).max(1));
    seconds.or_else(until).map(Duration::from_secs)
}

/// The time of the sender's clock, in seconds since 1970-01-01 UTC: `Date`, and `Age` where a
/// cache kept the answer (RFC 9110 section 6.6.1, RFC 9111 section 5.1).
pub(super) fn date(headers: &HeaderMap) -> Option<u64> {
    let date = unix_seconds(text(headers, &DATE)?)?;
    let age = text(headers, &AGE).and_then(|age| age.parse().ok());
    Some(date.saturating_add(age.unwrap_or(0)))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

fn unix_seconds(date: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(date).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(HeaderName, &str)]) -> HeaderMap {
        let all = all.iter();
        all.map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = 1_000_000_000;
        let wait = |value| {
            let wait = retry_after(&headers(&[(RETRY_AFTER, value)]), now);
            wait.map(|wait| wait.as_secs())
        };
        assert_eq!(wait("7200"), Some(7_200));
        assert_eq!(wait(" 3 "), Some(3));
        // The epoch's billionth second was 2001-09-09T01:46:40Z.
        assert_eq!(wait("Sun, 09 Sep 2001 01:47:00 GMT"), Some(20));
        assert_eq!(wait("Sun, 09 Sep 2001 01:46:00 GMT"), Some(1));
        for odd in ["", "-1", "1.5", "soon", "Sun, 09 Sep"] {
            assert_eq!(wait(odd), None, "{odd}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn the_time_is_the_date_and_how_long_a_cache_had_it() {
        let time = |sent: &str, age: Option<&str>| {
            let mut all = headers(&[(DATE, sent)]);
            all.extend(age.map(|age| (AGE, age.parse().unwrap())));
            date(&all)
        };
        let sent = "Tue, 18 Sep 2018 00:00:00 GMT";
        assert_eq!(time(sent, None), Some(1_537_228_800));
        assert_eq!(time(sent, Some("60")), Some(1_537_228_860));
        assert_eq!(time(sent, Some("soon")), Some(1_537_228_800));
        assert_eq!(time(sent, Some("18446744073709551615")), Some(u64::MAX));
        assert_eq!(time("yesterday", None), None);
        assert_eq!(date(&HeaderMap::new()), None);
    }
}
