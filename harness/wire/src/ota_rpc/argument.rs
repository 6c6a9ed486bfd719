//! The unit's lenient reading of arguments (reference section 3): what a JSON value means where an integer
//! or a boolean is expected.

use serde_json::Value;

/// A value where an integer is expected. JSON integers and strings holding a decimal or `0x` number count;
/// everything else leaves the argument unset. Values beyond 2^31-1 wrap.
pub fn read_integer(value: &Value) -> Option<i32> {
    let wide = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => read_digits(text)?,
        _ => return None,
    };
    Some(wide as i32)
}

/// A value where a boolean is expected: `true` is true, whatever else is present is false.
pub fn read_boolean(value: &Value) -> bool {
    value == &Value::Bool(true)
}

/// An integer argument by name; `None` if absent or unusable.
pub fn integer(arguments: Option<&Value>, name: &str) -> Option<i32> {
    arguments?.get(name).and_then(read_integer)
}

/// A boolean argument by name; `None` only if absent.
pub fn boolean(arguments: Option<&Value>, name: &str) -> Option<bool> {
    arguments?.get(name).map(read_boolean)
}

/// A string argument by name; `None` if absent or not a string.
pub fn text<'a>(arguments: Option<&'a Value>, name: &str) -> Option<&'a str> {
    arguments?.get(name)?.as_str()
}

fn read_digits(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    // more digits than fit saturate before they wrap, as the C library does
    let magnitude = i64::from_str_radix(digits, radix).unwrap_or(i64::MAX);
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn integers() {
        let cases = [
            (json!(300), Some(300)),
            (json!("300"), Some(300)),
            (json!("0x10"), Some(16)),
            (json!(-5), Some(-5)),
            (json!("-5"), Some(-5)),
            (json!(2_147_483_647), Some(i32::MAX)),
            (json!(2_147_483_648_i64), Some(i32::MIN)),
            (json!("4294967297"), Some(1)),
            (json!("300s"), None),
            (json!("abc"), None),
            (json!(""), None),
            (json!("0x"), None),
            (json!("--5"), None),
            (json!(12.9), None),
            (json!(true), None),
            (json!(null), None),
            (json!([3]), None),
        ];
        for (value, expected) in cases {
            assert_eq!(read_integer(&value), expected, "{value}");
        }
    }

    #[test]
    fn booleans() {
        let cases = [
            (json!(true), true),
            (json!(false), false),
            (json!("true"), false),
            (json!(1), false),
            (json!(null), false),
        ];
        for (value, expected) in cases {
            assert_eq!(read_boolean(&value), expected, "{value}");
        }
        assert_eq!(boolean(Some(&json!({})), "is_committed"), None);
    }
}
