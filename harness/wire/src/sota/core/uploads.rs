//! What is sent to Core: results of an update, installed packages, a package to queue; and its error body.

use crate::{
    json,
    oddity::Decoded,
    sota::{
        dialect::Dialect,
        members::{Codes, Context, Members, Read},
        package::Package,
        update_report::OperationResult,
    },
};
use serde_json::{Value, json};

/// Decodes the body of C3: results with codes as numbers.
pub fn decode_results(bytes: &[u8]) -> Decoded<Vec<OperationResult>> {
    decode(bytes)
}

/// The body of C3.
pub fn encode_results(results: &[OperationResult]) -> Value {
    results
        .iter()
        .map(|result| result.to_value(Codes::Numbers))
        .collect()
}

/// True if Core takes the results as success: every code is 0 or 1.
pub fn results_are_success(results: &[OperationResult]) -> bool {
    results.iter().all(|result| result.result_code.is_success())
}

/// Decodes the body of C4, the complete list of packages.
pub fn decode_packages(bytes: &[u8]) -> Decoded<Vec<Package>> {
    decode(bytes)
}

/// The body of C4.
pub fn encode_packages(packages: &[Package]) -> Value {
    packages.iter().map(Package::to_value).collect()
}

/// Decodes the body an operator queues an update with.
pub fn decode_queued_package(bytes: &[u8]) -> Decoded<Package> {
    decode(bytes)
}

/// The body of an error answer; the client does not act upon it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreError {
    /// Code for programs.
    pub code: String,
    /// Text for people.
    pub description: String,
}

impl CoreError {
    /// An error body.
    pub fn new(code: impl Into<String>, description: impl Into<String>) -> Self {
        CoreError {
            code: code.into(),
            description: description.into(),
        }
    }

    /// Decodes an error body.
    pub fn decode(bytes: &[u8]) -> Decoded<CoreError> {
        decode(bytes)
    }

    /// The body as JSON.
    pub fn to_value(&self) -> Value {
        json!({"code": self.code, "description": self.description})
    }
}

impl Read for CoreError {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let code = members.get("code", context);
        let description = members.get("description", context);
        members.note_unknown(context);
        Some(CoreError {
            code: code?,
            description: description?,
        })
    }
}

pub(super) fn decode<T: Read>(bytes: &[u8]) -> Decoded<T> {
    let parsed = json::parse(bytes);
    let mut context = Context::new(Dialect::Rustc, Codes::Numbers);
    context.oddities = parsed.oddities;
    let value = parsed.value.and_then(|value| T::read(&value, "", &mut context));
    Decoded {
        value,
        oddities: context.oddities,
    }
}
