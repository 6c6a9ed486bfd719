//! Match rules: which signals a connection wants (D-Bus specification, "Match Rules").

use hil_wire::dbus::{Message, Value};

/// A rule as a connection gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The text, by which it is taken back.
    pub(super) text: String,
    terms: Vec<(String, String)>,
}

impl Rule {
    /// Reads a rule; `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Rule> {
        let mut terms = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=')?;
            let (value, after) = value(after)?;
            let key = key.trim();
            let indexed = key
                .strip_prefix("arg")
                .is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()));
            if !indexed && !KEYS.contains(&key) {
                return None;
            }
            terms.push((key.to_owned(), value));
            rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        }
        Some(Rule {
            text: text.to_owned(),
            terms,
        })
    }

    /// Whether a signal is wanted; `owner` gives the unique name behind a name.
    pub(super) fn fits<'a>(&self, signal: &Message, owner: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        self.terms.iter().all(|(key, value)| match key.as_str() {
            "type" => value == "signal",
            "sender" => signal.sender == *value || owner(value) == Some(&signal.sender),
            "interface" => signal.interface == *value,
            "member" => signal.member == *value,
            "path" => signal.path == *value,
            "path_namespace" => is_below(&signal.path, value, '/'),
            "destination" => signal.destination == *value,
            "arg0namespace" => text_argument(signal, 0).is_some_and(|text| is_below(&text, value, '.')),
            key => match key
                .strip_prefix("arg")
                .map(|number| number.trim_end_matches("path"))
            {
                Some(number) => {
                    let number = number.parse().ok();
                    number.and_then(|number| text_argument(signal, number)).as_deref() == Some(value)
                }
                // `eavesdrop`: nobody does here.
                None => true,
            },
        })
    }
}

fn is_below(text: &str, namespace: &str, separator: char) -> bool {
    let rest = text.strip_prefix(namespace.trim_end_matches(separator));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}

fn text_argument(signal: &Message, number: usize) -> Option<String> {
    match signal.arguments().ok()?.get(number)? {
        Value::Str(text) => Some(text.as_str().to_owned()),
        Value::ObjectPath(path) => Some(path.as_str().to_owned()),
        _ => None,
    }
}

/// A value, in quotes or not, and what comes after it.
fn value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut quoted = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            ',' if !quoted => return Some((value, &text[at..])),
            _ => value.push(letter),
        }
    }
    (!quoted).then_some((value, ""))
}

const KEYS: &[&str] = &[
    "type",
    "sender",
    "interface",
    "member",
    "path",
    "path_namespace",
    "destination",
    "arg0namespace",
    "eavesdrop",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_choose_signals() {
        let signal = Message::signal("/org/x", "a.b", "Changed").with(&[Value::from("c.d.e".to_owned())]);
        let fits = |text: &str| Rule::parse(text).is_some_and(|rule| rule.fits(&signal, &|_| None));
        for good in [
            "",
            "type='signal',interface='a.b',member='Changed'",
            "path_namespace='/org',arg0='c.d.e'",
            "arg0namespace='c.d', path=/org/x,eavesdrop='true'",
        ] {
            assert!(fits(good), "{good}");
        }
        for other in [
            "type='error'",
            "path_namespace='/or'",
            "arg0='c'",
            "arg1='c'",
            "sender='a.b'",
        ] {
            assert!(!fits(other), "{other}");
        }
        for wrong in ["type", "type='signal", "colour='red'", "argument='x'"] {
            assert_eq!(Rule::parse(wrong), None, "{wrong}");
        }
    }
}
