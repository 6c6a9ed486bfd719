//! Why a driver could not do something, and whose fault that is.

use hil_trace::Blame;

/// Why a unit could not be driven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// This driver cannot do that at all.
    #[error("this unit's driver cannot {0}")]
    NotSupported(String),
    /// The adapter says that it does not implement that: what needs it is not exercised.
    #[error("the unit's adapter does not implement {0}")]
    NotImplemented(String),
    /// The unit does not know that probe or stimulus.
    #[error("the unit has no {kind} `{name}`")]
    UnknownName {
        /// `probe` or `stimulus`.
        kind: &'static str,
        /// The name asked for.
        name: String,
    },
    /// An argument is missing or of the wrong kind.
    #[error("`{name}`: {problem}")]
    BadArgument {
        /// Name of the argument.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The unit ended or does not answer.
    #[error("{0}")]
    Dead(String),
    /// The surroundings failed: disk, port, permission.
    #[error("{0}")]
    Lab(String),
}

impl UnitError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            UnitError::Dead(_) => Blame::Unit,
            UnitError::Lab(_) => Blame::Lab,
            UnitError::NotSupported(_)
            | UnitError::NotImplemented(_)
            | UnitError::UnknownName { .. }
            | UnitError::BadArgument { .. } => Blame::Harness,
        }
    }
}
