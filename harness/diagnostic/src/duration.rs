//! Durations the way people write them: `500ms`, `1.5s`, `5m`, `1h`.

use std::{fmt, time::Duration};

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// No unit follows the number.
    MissingUnit,
    /// Something else than a number and a unit.
    Malformed,
    /// Less than nothing.
    Negative,
    /// More than a hundred years.
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DurationError::MissingUnit => "a duration needs a unit: ms, s, m or h",
            DurationError::Malformed => "a duration is a number and a unit, such as 500ms, 1.5s, 5m, 1h",
            DurationError::Negative => "a duration is not negative",
            DurationError::TooLong => "a duration of more than a hundred years",
        })
    }
}

impl std::error::Error for DurationError {}

/// A duration from text such as `500ms`, `3s`, `1.5s`, `5m`, `1h`, `1d`.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    parse_seconds(text).map(Duration::from_secs_f64)
}

/// The same in seconds.
pub fn parse_seconds(text: &str) -> Result<f64, DurationError> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| DurationError::Malformed)?;
    let (_, factor) = match unit {
        "" => return Err(DurationError::MissingUnit),
        unit => *UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or(DurationError::Malformed)?,
    };
    // Division keeps 500ms exact where multiplication by 0.001 would not.
    let seconds = if unit == "ms" {
        number / 1e3
    } else {
        number * factor
    };
    in_bounds(seconds)
}

/// A duration from seconds, where somebody said them as a number.
pub fn duration_of(seconds: f64) -> Result<Duration, DurationError> {
    in_bounds(seconds).map(Duration::from_secs_f64)
}

fn in_bounds(seconds: f64) -> Result<f64, DurationError> {
    match seconds {
        seconds if seconds < 0.0 => Err(DurationError::Negative),
        seconds if seconds > LONGEST => Err(DurationError::TooLong),
        seconds if seconds.is_nan() => Err(DurationError::Malformed),
        seconds => Ok(seconds),
    }
}

/// Seconds as a duration people write, in the largest unit that needs no fraction: `90s`, `2m`, `1h`, `250ms`.
pub fn format_seconds(seconds: f64) -> String {
    let whole = |factor: f64| (seconds / factor).fract() == 0.0;
    match seconds {
        s if s >= 3600.0 && whole(3600.0) => format!("{}h", s / 3600.0),
        s if s >= 60.0 && whole(60.0) => format!("{}m", s / 60.0),
        s if s != 0.0 && s.abs() < 1.0 => format!("{}ms", (s * 1e6).round() / 1e3),
        s => format!("{s}s"),
    }
}

const UNITS: &[(&str, f64)] = &[
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
    ("d", 86400.0),
];
const LONGEST: f64 = 100.0 * 365.25 * 86400.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_every_unit() {
        let read = |text| parse_seconds(text);
        assert_eq!(read("500ms"), Ok(0.5));
        assert_eq!(read("1.5s"), Ok(1.5));
        assert_eq!(read("5m"), Ok(300.0));
        assert_eq!(read("1h"), Ok(3600.0));
        assert_eq!(read("3"), Err(DurationError::MissingUnit));
        assert_eq!(read("-3s"), Err(DurationError::Negative));
        assert_eq!(read("3 seconds"), Err(DurationError::Malformed));
        assert_eq!(read("s"), Err(DurationError::Malformed));
        assert_eq!(read("1.2.3s"), Err(DurationError::Malformed));
        assert_eq!(read("999999999d"), Err(DurationError::TooLong));
        assert_eq!(duration_of(1e19), Err(DurationError::TooLong));
        assert_eq!(duration_of(f64::NAN), Err(DurationError::Malformed));
    }

    #[test]
    fn seconds_are_written_in_the_largest_fitting_unit() {
        let written = [0.25, 0.0, 1.5, 90.0, 120.0, 7200.0].map(format_seconds);
        assert_eq!(written, ["250ms", "0s", "1.5s", "90s", "2m", "2h"]);
    }
}
