//! Canonical JSON (RFC 8785): the one text of a JSON value that signatures cover.

use serde_json::{Number, Value};

/// Writes a value canonically: members sorted by UTF-16 code units, no spaces, shortest escapes, numbers as
/// ECMAScript writes doubles. Integers beyond 2^53 lose precision, as the RFC has it.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => write_number(number, text),
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            text.push('{');
            for (index, (name, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(name, text);
                text.push(':');
                write_value(value, text);
            }
            text.push('}');
        }
    }
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            c if c < ' ' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}

/// `Number::toString` of ECMAScript, section 6.1.6.1.20, from Rust's shortest digits.
fn write_number(number: &Number, text: &mut String) {
    let value = number.as_f64().unwrap_or_default();
    if value == 0.0 {
        return text.push('0');
    }
    if value < 0.0 {
        text.push('-');
    }
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let count = digits.len() as i32;
    // the value is 0.<digits> times ten to the power of `point`
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    match point {
        _ if count <= point && point <= 21 => {
            text.push_str(&digits);
            text.extend(std::iter::repeat_n('0', (point - count) as usize));
        }
        1..=21 => {
            let (whole, fraction) = digits.split_at(point as usize);
            text.push_str(whole);
            text.push('.');
            text.push_str(fraction);
        }
        -5..=0 => {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', -point as usize));
            text.push_str(&digits);
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            text.push_str(first);
            if !rest.is_empty() {
                text.push('.');
                text.push_str(rest);
            }
            text.push_str(&format!("e{:+}", point - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writes_numbers_as_ecmascript_does() {
        for (number, text) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("1", "1"),
            ("-17", "-17"),
            ("4.50", "4.5"),
            ("2e-3", "0.002"),
            ("1e-6", "0.000001"),
            ("1e-7", "1e-7"),
            ("0.000000000000000000000000001", "1e-27"),
            ("1E30", "1e+30"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("333333333.33333329", "333333333.3333333"),
            ("9007199254740991", "9007199254740991"),
            ("9007199254740993", "9007199254740992"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("5e-324", "5e-324"),
            ("-1.5e-10", "-1.5e-10"),
        ] {
            let value: Value = serde_json::from_str(number).unwrap();
            assert_eq!(canonical_json(&value), text, "{number}");
        }
    }

    #[test]
    fn sorts_members_by_utf16_and_escapes_little() {
        let value =
            json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let expected =
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical_json(&value), expected);
        let text = json!(["\u{20ac}$\u{f}\nA'B\"\\\\\"/", true, null, []]);
        assert_eq!(
            canonical_json(&text),
            "[\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",true,null,[]]"
        );
    }
}
