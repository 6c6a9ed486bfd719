//! Text that came from outside, made harmless and short; figures in words.

use serde_json::Value;

/// One line: control characters shown as escapes, white space folded, direction overrides removed.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\n' | '\t' | '\r' | ' ' => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if is_override(c) => out.push('\u{fffd}'),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// Several lines, each without control characters.
pub(crate) fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {}
            c if is_override(c) => out.push('\u{fffd}'),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// One line of at most `limit` characters, an ellipsis included.
pub(crate) fn short(text: &str, limit: usize) -> String {
    let text = line(text);
    if text.chars().count() <= limit {
        return text;
    }
    let mut out: String = text.chars().take(limit.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// A line that is clean already, cut to `limit` characters; leading blanks stay.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Bytes as one short line: text if they are UTF-8, else their number and the first few in hex.
pub(crate) fn bytes(bytes: &[u8], length: u64, limit: usize) -> String {
    if bytes.is_empty() && length > 0 {
        return format!("{length} bytes");
    }
    // a cut in the middle of a character must not turn text into hex
    let head = &bytes[..bytes.len().min(limit * 4 + 4)];
    match std::str::from_utf8(head) {
        Ok(text) => short(text, limit),
        Err(error) if error.error_len().is_none() && head.len() < bytes.len() => {
            short(&String::from_utf8_lossy(&head[..error.valid_up_to()]), limit)
        }
        Err(_) => {
            let hex: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
            let more = if bytes.len() > 8 { " …" } else { "" };
            format!("{length} bytes: {}{more}", hex.join(" "))
        }
    }
}

/// A JSON value as one short line: strings bare, the rest compact JSON.
pub(crate) fn value(value: &Value, limit: usize) -> String {
    match value {
        Value::String(text) => short(text, limit),
        other => short(&other.to_string(), limit),
    }
}

/// `1 record`, `3 records`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// A span in seconds as people say it: `850 µs`, `12 ms`, `3.2 s`, `5 min 0 s`, `2 h 5 min`.
pub(crate) fn span(seconds: f64) -> String {
    let micros = (seconds * 1e6).round();
    match seconds {
        s if !s.is_finite() || s < 0.0 => "?".to_owned(),
        _ if micros == 0.0 => "0 s".to_owned(),
        _ if micros < 1_000.0 => format!("{micros} µs"),
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 600.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{} min {} s", (s / 60.0) as u64, (s % 60.0) as u64),
        s => format!("{} h {} min", (s / 3600.0) as u64, (s % 3600.0 / 60.0) as u64),
    }
}

/// Record numbers with ranges folded: `#3–5, #9`.
pub(crate) fn numbers(seqs: &[u64]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = seqs;
    while let [first, ..] = rest {
        let run = rest
            .windows(2)
            .take_while(|w| w[1] == w[0].wrapping_add(1))
            .count();
        match run {
            0 => parts.push(format!("#{first}")),
            1 => parts.extend([format!("#{first}"), format!("#{}", first + 1)]),
            n => parts.push(format!("#{first}–{}", rest[n])),
        }
        rest = &rest[run + 1..];
    }
    parts.join(", ")
}

/// Wraps one line of words to `width`; a longer word stands alone.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("never empty");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

/// Marks that change the direction of the text around them.
fn is_override(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_and_overrides_are_shown_not_obeyed() {
        assert_eq!(line("a\x1b[31mred\nb\u{202e}c\r"), "a\\x1b[31mred b\u{fffd}c");
        assert_eq!(block("a\x07\r\nb"), "a\\x07\nb");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(short("äöüß", 3), "äö…");
        assert_eq!(short("äöü", 3), "äöü");
        assert_eq!(bytes("äöüäöüäöüäöüäöüäöü".as_bytes(), 36, 3), "äö…");
        assert_eq!(bytes(&[0xff, 0x00], 2, 40), "2 bytes: ff 00");
        assert_eq!(bytes(&[], 5, 40), "5 bytes");
    }

    #[test]
    fn spans_are_said_in_fitting_units() {
        let said: Vec<String> = [0.0, 0.00085, 0.012, 0.9999, 3.2, 45.0, 599.0, 4500.0, 86400.0]
            .into_iter()
            .map(span)
            .collect();
        let expected = [
            "0 s",
            "850 µs",
            "12 ms",
            "1.00 s",
            "3.20 s",
            "45.0 s",
            "599.0 s",
            "75 min 0 s",
            "24 h 0 min",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn record_numbers_fold_into_ranges() {
        assert_eq!(numbers(&[1, 2, 5, 7, 8, 9]), "#1, #2, #5, #7–9");
        assert_eq!(numbers(&[]), "");
    }

    #[test]
    fn words_wrap_at_the_width() {
        assert_eq!(wrap("aa bb cccccc d", 5), ["aa bb", "cccccc", "d"]);
    }
}
