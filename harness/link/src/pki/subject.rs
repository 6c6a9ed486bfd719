//! Whom a certificate names.

use rcgen::{DistinguishedName, DnType};

/// Subject of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Common name; empty = none.
    pub common_name: String,
    /// Organization; empty = none. AosEdge units may take the discovery host from it (reference section 2).
    pub organization: String,
}

impl Subject {
    /// A subject with a common name only.
    pub fn named(common_name: impl Into<String>) -> Self {
        Subject {
            common_name: common_name.into(),
            organization: String::new(),
        }
    }

    /// The same with an organization.
    #[must_use]
    pub fn of(mut self, organization: impl Into<String>) -> Self {
        self.organization = organization.into();
        self
    }

    /// As rcgen takes it.
    pub(super) fn distinguished_name(&self) -> DistinguishedName {
        let mut name = DistinguishedName::new();
        for (kind, value) in [
            (DnType::OrganizationName, &self.organization),
            (DnType::CommonName, &self.common_name),
        ] {
            if !value.is_empty() {
                name.push(kind, value.as_str());
            }
        }
        name
    }
}

impl From<&str> for Subject {
    fn from(common_name: &str) -> Self {
        Subject::named(common_name)
    }
}
