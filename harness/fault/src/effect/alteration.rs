//! Wrong versions of a message: what becomes of its bytes. Pure; where a protocol keeps what is in [`MessagePlaces`].

use crate::{FaultError, arguments::Arguments};
use serde_json::{Map, Value, json};

/// A change of the bytes of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Alteration {
    /// It is no proper message any more.
    Malform(Malformation),
    /// A part every message has is another.
    Part {
        /// Which.
        part: MessagePart,
        /// What stands there; `None` = something that is wrong for sure.
        value: Option<Value>,
    },
    /// One member is another.
    Member {
        /// Names from the outside in.
        path: Vec<String>,
        /// What stands there; `None` = the member is not there.
        value: Option<Value>,
    },
    /// A member nobody knows makes it longer.
    Pad {
        /// Length of its text in bytes.
        bytes: usize,
    },
}

/// How a message is not proper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformation {
    /// Its last byte is missing: a JSON text that does not end.
    Broken,
    /// Its second half is missing.
    Truncated,
    /// Bytes follow it.
    Trailing,
    /// One byte is no UTF-8.
    NotUtf8,
    /// Nothing at all.
    Empty,
    /// A JSON list with the message in it.
    Array,
    /// A thousand JSON lists around it.
    Deep,
    /// Every value of its content has another JSON type.
    WrongTypes,
}

/// A part messages of a protocol have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessagePart {
    /// What ties an answer to it.
    Transaction,
    /// What kind of message it is.
    Kind,
    /// Version of the protocol.
    Version,
}

/// Where a protocol keeps its parts inside a JSON message, by names from the outside in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessagePlaces {
    /// What ties an answer to it.
    pub transaction: Option<&'static [&'static str]>,
    /// What kind of message it is.
    pub kind: Option<&'static [&'static str]>,
    /// Version of the protocol.
    pub version: Option<&'static [&'static str]>,
    /// The object with the members of this kind of message.
    pub content: &'static [&'static str],
}

impl MessagePlaces {
    fn of(&self, part: MessagePart) -> Option<&'static [&'static str]> {
        match part {
            MessagePart::Transaction => self.transaction,
            MessagePart::Kind => self.kind,
            MessagePart::Version => self.version,
        }
    }
}

impl Alteration {
    /// The alteration of `cloud.KIND`; `None` if there is none of that kind.
    pub(super) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<Alteration>, FaultError> {
        let part = |part, name| Alteration::Part {
            part,
            value: read.value(name).cloned(),
        };
        Ok(Some(match kind {
            "malform" => {
                let how = read.text("how")?.ok_or(read.missing("how"))?;
                let known = Malformation::ALL.iter().find(|(name, _)| *name == how);
                Alteration::Malform(known.ok_or(read.bad("how", "no such way"))?.1)
            }
            "wrong_txn" => part(MessagePart::Transaction, "txn"),
            "unknown_type" => part(MessagePart::Kind, "type"),
            "wrong_version" => part(MessagePart::Version, "version"),
            "member" => {
                let path = read.text("path")?.ok_or(read.missing("path"))?;
                Alteration::Member {
                    path: path.split('.').map(str::to_owned).collect(),
                    value: read.value("value").cloned(),
                }
            }
            "pad" => Alteration::Pad {
                bytes: read
                    .count_in("bytes", 0..=16 << 20, "must be 16777216 at most")?
                    .ok_or(read.missing("bytes"))?,
            },
            _ => return Ok(None),
        }))
    }

    /// The altered bytes of a message; `None` where this message cannot be altered so. `draw` decides what is not said.
    pub fn apply(&self, payload: &[u8], places: &MessagePlaces, draw: u64) -> Option<Vec<u8>> {
        match self {
            Alteration::Malform(how) => how.apply(payload, places, draw),
            Alteration::Part { part, value } => {
                let path = places.of(*part)?;
                edit(payload, path, false, |member| {
                    *member = value.clone().unwrap_or_else(|| wrong(*part, member, draw));
                })
            }
            Alteration::Member {
                path,
                value: Some(value),
            } => edit(payload, path, true, |member| *member = value.clone()),
            Alteration::Member { path, value: None } => {
                let (name, above) = path.split_last()?;
                let mut removed = None;
                let altered = edit(payload, above, false, |object| {
                    removed = object
                        .as_object_mut()
                        .and_then(|members| members.shift_remove(name));
                })?;
                removed.map(|_| altered)
            }
            Alteration::Pad { bytes } => edit(payload, places.content, false, |content| {
                if let Value::Object(members) = content {
                    members.insert("padding".to_owned(), json!("x".repeat(*bytes)));
                }
            }),
        }
    }
}

