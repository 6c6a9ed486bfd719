//! Placeholders in arguments and templates.

use crate::Values;

/// A placeholder nothing is known for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: unknown placeholder `{{{name}}}`{}; known are {known}", nearest.as_ref().map_or_else(String::new, |name| format!(", did you mean `{{{name}}}`?")))]
pub struct UnknownPlaceholder {
    /// Its name.
    pub name: String,
    /// Line in the text, from 1.
    pub line: usize,
    /// The known name most like it, if one is.
    pub nearest: Option<String>,
    /// All known names.
    pub known: String,
}

/// Replaces each `{name}`, where a name is a lower-case letter and then lower-case letters, digits and `_`. Other
/// braces stay as they are; `{{name}}` becomes `{name}`.
pub(crate) fn substitute(text: &str, values: &Values) -> Result<String, UnknownPlaceholder> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(name) = rest.strip_prefix('{').and_then(|inner| name_before(inner, "}")) {
            let value = values.get(name).ok_or_else(|| {
                let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
                unknown(name, line, values)
            })?;
            result.push_str(value);
            rest = &rest[name.len() + 2..];
        } else if let Some(name) = rest.strip_prefix("{{").and_then(|inner| name_before(inner, "}}")) {
            result.push_str(&rest[1..name.len() + 3]);
            rest = &rest[name.len() + 4..];
        } else {
            result.push('{');
            rest = &rest[1..];
        }
    }
    result.push_str(rest);
    Ok(result)
}

/// The name at the start of a text, if `close` follows it.
fn name_before<'t>(text: &'t str, close: &str) -> Option<&'t str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let end = text.find(|c| !plain(c))?;
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase());
    (is_name && rest.starts_with(close)).then_some(name)
}

fn unknown(name: &str, line: usize, values: &Values) -> UnknownPlaceholder {
    UnknownPlaceholder {
        name: name.to_owned(),
        line,
        nearest: hil_unit::suggest(name, values.names()).map(str::to_owned),
        known: values.names().collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<String, UnknownPlaceholder> {
        let mut values = Values::default();
        values.set("base_url", "http://cloud");
        values.set("device_key", "k{base_url}");
        substitute(text, &values)
    }

    #[test]
    fn placeholders_are_replaced_once_and_other_braces_stay() {
        for (text, expected) in [
            ("{base_url}/x", "http://cloud/x"),
            ("{device_key}", "k{base_url}"),
            ("{\"a\": {\"b\": {}}}", "{\"a\": {\"b\": {}}}"),
            ("{{base_url}}", "{base_url}"),
            ("{{other}}", "{other}"),
            ("{a: {base_url}}", "{a: http://cloud}"),
            (
                "${HOME} {Base} { base_url } {9} {",
                "${HOME} {Base} { base_url } {9} {",
            ),
            ("{{{base_url}}}", "{{base_url}}"),
            ("ä{base_url}ö", "ähttp://cloudö"),
        ] {
            assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn unknown_placeholders_are_named() {
        let refused = expand("first\nkey={device_kye}\n").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "line 2: unknown placeholder `{device_kye}`, did you mean `{device_key}`?; known are base_url, device_key"
        );
        assert_eq!(expand("{zzz}").unwrap_err().nearest, None);
    }
}
