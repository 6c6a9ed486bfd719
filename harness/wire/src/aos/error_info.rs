//! What went wrong on the unit: the `errorInfo` object (reference section 3.0).

use super::{
    object::object,
    rule::{NumberRule, Rules},
    text::Text,
};

object! {
    /// An error; the member that holds it is left out when there is none.
    #[derive(Eq, Default)]
    pub struct ErrorInfo<S> {
        /// Code of the unit's software, see [`AosCode`].
        "aosCode" => expected aos_code: i64 = Rules::number(NumberRule::AosCode);
        /// Exit code of a process, 0 if none was involved.
        "exitCode" => expected exit_code: i64;
        /// Text for people, at most 64 characters on units.
        "message" => expected message: S = Rules::most(64);
    }
}

impl ErrorInfo {
    /// An error without exit code.
    pub fn new(code: AosCode, message: impl Into<String>) -> Self {
        ErrorInfo {
            aos_code: code.code(),
            exit_code: 0,
            message: message.into(),
        }
    }
}

impl<S: Text> ErrorInfo<S> {
    /// The code by name, if it is a known one.
    pub fn code(&self) -> Option<AosCode> {
        AosCode::from_code(self.aos_code)
    }
}

/// The error codes of the unit's software, 0 to 14 (reference section 3.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AosCode {
    /// No error.
    None,
    /// Not said more precisely.
    Failed,
    /// Error at run time.
    Runtime,
    /// Out of memory.
    NoMemory,
    /// Out of range.
    OutOfRange,
    /// Not found.
    NotFound,
    /// Invalid argument.
    InvalidArgument,
    /// Timeout.
    Timeout,
    /// Exists already.
    AlreadyExists,
    /// Wrong state.
    WrongState,
    /// A checksum does not match.
    InvalidChecksum,
    /// Logged in already.
    AlreadyLoggedIn,
    /// Not supported.
    NotSupported,
    /// End of file.
    EndOfFile,
    /// Cancelled.
    Cancelled,
}

impl AosCode {
    /// Every code; the position is the number.
    pub const ALL: [AosCode; 15] = [
        AosCode::None,
        AosCode::Failed,
        AosCode::Runtime,
        AosCode::NoMemory,
        AosCode::OutOfRange,
        AosCode::NotFound,
        AosCode::InvalidArgument,
        AosCode::Timeout,
        AosCode::AlreadyExists,
        AosCode::WrongState,
        AosCode::InvalidChecksum,
        AosCode::AlreadyLoggedIn,
        AosCode::NotSupported,
        AosCode::EndOfFile,
        AosCode::Cancelled,
    ];

    /// The number on the wire.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The code of that number.
    pub fn from_code(code: i64) -> Option<Self> {
        AosCode::ALL.get(usize::try_from(code).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_agree() {
        for (number, code) in (0..).zip(AosCode::ALL) {
            assert_eq!(code.code(), number);
            assert_eq!(AosCode::from_code(number), Some(code));
        }
        assert_eq!(AosCode::from_code(15), None);
        assert_eq!(AosCode::InvalidChecksum.code(), 10);
    }
}
