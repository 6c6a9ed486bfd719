//! RFC 3339 timestamps in UTC, as milliseconds or microseconds since 1970.

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

/// Formats Unix milliseconds as `2026-03-02T09:15:07.151Z`.
pub fn format_millis(unix_millis: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at(unix_millis as i128 * 1_000_000)
        .format(format)
        .unwrap_or_default()
}

/// Formats Unix microseconds as `2026-03-02T09:15:07.151352Z`, always six fraction digits.
pub fn format_micros(unix_micros: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    at(unix_micros as i128 * 1_000).format(format).unwrap_or_default()
}

/// Formats an RFC 9110 HTTP-date such as `Mon, 02 Mar 2026 09:15:07 GMT`.
pub fn format_http_date(unix_millis: i64) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at(unix_millis as i128 * 1_000_000)
        .format(format)
        .unwrap_or_default()
}

/// Parses an RFC 9110 HTTP-date (the preferred form only) to Unix milliseconds.
pub fn parse_http_date(text: &str) -> Option<i64> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let parsed = time::PrimitiveDateTime::parse(text, format).ok()?;
    Some(parsed.assume_utc().unix_timestamp() * 1000)
}

/// A parsed timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Microseconds since 1970, UTC.
    pub unix_micros: i64,
    /// Written in UTC with `Z`.
    pub zulu: bool,
}

/// Parses any RFC 3339 timestamp, with any number of fraction digits.
pub fn parse(text: &str) -> Option<Parsed> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let utc = parsed.to_offset(UtcOffset::UTC);
    let unix_micros = i64::try_from(utc.unix_timestamp_nanos() / 1_000).ok()?;
    Some(Parsed {
        unix_micros,
        zulu: text.ends_with('Z'),
    })
}

/// Parses any RFC 3339 timestamp to Unix milliseconds.
pub fn parse_millis(text: &str) -> Option<i64> {
    parse(text).map(|p| p.unix_micros.div_euclid(1000))
}

fn at(nanos: i128) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_parses_the_same_instant() {
        assert_eq!(format_millis(1_772_442_907_151), "2026-03-02T09:15:07.151Z");
        assert_eq!(parse_millis("2026-03-02T09:15:07.151Z"), Some(1_772_442_907_151));
        assert_eq!(
            parse_millis("2026-03-02T10:15:07.151352+01:00"),
            Some(1_772_442_907_151)
        );
        assert_eq!(
            parse_http_date(&format_http_date(1_772_442_907_000)),
            Some(1_772_442_907_000)
        );
        assert_eq!(parse("yesterday"), None);
    }
}
