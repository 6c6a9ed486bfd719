//! Why the parameters of a command cannot be used, for both sides: the 400 answer and the unit's `failed` text.

use super::status_text;
use crate::oddity::OddityKind;

/// One parameter at fault; an empty name means the parameters as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter `{name}` {problem}")]
pub struct ParameterError {
    /// Which parameter.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: ParameterProblem,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterProblem {
    /// A required parameter is absent.
    #[error("is missing")]
    Missing,
    /// Another JSON type; the expected one with its article.
    #[error("is not {0}")]
    WrongType(&'static str),
    /// The right type, but none of these values.
    #[error("is not one of {}", .0.join(", "))]
    NotOneOf(&'static [&'static str]),
    /// The right type, but it breaks this rule.
    #[error("breaks its rule: {0}")]
    Rule(&'static str),
    /// A URL of another scheme than https.
    #[error("is not an https URL")]
    Insecure,
}

impl ParameterError {
    /// The member `allowed` of the 400 answer: the values, or the rule in words, or nothing.
    pub fn allowed(&self) -> Vec<String> {
        match &self.problem {
            ParameterProblem::Missing => Vec::new(),
            ParameterProblem::WrongType(expected) => vec![(*expected).to_owned()],
            ParameterProblem::NotOneOf(values) => values.iter().map(|v| (*v).to_owned()).collect(),
            ParameterProblem::Rule(rule) => vec![(*rule).to_owned()],
            ParameterProblem::Insecure => vec!["an https URL".to_owned()],
        }
    }

    /// The `details` of the unit's `failed` status (reference section 4.1).
    pub fn failed_details(&self) -> String {
        match (self.name, &self.problem) {
            ("checksum", ParameterProblem::Rule(_)) => status_text::INVALID_CHECKSUM_FORMAT.to_owned(),
            ("firmware_url", ParameterProblem::Insecure) => status_text::INSECURE_FIRMWARE_URL.to_owned(),
            ("start_time" | "end_time", ParameterProblem::Rule(_)) => {
                status_text::INVALID_TIME_RANGE.to_owned()
            }
            (name, _) => status_text::invalid_parameter(name),
        }
    }

    /// The same in the vocabulary of all codecs.
    pub fn oddity_kind(&self) -> OddityKind {
        match self.problem {
            ParameterProblem::Missing => OddityKind::MissingMember,
            ParameterProblem::WrongType(_) => OddityKind::WrongType,
            _ => OddityKind::InvalidValue,
        }
    }
}
