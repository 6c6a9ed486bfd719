//! Names on a bus: what is one (D-Bus specification, "Valid Names" and "Valid Object Paths").

/// True for a well-known or unique name of a connection.
pub fn is_bus_name(text: &str) -> bool {
    let unique = text.strip_prefix(':');
    let element = |part: &str| {
        let begins = unique.is_some() || !part.starts_with(|c: char| c.is_ascii_digit());
        !part.is_empty() && begins && part.bytes().all(|byte| is_letter(byte) || byte == b'-')
    };
    let rest = unique.unwrap_or(text);
    text.len() <= MOST && rest.contains('.') && rest.split('.').all(element)
}

/// True for the name of an interface or an error.
pub fn is_interface(text: &str) -> bool {
    text.len() <= MOST && text.contains('.') && text.split('.').all(is_element)
}

/// True for the name of a method or signal.
pub fn is_member(text: &str) -> bool {
    text.len() <= MOST && is_element(text)
}

/// True for the path of an object.
pub fn is_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else {
        return false;
    };
    let element = |part: &str| !part.is_empty() && part.bytes().all(is_letter);
    rest.is_empty() || rest.split('/').all(element)
}

fn is_element(part: &str) -> bool {
    let begins = part.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    begins && part.bytes().all(is_letter)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Longest name in bytes.
const MOST: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_others() {
        for good in ["org.genivi.SotaClient", ":1.42", "a.b-c"] {
            assert!(is_bus_name(good), "{good}");
        }
        for wrong in ["", "org", "org..x", ".a.b", "a.b.", "a.1b", "a.b c", ":1"] {
            assert!(!is_bus_name(wrong), "{wrong}");
        }
        assert!(!is_bus_name(&format!("a.{}", "b".repeat(255))));
        assert!(is_interface("Error.MissingArgument") && !is_interface("Error") && !is_interface("a.b-c"));
        assert!(is_member("initiateDownload") && !is_member("a.b") && !is_member("1a") && !is_member(""));
        assert!(is_path("/") && is_path("/org/genivi") && !is_path("/a/") && !is_path("a") && !is_path("//"));
    }
}
