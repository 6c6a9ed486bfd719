//! Forms of strings: timestamps, hex, Base64, ids and algorithm names. Checks only, nothing is decoded.

use std::ops::RangeInclusive;
use time::{OffsetDateTime, PrimitiveDateTime, format_description::well_known::Iso8601};

/// True for a UUID of version 4 in canonical lower-case text, as units write transaction ids (section 1.1).
pub fn is_uuid_v4_lower(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// True if a correlation id is not empty and has at most 37 characters (section 1.1).
pub fn is_correlation_id(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 37
}

/// How a timestamp is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimestampForm {
    /// `YYYY-MM-DDTHH:MM:SS[.fraction]Z`.
    Plain,
    /// Another ISO 8601 date and time: an offset, no zone, the basic format.
    OtherIso,
    NotIso,
}

pub(crate) fn timestamp_form(text: &str) -> TimestampForm {
    if is_plain_timestamp(text) {
        TimestampForm::Plain
    } else if OffsetDateTime::parse(text, &Iso8601::PARSING).is_ok()
        || PrimitiveDateTime::parse(text, &Iso8601::PARSING).is_ok()
    {
        TimestampForm::OtherIso
    } else {
        TimestampForm::NotIso
    }
}

/// True for `YYYY-MM-DDTHH:MM:SS[.fraction]Z` with a day that exists.
pub(crate) fn is_plain_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || bytes.len() == 21 || bytes[bytes.len() - 1] != b'Z' {
        return false;
    }
    let marks = bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[10] == b'T'
        && bytes[13] == b':'
        && bytes[16] == b':'
        && (bytes.len() == 20 || bytes[19] == b'.');
    if !marks {
        return false;
    }
    let two = |at: usize| -> Option<u32> {
        let (tens, ones) = (bytes[at].wrapping_sub(b'0'), bytes[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
    };
    let (Some(century), Some(year), Some(month), Some(day)) = (two(0), two(2), two(5), two(8)) else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) = (two(11), two(14), two(17)) else {
        return false;
    };
    let fraction = bytes.get(20..bytes.len() - 1).unwrap_or_default();
    (1..=days_in(century * 100 + year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && fraction.iter().all(u8::is_ascii_digit)
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

/// True for an even number of hex digits that make so many bytes.
pub(crate) fn is_hex(text: &str, bytes: RangeInclusive<usize>) -> bool {
    text.len().is_multiple_of(2) && bytes.contains(&(text.len() / 2)) && all_in(text.as_bytes(), &HEX_DIGIT)
}

pub(crate) fn is_sha256_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|digits| is_hex(digits, 32..=32))
}

/// How many bytes a padded standard Base64 text stands for; `None` if it is none.
pub(crate) fn base64_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let padding = bytes
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    let digits = bytes.get(..bytes.len() - padding)?;
    all_in(digits, &BASE64_DIGIT).then_some(bytes.len() / 4 * 3 - padding)
}

/// True if all bytes are in the set. Looks at every byte without branching: nearly all texts pass.
fn all_in(bytes: &[u8], set: &[bool; 256]) -> bool {
    bytes.iter().fold(true, |all, byte| all & set[usize::from(*byte)])
}

const BASE64_DIGIT: [bool; 256] = {
    let mut set = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        set[byte] = matches!(byte as u8, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/');
        byte += 1;
    }
    set
};

const HEX_DIGIT: [bool; 256] = {
    let mut set = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        set[byte] = (byte as u8).is_ascii_hexdigit();
        byte += 1;
    }
    set
};

/// True for `scheme://something`.
pub(crate) fn has_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Who knows an algorithm name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlgorithmForm {
    Usual,
    Publisher,
    Unknown,
}

pub(crate) fn block_algorithm(text: &str) -> AlgorithmForm {
    let upper = text.to_ascii_uppercase();
    let mut parts = upper.split('/');
    let cipher = parts.next().unwrap_or_default();
    if !matches!(cipher, "AES128" | "AES192" | "AES256") {
        return AlgorithmForm::Unknown;
    }
    match parts.next() {
        None | Some("" | "CBC") => AlgorithmForm::Usual,
        Some("GCM") => AlgorithmForm::Publisher,
        Some(_) => AlgorithmForm::Unknown,
    }
}

