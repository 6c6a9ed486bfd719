//! The identifier rules of the edge poll API (reference section 2).

/// Command id: 1..=64 of `A-Z a-z 0-9 _ -`.
pub fn is_command_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Device id: 1..=128 of `A-Z a-z 0-9 : _ -`.
pub fn is_device_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-'))
}

/// Snap name: at most 40 of `a-z 0-9 -`, at least one letter, no dash at an end or beside another dash.
pub fn is_snap_name(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// Version: 1..=32 of `A-Z a-z 0-9 . + ~ : -`, a letter or digit at both ends.
pub fn is_version(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=32).contains(&bytes.len())
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'~' | b':' | b'-'))
}

/// Service name of `restart_service`: 1..=64 of `A-Z a-z 0-9 @ . _ -` (reference section 4).
pub fn is_service_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'_' | b'-'))
}

/// Error code of an acknowledgement: snake_case, 1..=64 characters (reference section 3.2).
pub fn is_error_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && text.split('_').all(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_to_the_patterns() {
        assert!(is_command_id("cmd_01-A") && is_command_id(&"a".repeat(64)));
        assert!(!is_command_id("") && !is_command_id(&"a".repeat(65)) && !is_command_id("a/b"));
        assert!(is_device_id("edge:001") && !is_device_id("edge 001"));
        assert!(is_snap_name("edge-agent") && is_snap_name("0a") && is_snap_name(&"a".repeat(40)));
        for name in ["", "-a", "a-", "a--b", "123", "A", "../edge", &"a".repeat(41)] {
            assert!(!is_snap_name(name), "{name}");
        }
        assert!(is_version("1") && is_version("1.2.3-rc.1+b:7~x"));
        for version in ["", ".1", "1.", "../../etc/x", "1/2", &"1".repeat(33)] {
            assert!(!is_version(version), "{version}");
        }
        assert!(is_service_name("getty@tty1.service") && !is_service_name("a; touch b"));
        assert!(is_error_code("no_space") && !is_error_code("No space") && !is_error_code("_a"));
    }
}
