//! The identifier rules of the device command API (reference section 3.1).

/// Command id: 1..=64 of `A-Z a-z 0-9 _ -`.
pub fn is_command_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Device id: 1..=128 of `A-Z a-z 0-9 : _ -`, and not `status`, which is the path of status reports.
pub fn is_device_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text != "status"
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_to_the_patterns() {
        assert!(is_command_id("cmd_reset-001") && is_command_id(&"c".repeat(64)));
        assert!(!is_command_id("") && !is_command_id("../../cfg") && !is_command_id(&"c".repeat(65)));
        assert!(is_device_id("BCGMCU_001") && !is_device_id("status") && !is_device_id("a/b"));
    }
}
