//! What an adapter tells without being asked: console output and changes in the life of the unit.

use hil_unit::trace::{ConsoleStream, UnitChange};
use serde_json::{Map, Value};

/// One notice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Notice {
    /// Output of the unit.
    Console {
        /// Which.
        stream: ConsoleStream,
        /// The text as it came.
        text: String,
    },
    /// The unit's power, software or process changed.
    Change {
        /// How.
        change: UnitChange,
        /// What is known of it.
        facts: Map<String, Value>,
    },
}

impl Notice {
    /// Reads an object with an `event`.
    pub(crate) fn read(object: &Map<String, Value>) -> Result<Notice, String> {
        let Some(event) = object.get("event").and_then(Value::as_str) else {
            return Err("an `event` that is no text".to_owned());
        };
        if event == "console" {
            let Some(text) = object.get("text").and_then(Value::as_str) else {
                return Err("a console event without `text`".to_owned());
            };
            let stream = match object.get("stream").map(|stream| stream.as_str()) {
                None | Some(Some("serial")) => ConsoleStream::Serial,
                Some(Some("stdout")) => ConsoleStream::Stdout,
                Some(Some("stderr")) => ConsoleStream::Stderr,
                _ => return Err("a console event whose `stream` is not serial, stdout or stderr".to_owned()),
            };
            let text = text.to_owned();
            return Ok(Notice::Console { stream, text });
        }
        let (change, known): (_, &[&str]) = match event {
            "booted" => (UnitChange::Booted, &["version"]),
            "rebooted" => (UnitChange::Rebooted, &[]),
            "power_cut" => (UnitChange::PowerCut, &[]),
            "power_restored" => (UnitChange::PowerRestored, &[]),
            "exited" => (UnitChange::Exited, &["status", "signal"]),
            other => return Err(format!("an event `{}` nobody knows", short(other))),
        };
        Ok(Notice::Change {
            change,
            facts: facts(object, known),
        })
    }
}

/// The members of an object that a change may have as facts: `version` is text, `forced` a truth, others are numbers.
pub(crate) fn facts(object: &Map<String, Value>, known: &[&str]) -> Map<String, Value> {
    let fits = |name: &str, value: &Value| match name {
        "version" => value.is_string(),
        "forced" => value.is_boolean(),
        _ => value.is_i64(),
    };
    let given = known.iter().filter_map(|name| Some((*name, object.get(*name)?)));
    given
        .filter(|(name, value)| fits(name, value))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Notice, String> {
        Notice::read(value.as_object().unwrap())
    }

    #[test]
    fn notices_are_read() {
        let console = |stream, text: &str| {
            Ok(Notice::Console {
                stream,
                text: text.into(),
            })
        };
        assert_eq!(
            read(json!({"event": "console", "text": "hi\n"})),
            console(ConsoleStream::Serial, "hi\n")
        );
        let given = json!({"event": "console", "text": "", "stream": "stderr"});
        assert_eq!(read(given), console(ConsoleStream::Stderr, ""));
        let booted = read(json!({"event": "booted", "version": "2.0", "status": 1}));
        let facts = json!({"version": "2.0"}).as_object().cloned().unwrap();
        assert_eq!(
            booted,
            Ok(Notice::Change {
                change: UnitChange::Booted,
                facts
            })
        );
        let exited = read(json!({"event": "exited", "status": "0"}));
        let facts = Map::new();
        assert_eq!(
            exited,
            Ok(Notice::Change {
                change: UnitChange::Exited,
                facts
            })
        );
        assert!(read(json!({"event": 5})).is_err());
        assert!(read(json!({"event": "console"})).is_err());
        assert!(read(json!({"event": "console", "text": "", "stream": "lab"})).is_err());
    }
}
