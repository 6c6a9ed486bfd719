//! The beginning of what came from outside, fit for a message.

/// The first part of some bytes as text in back quotes, without control characters; how much there was, if not all is
/// shown.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let text: String = String::from_utf8_lossy(shown)
        .trim()
        .chars()
        .map(|c| if c.is_control() { '\u{b7}' } else { c })
        .collect();
    match bytes.len() > SHOWN {
        true => format!("`{text}…` ({} bytes)", bytes.len()),
        false => format!("`{text}`"),
    }
}

const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short_and_plain() {
        assert_eq!(excerpt(b" hello\x1b[31m\n"), "`hello\u{b7}[31m`");
        assert_eq!(excerpt(b"\xff\xfe"), "`\u{fffd}\u{fffd}`");
        let long = excerpt(&[b'x'; 1000]);
        assert!(long.ends_with("x…` (1000 bytes)"), "{long}");
        assert_eq!(long.matches('x').count(), SHOWN);
    }
}
