//! What an adapter says: answers and notices, each one line of JSON.

use crate::{excerpt::excerpt, notice::Notice};
use serde_json::{Map, Value};

/// One line of an adapter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// The answer to a request.
    Answer {
        /// Of which one.
        id: u64,
        /// What it says.
        answer: Answer,
    },
    /// Something that happened by itself.
    Notice(Notice),
}

/// The three answers there are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// It was done; what came of it.
    Result(Value),
    /// It failed, and why.
    Error(String),
    /// This adapter cannot do it.
    NotImplemented,
}

impl Message {
    /// Reads a line. Members nobody knows are left alone; everything else that is out of place is said.
    pub(crate) fn read(line: &[u8]) -> Result<Message, String> {
        let wrong = |what: &str| format!("{what}: {}", excerpt(line));
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| wrong(&format!("a line that is no JSON ({error})")))?;
        let Value::Object(object) = value else {
            return Err(wrong("a line that is no JSON object"));
        };
        if object.contains_key("event") {
            return Notice::read(&object)
                .map(Message::Notice)
                .map_err(|problem| wrong(&problem));
        }
        let id = object
            .get("id")
            .ok_or_else(|| wrong("a line with neither `id` nor `event`"))?;
        let id = id
            .as_u64()
            .ok_or_else(|| wrong("a line whose `id` is no number of a request"))?;
        let answer = Answer::read(&object).map_err(wrong)?;
        Ok(Message::Answer { id, answer })
    }
}

impl Answer {
    fn read(object: &Map<String, Value>) -> Result<Answer, &'static str> {
        let said = ["result", "error", "not_implemented"].map(|name| object.get(name));
        match said {
            [Some(result), None, None] => Ok(Answer::Result(result.clone())),
            [None, Some(Value::String(text)), None] => Ok(Answer::Error(text.clone())),
            [None, Some(_), None] => Err("an answer whose `error` is no text"),
            [None, None, Some(Value::Bool(true))] => Ok(Answer::NotImplemented),
            [None, None, Some(_)] => Err("an answer whose `not_implemented` is not true"),
            [None, None, None] => Err("an answer with neither `result` nor `error` nor `not_implemented`"),
            _ => Err("an answer with more than one of `result`, `error` and `not_implemented`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_three_answers_are_read() {
        let answer = |line: &str| match Message::read(line.as_bytes()).unwrap() {
            Message::Answer { id, answer } => (id, answer),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            answer(r#"{"id": 1, "result": {}}"#),
            (1, Answer::Result(json!({})))
        );
        assert_eq!(
            answer(r#"{"id": 1, "result": null, "took": 3}"#),
            (1, Answer::Result(json!(null)))
        );
        assert_eq!(
            answer(r#"{"id": 7, "error": "no power switch"}"#),
            (7, Answer::Error("no power switch".into()))
        );
        assert_eq!(
            answer(r#"{"id": 8, "not_implemented": true}"#),
            (8, Answer::NotImplemented)
        );
    }

    #[test]
    fn what_is_no_answer_is_said_with_what_it_was() {
        for (line, said) in [
            (
                "ready",
                "a line that is no JSON (expected value at line 1 column 1): `ready`",
            ),
            ("[1]", "a line that is no JSON object: `[1]`"),
            ("{}", "a line with neither `id` nor `event`: `{}`"),
            (
                r#"{"id": "1", "result": 1}"#,
                r#"a line whose `id` is no number of a request: `{"id": "1", "result": 1}`"#,
            ),
            (
                r#"{"id": -1, "result": 1}"#,
                r#"a line whose `id` is no number of a request: `{"id": -1, "result": 1}`"#,
            ),
            (
                r#"{"id": 1}"#,
                r#"an answer with neither `result` nor `error` nor `not_implemented`: `{"id": 1}`"#,
            ),
            (
                r#"{"id": 1, "result": 1, "error": "x"}"#,
                r#"an answer with more than one of `result`, `error` and `not_implemented`: `{"id": 1, "result": 1, "error": "x"}`"#,
            ),
            (
                r#"{"id": 1, "error": 5}"#,
                r#"an answer whose `error` is no text: `{"id": 1, "error": 5}`"#,
            ),
            (
                r#"{"id": 1, "not_implemented": false}"#,
                r#"an answer whose `not_implemented` is not true: `{"id": 1, "not_implemented": false}`"#,
            ),
            (
                r#"{"event": "smoke"}"#,
                r#"an event `smoke` nobody knows: `{"event": "smoke"}`"#,
            ),
        ] {
            assert_eq!(Message::read(line.as_bytes()), Err(said.to_owned()), "{line}");
        }
        assert!(Message::read(&[b'['; 100_000]).is_err());
    }
}
