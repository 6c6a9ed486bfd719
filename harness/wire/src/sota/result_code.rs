//! The twenty outcomes of an operation (reference section 1.6).

use super::members::{Codes, Context, Read};
use crate::oddity::OddityKind;
use serde_json::Value;
use std::fmt;

/// A result code: a number from 0 to 19 in what the client writes, a name in what it reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultCode(u8);

impl ResultCode {
    /// The operation succeeded.
    pub const OK: ResultCode = ResultCode(0);
    /// The operation had been done before; counts as success.
    pub const ALREADY_PROCESSED: ResultCode = ResultCode(1);
    /// The image is damaged or not authentic.
    pub const VALIDATION_FAILED: ResultCode = ResultCode(3);
    /// The installation failed.
    pub const INSTALL_FAILED: ResultCode = ResultCode(4);
    /// No such package.
    pub const NOT_FOUND: ResultCode = ResultCode(16);
    /// Another error; reported by the client itself after a failed download.
    pub const GENERAL_ERROR: ResultCode = ResultCode(19);

    /// Every code in order.
    pub fn all() -> impl Iterator<Item = ResultCode> {
        (0..NAMES.len() as u8).map(ResultCode)
    }

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The code of a number from 0 to 19.
    pub fn from_number(number: u64) -> Option<ResultCode> {
        u8::try_from(number)
            .ok()
            .filter(|&number| usize::from(number) < NAMES.len())
            .map(ResultCode)
    }

    /// The name, in upper case.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// The code of an exact name.
    pub fn from_name(name: &str) -> Option<ResultCode> {
        ResultCode::all().find(|code| code.name() == name)
    }

    /// The code of a word of the text grammar: a number without sign or leading zero, or a name in any
    /// letter case.
    pub fn from_word(word: &str) -> Option<ResultCode> {
        ResultCode::all().find(|code| code.0.to_string() == word || code.name().eq_ignore_ascii_case(word))
    }

    /// True for 0 and 1.
    pub fn is_success(self) -> bool {
        self.0 <= 1
    }

    pub(super) fn to_value(self, codes: Codes) -> Value {
        match codes {
            Codes::Names => self.name().into(),
            Codes::Numbers => self.0.into(),
        }
    }
}

impl Read for ResultCode {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let (code, expected) = match value {
            Value::String(name) => (ResultCode::from_name(name), Codes::Names),
            Value::Number(number) => (number.as_u64().and_then(ResultCode::from_number), Codes::Numbers),
            _ => {
                context.invalid(OddityKind::WrongType, path, "must be a result code");
                return None;
            }
        };
        if code.is_none() {
            context.invalid(
                OddityKind::InvalidValue,
                path,
                format!("{value} is no result code"),
            );
        } else if context.codes != expected {
            let detail = match context.codes {
                Codes::Names => "the client reads names here, not numbers",
                Codes::Numbers => "the client writes numbers here, not names",
            };
            context.invalid(OddityKind::Dialect, path, detail);
        }
        code
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const NAMES: [&str; 20] = [
    "OK",
    "ALREADY_PROCESSED",
    "DEPENDENCY_FAILURE",
    "VALIDATION_FAILED",
    "INSTALL_FAILED",
    "UPGRADE_FAILED",
    "REMOVAL_FAILED",
    "FLASH_FAILED",
    "CREATE_PARTITION_FAILED",
    "DELETE_PARTITION_FAILED",
    "RESIZE_PARTITION_FAILED",
    "WRITE_PARTITION_FAILED",
    "PATCH_PARTITION_FAILED",
    "USER_DECLINED",
    "SOFTWARE_BLACKLISTED",
    "DISK_FULL",
    "NOT_FOUND",
    "OLD_VERSION",
    "INTERNAL_ERROR",
    "GENERAL_ERROR",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_numbers_or_names() {
        for code in ResultCode::all() {
            assert_eq!(ResultCode::from_word(&code.number().to_string()), Some(code));
            assert_eq!(ResultCode::from_word(&code.name().to_lowercase()), Some(code));
            assert_eq!(ResultCode::from_name(code.name()), Some(code));
        }
        for word in ["20", "-1", "+1", "00", "", "exploded"] {
            assert_eq!(ResultCode::from_word(word), None, "{word}");
        }
        assert_eq!(ResultCode::from_name("ok"), None);
        assert_eq!(ResultCode::GENERAL_ERROR.name(), "GENERAL_ERROR");
        assert_eq!(ResultCode::NOT_FOUND.name(), "NOT_FOUND");
    }
}