pub(crate) fn signature_algorithm(text: &str) -> AlgorithmForm {
    let upper = text.to_ascii_uppercase();
    let mut parts = upper.split('/');
    let (key, hash, padding) = (parts.next(), parts.next(), parts.next());
    let known_hash = matches!(hash, Some("SHA224" | "SHA256" | "SHA384" | "SHA512"));
    match (key, known_hash, padding) {
        (Some("RSA"), true, None | Some("PKCS1V1_5" | "PSS")) => AlgorithmForm::Usual,
        (Some("EC"), true, None) => AlgorithmForm::Publisher,
        _ => AlgorithmForm::Unknown,
    }
}

/// Seconds from `PT10S`, `PT1M30S`, `10s`, `5m` or `1h`.
pub(crate) fn duration_seconds(text: &str) -> Option<u64> {
    let iso = text.strip_prefix("PT");
    let rest = iso.unwrap_or(text);
    let (mut seconds, mut digits) = (0u64, String::new());
    for character in rest.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let unit = match character.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        let count: u64 = digits.parse().ok()?;
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !rest.is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_told_apart() {
        for text in [
            "2026-03-02T09:15:07.151352Z",
            "2026-03-02T09:15:07Z",
            "2028-02-29T00:00:00.1Z",
        ] {
            assert_eq!(timestamp_form(text), TimestampForm::Plain, "{text}");
        }
        for text in [
            "2026-03-02T09:15:00",
            "2026-03-02T10:15:00+01:00",
            "20260302T091500Z",
        ] {
            assert_eq!(timestamp_form(text), TimestampForm::OtherIso, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "02/03/2026 09:15",
            "2026-02-29T00:00:00Z",
            "1h",
            "2026-13-01T00:00:00Z",
        ] {
            assert_eq!(timestamp_form(text), TimestampForm::NotIso, "{text}");
        }
    }

    #[test]
    fn encodings_are_checked_without_decoding() {
        assert_eq!(base64_len(""), Some(0));
        assert_eq!(base64_len("EBESExQVFhcYGRobHB0eHw=="), Some(16));
        for text in ["%%%", "@@not-base64@@", "A===", "AA=A", "AAA"] {
            assert_eq!(base64_len(text), None, "{text}");
        }
        assert!(is_hex("00fFaa", 3..=3) && !is_hex("0", 0..=9) && !is_hex("zz", 0..=9));
        assert!(is_uuid_v4_lower("2c0a4b0e-7f0b-4c3e-9d2b-5a7f6f1f2a90"));
        assert!(!is_uuid_v4_lower("2C0A4B0E-7F0B-4C3E-9D2B-5A7F6F1F2A90"));
        assert!(!is_uuid_v4_lower("2c0a4b0e-7f0b-1c3e-9d2b-5a7f6f1f2a90"));
    }

    #[test]
    fn algorithms_and_durations_are_recognised() {
        assert_eq!(block_algorithm("AES256/CBC/pkcs7"), AlgorithmForm::Usual);
        assert_eq!(block_algorithm("AES256/GCM/"), AlgorithmForm::Publisher);
        assert_eq!(block_algorithm("DES"), AlgorithmForm::Unknown);
        assert_eq!(signature_algorithm("RSA/SHA256/PSS"), AlgorithmForm::Usual);
        assert_eq!(signature_algorithm("EC/SHA256"), AlgorithmForm::Publisher);
        assert_eq!(signature_algorithm("RSA"), AlgorithmForm::Unknown);
        assert_eq!(duration_seconds("PT1M30S"), Some(90));
        assert_eq!(duration_seconds("10s"), Some(10));
        assert_eq!(duration_seconds("PT"), None);
        assert_eq!(duration_seconds("10"), None);
    }
}
