//! Which of two versions is newer (reference section 2).

use semver::Version;
use std::cmp::Ordering;

/// SemVer 2.0 precedence (build metadata does not count) if both parse as SemVer; otherwise equal texts are
/// equal and different texts have no order.
pub fn compare_versions(left: &str, right: &str) -> Option<Ordering> {
    match (Version::parse(left), Version::parse(right)) {
        (Ok(left), Ok(right)) => Some(left.cmp_precedence(&right)),
        _ => (left == right).then_some(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_numbers_as_numbers() {
        assert_eq!(compare_versions("1.10.0", "1.9.0"), Some(Ordering::Greater));
        assert_eq!(compare_versions("1.0.0-rc.1", "1.0.0"), Some(Ordering::Less));
        assert_eq!(compare_versions("1.0.0+a", "1.0.0+b"), Some(Ordering::Equal));
        assert_eq!(compare_versions("16-3", "16-3"), Some(Ordering::Equal));
        assert_eq!(compare_versions("16-3", "16-4"), None);
        assert_eq!(compare_versions("1.0", "1.0.0"), None);
    }
}
