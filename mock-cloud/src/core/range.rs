//! Byte ranges of downloads, for all protocols whose clouds serve them.

/// What a `Range` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// From the first to the last byte, both included.
    Part(usize, usize),
    /// Bytes there are not.
    Unsatisfiable,
    /// Nothing that is understood: the whole is sent, as servers may.
    Ignored,
}

/// One byte range (RFC 9110 section 14); several ranges or another unit are ignored.
pub(super) fn parse_range(text: &str, length: usize) -> Range {
    let Some((first, last)) = text
        .trim()
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Range::Ignored;
    };
    let end = length.saturating_sub(1);
    match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), _) if first >= length => Range::Unsatisfiable,
        (Ok(first), Ok(last)) if last < first => Range::Ignored,
        (Ok(first), Ok(last)) => Range::Part(first, last.min(end)),
        (Ok(first), Err(_)) if last.trim().is_empty() => Range::Part(first, end),
        (Err(_), Ok(0)) => Range::Unsatisfiable,
        (Err(_), Ok(suffix)) if first.trim().is_empty() && length > 0 => {
            Range::Part(length.saturating_sub(suffix), end)
        }
        _ => Range::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_open_closed_or_of_the_end() {
        for (text, expected) in [
            ("bytes=0-", Range::Part(0, 9)),
            ("bytes=3-5", Range::Part(3, 5)),
            ("bytes=3-50", Range::Part(3, 9)),
            ("bytes=-4", Range::Part(6, 9)),
            ("bytes=-40", Range::Part(0, 9)),
            ("bytes=10-", Range::Unsatisfiable),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=5-3", Range::Ignored),
            ("bytes=0-1,3-4", Range::Ignored),
            ("lines=1-2", Range::Ignored),
        ] {
            assert_eq!(parse_range(text, 10), expected, "{text}");
        }
    }
}
