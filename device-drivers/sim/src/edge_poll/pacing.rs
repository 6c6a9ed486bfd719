//! When to send the next request: jitter, backoff, hints, `Retry-After` (reference section 2). Pure.

use hil_wire::{http::Headers, timestamp};
use rand::{Rng, rngs::StdRng};
use std::time::Duration;

/// Gap to the next poll after an answer: the interval with a jitter of 10 %.
pub(crate) fn jittered(interval: Duration, rng: &mut StdRng) -> Duration {
    interval.mul_f64(rng.random_range(0.9..=1.1))
}

/// Gap after the n-th failure in a row (from 1): between the interval and `min(max(T, 300 s), T·2^n)`.
pub(crate) fn backoff(interval: Duration, failures: u32, rng: &mut StdRng) -> Duration {
    let cap = interval.max(CAP).as_secs_f64();
    let least = interval.as_secs_f64();
    let most = (least * 2f64.powi(failures.clamp(1, 30) as i32)).min(cap);
    Duration::from_secs_f64(rng.random_range(least..=most.max(least)))
}

/// What `X-Poll-Interval` asks for, clamped; `None` for nonsense.
pub(crate) fn interval_hint(text: &str, lab: bool) -> Option<Duration> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // More digits than fit still mean a very long time.
    let seconds = text.parse().unwrap_or(u64::MAX);
    let least = if lab { 1 } else { 5 };
    (seconds > 0).then(|| Duration::from_secs(seconds.clamp(least, 86_400)))
}

/// How long `Retry-After` asks to wait. A date is compared with the answer's own `Date`, else with the given wall
/// time in Unix milliseconds.
pub(crate) fn retry_after(headers: &Headers, wall_ms: i64) -> Option<Duration> {
    let text = headers.get("Retry-After")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(7 * 86_400)));
    }
    let until = timestamp::parse_http_date(text)?;
    let now = headers
        .get("Date")
        .and_then(timestamp::parse_http_date)
        .unwrap_or(wall_ms);
    Some(Duration::from_millis(u64::try_from(until - now).unwrap_or(0)).min(Duration::from_secs(7 * 86_400)))
}

/// Whether a status may go away by itself; transport errors do too.
pub(crate) fn is_retryable(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

const CAP: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn stays_within_the_bounds() {
        let rng = &mut StdRng::seed_from_u64(1);
        let t = Duration::from_secs(30);
        for n in 1..=40 {
            let most = (30.0 * 2f64.powi(n)).min(300.0);
            for _ in 0..50 {
                let gap = backoff(t, n as u32, rng).as_secs_f64();
                assert!((30.0..=most).contains(&gap), "{n}: {gap}");
            }
        }
        let long = Duration::from_secs(4000);
        assert_eq!(backoff(long, 3, rng), long);
        for _ in 0..50 {
            assert!((27.0..=33.0).contains(&jittered(t, rng).as_secs_f64()));
        }
    }

    #[test]
    fn reads_hints() {
        let seconds = |text, lab| interval_hint(text, lab).map(|d| d.as_secs());
        assert_eq!(seconds("60", false), Some(60));
        assert_eq!(seconds("2", false), Some(5));
        assert_eq!(seconds("2", true), Some(2));
        assert_eq!(seconds("99999999999999999999999", true), Some(86_400));
        for text in ["0", "-1", "abc", "", "1.5"] {
            assert_eq!(seconds(text, true), None, "{text}");
        }
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let headers = |value: &str| Headers::new().with("Retry-After", value);
        assert_eq!(retry_after(&headers("120"), 0), Some(Duration::from_secs(120)));
        let date = headers("Mon, 02 Mar 2026 09:15:07 GMT");
        let ms = timestamp::parse_http_date("Mon, 02 Mar 2026 09:15:00 GMT").unwrap();
        assert_eq!(retry_after(&date, ms), Some(Duration::from_secs(7)));
        let dated = date.with("Date", "Mon, 02 Mar 2026 09:15:05 GMT");
        assert_eq!(retry_after(&dated, ms), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(&headers("soon"), 0), None);
    }
}