impl Malformation {
    const ALL: [(&'static str, Malformation); 8] = [
        ("broken", Malformation::Broken),
        ("truncated", Malformation::Truncated),
        ("trailing", Malformation::Trailing),
        ("not_utf8", Malformation::NotUtf8),
        ("empty", Malformation::Empty),
        ("array", Malformation::Array),
        ("deep", Malformation::Deep),
        ("wrong_types", Malformation::WrongTypes),
    ];

    fn apply(self, payload: &[u8], places: &MessagePlaces, draw: u64) -> Option<Vec<u8>> {
        let (last, rest) = payload.split_last()?;
        Some(match self {
            Malformation::Broken => rest.to_vec(),
            Malformation::Truncated => payload[..payload.len() / 2].to_vec(),
            Malformation::Trailing => [payload, b" trailing"].concat(),
            Malformation::NotUtf8 => {
                // Inside, where only a text or the syntax can be: nobody may read over it.
                let at = 1 + usize::try_from(draw % (rest.len().max(2) as u64 - 1)).ok()?;
                let mut bytes = payload.to_vec();
                *bytes.get_mut(at)? = 0xff;
                bytes
            }
            Malformation::Empty => Vec::new(),
            Malformation::Array => [b"[", rest, &[*last], b"]"].concat(),
            Malformation::Deep => [&[b'['; DEEP][..], payload, &[b']'; DEEP]].concat(),
            Malformation::WrongTypes => {
                let kind = places.kind.unwrap_or_default();
                return edit(payload, places.content, false, |content| {
                    if let Value::Object(members) = content {
                        retype(members, places.content, kind);
                    }
                });
            }
        })
    }
}

/// The JSON text with one member edited; `None` if there is no such member. With `adds` one that is missing at the end
/// of the path is null before the edit.
fn edit(
    payload: &[u8],
    path: &[impl AsRef<str>],
    adds: bool,
    change: impl FnOnce(&mut Value),
) -> Option<Vec<u8>> {
    let mut message: Value = serde_json::from_slice(payload).ok()?;
    let mut member = &mut message;
    for (index, name) in path.iter().enumerate() {
        let members = member.as_object_mut()?;
        member = match adds && index + 1 == path.len() {
            true => members.entry(name.as_ref()).or_insert(Value::Null),
            false => members.get_mut(name.as_ref())?,
        };
    }
    change(member);
    Some(message.to_string().into_bytes())
}

/// Gives every member but the kind another type.
fn retype(members: &mut Map<String, Value>, content: &[&str], kind: &[&str]) {
    for (name, value) in members {
        let is_kind = kind
            .split_last()
            .is_some_and(|(last, above)| above == content && last == name);
        if !is_kind {
            *value = match value {
                Value::Null | Value::Bool(_) => json!([1]),
                Value::Number(_) => json!("seven"),
                Value::String(_) => json!(7),
                Value::Array(_) => json!({"not": "a list"}),
                Value::Object(_) => json!(["not a map"]),
            };
        }
    }
}

/// Something that is surely not what stands there.
fn wrong(part: MessagePart, right: &Value, draw: u64) -> Value {
    match (part, right) {
        (MessagePart::Transaction, Value::Number(_)) => json!((1_u64 << 40) + draw % (1 << 32)),
        (MessagePart::Transaction, _) => {
            let (high, low) = (draw >> 32, draw & 0xffff_ffff);
            json!(format!("{high:08x}-{:04x}-4000-8000-{low:012x}", high & 0xffff))
        }
        (MessagePart::Kind, _) => json!("noSuchMessage"),
        (MessagePart::Version, _) => json!(6),
    }
}

/// Levels that are more than a parser has to follow.
const DEEP: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: MessagePlaces = MessagePlaces {
        transaction: Some(&["header", "txn"]),
        kind: Some(&["data", "messageType"]),
        version: Some(&["header", "version"]),
        content: &["data"],
    };

    const MESSAGE: &str = r#"{"header":{"version":7,"txn":"t"},"data":{"messageType":"m","items":[],"n":1}}"#;

    fn altered(name: &str, arguments: Value) -> Option<String> {
        let map = arguments.as_object().expect("a map");
        let read = Arguments { fault: name, map };
        let alteration = Alteration::parse(name, &read).expect("proper").expect("known");
        let bytes = alteration.apply(MESSAGE.as_bytes(), &PLACES, 5)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn parts_and_members_are_changed_and_nothing_else() {
        for (name, arguments, from, to) in [
            ("wrong_txn", json!({"txn": "u"}), r#""txn":"t""#, r#""txn":"u""#),
            (
                "wrong_txn",
                json!({}),
                r#""txn":"t""#,
                r#""txn":"00000000-0000-4000-8000-000000000005""#,
            ),
            (
                "unknown_type",
                json!({}),
                r#""messageType":"m""#,
                r#""messageType":"noSuchMessage""#,
            ),
            ("wrong_version", json!({}), r#""version":7"#, r#""version":6"#),
            (
                "wrong_version",
                json!({"version": "x"}),
                r#""version":7"#,
                r#""version":"x""#,
            ),
            (
                "member",
                json!({"path": "data.n", "value": 2}),
                r#""n":1"#,
                r#""n":2"#,
            ),
            ("member", json!({"path": "data.n"}), r#","n":1"#, ""),
            ("pad", json!({"bytes": 3}), r#""n":1"#, r#""n":1,"padding":"xxx""#),
            (
                "malform",
                json!({"how": "wrong_types"}),
                r#""items":[],"n":1"#,
                r#""items":{"not":"a list"},"n":"seven""#,
            ),
        ] {
            assert_eq!(
                altered(name, arguments),
                Some(MESSAGE.replace(from, to)),
                "{name}"
            );
        }
        assert_eq!(altered("member", json!({"path": "data.none"})), None);
        assert_eq!(altered("member", json!({"path": "none.n", "value": 1})), None);
    }

    #[test]
    fn what_is_malformed_is_no_message() {
        for (how, _) in Malformation::ALL {
            let text = altered("malform", json!({"how": how})).expect("possible");
            assert_ne!(text, MESSAGE, "{how}");
            if how != "wrong_types" {
                let read: Result<Map<String, Value>, _> = serde_json::from_str(&text);
                assert!(read.is_err() || text.contains('\u{fffd}'), "{how}: {text}");
            }
        }
    }
}
