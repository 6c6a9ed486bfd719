//! in-toto's Statement v1 with the test-result predicate v0.1, as far as certificates use it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Type of statements.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// Type of the predicate.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// What is claimed about subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Always [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What the claim is about; each has a digest.
    pub subject: Vec<ResourceDescriptor>,
    /// Always [`PREDICATE_TYPE`].
    pub predicate_type: String,
    /// The claim.
    pub predicate: TestResult,
}

/// The claim that tests had a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// The result.
    pub result: ResultWord,
    /// What was used to come to it.
    pub configuration: Vec<ResourceDescriptor>,
    /// Requirements that were met.
    pub passed_tests: Vec<String>,
    /// Requirements with warnings: violated SHOULDs and MAYs, and waived ones.
    pub warned_tests: Vec<String>,
    /// Always empty: a violated MUST gives no certificate.
    pub failed_tests: Vec<String>,
}

/// The three results there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ResultWord {
    /// Without a warning.
    Passed,
    /// With warnings.
    Warned,
    /// Never in a certificate.
    Failed,
}

/// Something with a name and perhaps a digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceDescriptor {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Lower-case hex by algorithm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

impl ResourceDescriptor {
    /// A name.
    pub fn named(name: &str) -> ResourceDescriptor {
        ResourceDescriptor {
            name: name.to_owned(),
            ..ResourceDescriptor::default()
        }
    }

    /// With a hex SHA-256.
    #[must_use]
    pub fn sha256(mut self, hex: &str) -> ResourceDescriptor {
        self.digest.insert("sha256".to_owned(), hex.to_owned());
        self
    }

    /// With one more annotation.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> ResourceDescriptor {
        self.annotations.insert(name.to_owned(), value.into());
        self
    }
}
