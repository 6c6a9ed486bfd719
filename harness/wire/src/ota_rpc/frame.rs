//! The RPC frame: one JSON object for request, notification and reply (reference section 1).

use super::{
    error::{RpcError, code},
    id::Id,
    members::{Members, read_text},
    scan,
};
use crate::{
    json,
    oddity::{Decoded, Oddity, OddityKind, Weight},
};
use serde_json::{Map, Value};
use std::fmt::Write;

/// One frame. Members that are unknown or have a wrong type are kept in `other`, so nothing is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Ties a reply to its request; absent in a notification.
    pub id: Option<Id>,
    /// Sender.
    pub src: Option<String>,
    /// Recipient; absent or empty means whoever is at the other end.
    pub dst: Option<String>,
    /// `Namespace.Name`; a non-empty one makes the frame a request.
    pub method: Option<String>,
    /// Arguments.
    pub params: Option<Value>,
    /// Arguments under their older name.
    pub args: Option<Value>,
    /// Success value, possibly `null`.
    pub result: Option<Value>,
    /// Failure, or success with code 0.
    pub error: Option<RpcError>,
    /// Opaque text copied from request to reply.
    pub tag: Option<String>,
    /// Digest credentials as sent; see [`super::digest::Credentials`].
    pub auth: Option<Value>,
    /// Protocol version; ignored by units.
    pub v: Option<i64>,
    /// Pre-shared key; never checked.
    pub key: Option<String>,
    /// No response wanted; known to the Go side only.
    pub nr: Option<bool>,
    /// Seconds; ignored by units.
    pub timeout: Option<i64>,
    /// Unix seconds; ignored by units.
    pub deadline: Option<i64>,
    /// Trace context; ignored by units.
    pub trace: Option<Trace>,
    /// Everything else, as it was.
    pub other: Map<String, Value>,
}

/// `{"id": int, "span": int}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Trace id.
    pub id: i64,
    /// Span id.
    pub span: i64,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A request that is answered.
    Request,
    /// A request without id: executed, never answered.
    Notification,
    /// A reply.
    Reply,
}

/// What a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// A result, or an error of code 0.
    Success {
        /// The result; `None` if success came as code 0.
        result: Option<&'a Value>,
        /// The message beside code 0.
        message: Option<&'a str>,
    },
    /// An error whose code is not 0.
    Failure(&'a RpcError),
}

impl Frame {
    /// A request.
    pub fn request(id: impl Into<Id>, method: impl Into<String>, params: Option<Value>) -> Self {
        Frame {
            id: Some(id.into()),
            ..Frame::notification(method, params)
        }
    }

    /// A request that nobody answers.
    pub fn notification(method: impl Into<String>, params: Option<Value>) -> Self {
        Frame {
            method: Some(method.into()),
            params,
            ..Frame::default()
        }
    }

    /// The same frame with a sender.
    #[must_use]
    pub fn with_src(mut self, src: impl Into<String>) -> Self {
        self.src = Some(src.into());
        self
    }

    /// The same frame with a recipient.
    #[must_use]
    pub fn with_dst(mut self, dst: impl Into<String>) -> Self {
        self.dst = Some(dst.into());
        self
    }

    /// The reply that carries `result`; `None` for a notification. `unit_id` is the sender if the request
    /// named no recipient.
    pub fn reply(&self, unit_id: &str, result: Value) -> Option<Frame> {
        self.reply_head(unit_id).map(|head| Frame {
            result: Some(result),
            ..head
        })
    }

    /// The reply that carries `error`; `None` for a notification.
    pub fn reply_error(&self, unit_id: &str, error: RpcError) -> Option<Frame> {
        self.reply_head(unit_id).map(|head| Frame {
            error: Some(error),
            ..head
        })
    }

    /// Request, notification or reply.
    pub fn kind(&self) -> FrameKind {
        match (&self.method, &self.id) {
            (Some(method), id) if !method.is_empty() => match id {
                Some(_) => FrameKind::Request,
                None => FrameKind::Notification,
            },
            _ => FrameKind::Reply,
        }
    }

    /// The method of a request or notification.
    pub fn called_method(&self) -> Option<&str> {
        self.method.as_deref().filter(|method| !method.is_empty())
    }

    /// The arguments under either name; `params` goes first.
    pub fn arguments(&self) -> Option<&Value> {
        self.params.as_ref().or(self.args.as_ref())
    }

    /// True if the frame is meant for a unit with these ids.
    pub fn is_for(&self, unit_ids: &[&str]) -> bool {
        match self.dst.as_deref() {
            None | Some("") => true,
            Some(dst) => unit_ids.contains(&dst),
        }
    }

    /// What a reply says; `None` for requests.
    pub fn outcome(&self) -> Option<Outcome<'_>> {
        if self.kind() != FrameKind::Reply {
            return None;
        }
        Some(match &self.error {
            Some(error) if error.code != code::SUCCESS => Outcome::Failure(error),
            Some(error) => Outcome::Success {
                result: self.result.as_ref(),
                message: error.message.as_deref(),
            },
            None => Outcome::Success {
                result: self.result.as_ref(),
                message: None,
            },
        })
    }

    /// The frame as JSON.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        put("id", self.id.as_ref().map(Id::to_value));
        put("src", self.src.clone().map(Value::from));
        put("dst", self.dst.clone().map(Value::from));
        put("tag", self.tag.clone().map(Value::from));
        put("method", self.method.clone().map(Value::from));
        put("params", self.params.clone());
        put("args", self.args.clone());
        put("auth", self.auth.clone());
        put("result", self.result.clone());
        put("error", self.error.as_ref().map(RpcError::to_value));
        put("v", self.v.map(Value::from));
        put("key", self.key.clone().map(Value::from));
        put("nr", self.nr.map(Value::from));
        put("timeout", self.timeout.map(Value::from));
        put("deadline", self.deadline.map(Value::from));
        put("trace", self.trace.map(Trace::to_value));
        for (name, value) in &self.other {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(map)
    }

    /// Reads a frame from parsed JSON.
    pub fn from_value(value: Value) -> Decoded<Frame> {
        match value {
            Value::Object(map) => from_members(map),
            _ => Decoded::nothing(Oddity::invalid(
                OddityKind::WrongType,
                "",
                "a frame is a JSON object",
            )),
        }
    }

    fn reply_head(&self, unit_id: &str) -> Option<Frame> {
        let id = self.id.clone()?;
        let src = self.dst.clone().filter(|dst| !dst.is_empty());
        Some(Frame {
            id: Some(id),
            src: Some(src.unwrap_or_else(|| unit_id.to_owned())),
            dst: self.src.clone(),
            tag: self.tag.clone(),
            ..Frame::default()
        })
    }
}

impl Trace {
    fn from_value(value: &Value) -> Option<Trace> {
        Some(Trace {
            id: value.get("id")?.as_i64()?,
            span: value.get("span")?.as_i64()?,
        })
    }

    fn to_value(self) -> Value {
        serde_json::json!({"id": self.id, "span": self.span})
    }
}

/// Decodes one frame. What is not JSON is read again the way the unit's scanner does: the members before
/// the break are the value, and the break is an invalid [`OddityKind::Syntax`].
pub fn decode(bytes: &[u8]) -> Decoded<Frame> {
    let parsed = json::parse(bytes);
    let (value, mut oddities) = match parsed.value {
        Some(value) => (value, parsed.oddities),
        None => {
            let salvaged = std::str::from_utf8(bytes).ok().and_then(scan::leading_members);
            match salvaged {
                Some(members) if members.keys().any(|name| KNOWN.contains(&name.as_str())) => {
                    (Value::Object(members), parsed.oddities)
                }
                _ => {
                    return Decoded {
                        value: None,
                        oddities: parsed.oddities,
                    };
                }
            }
        }
    };
    let decoded = Frame::from_value(value);
    oddities.extend(decoded.oddities);
    Decoded {
        value: decoded.value,
        oddities,
    }
}

/// Encodes a frame as compact JSON.
pub fn encode(frame: &Frame) -> Vec<u8> {
    frame.to_value().to_string().into_bytes()
}

/// Encodes a frame as compact ASCII JSON, as the serial line needs it.
pub fn encode_ascii(frame: &Frame) -> Vec<u8> {
    escape_non_ascii(&frame.to_value().to_string()).into_bytes()
}

/// The same JSON text with every character beyond ASCII written as `\u` escapes.
pub fn escape_non_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // writing to a String cannot fail
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

fn from_members(map: Map<String, Value>) -> Decoded<Frame> {
    if !map.keys().any(|name| KNOWN.contains(&name.as_str())) {
        return Decoded::nothing(Oddity::invalid(
            OddityKind::MissingMember,
            "",
            "no member of a frame in it",
        ));
    }
    let mut members = Members::new(map, "");
    let id = members.take("id", "a number or a string", Weight::Invalid, Id::from_value);
    let mut frame = Frame {
        id,
        src: members.text("src"),
        dst: members.text("dst"),
        method: members.text("method"),
        params: members.any("params"),
        args: members.any("args"),
        result: members.any("result"),
        tag: members.text("tag"),
        auth: members.take("auth", "an object", Weight::Tolerable, |value| {
            value.is_object().then(|| value.clone())
        }),
        v: members.take("v", "an integer", Weight::Tolerable, Value::as_i64),
        key: members.take("key", "a string", Weight::Tolerable, read_text),
        nr: members.take("nr", "a boolean", Weight::Tolerable, Value::as_bool),
        timeout: members.take("timeout", "an integer", Weight::Tolerable, Value::as_i64),
        deadline: members.take("deadline", "an integer", Weight::Tolerable, Value::as_i64),
        trace: members.take(
            "trace",
            "an object of id and span",
            Weight::Tolerable,
            Trace::from_value,
        ),
        ..Frame::default()
    };
    if let Some(value) = members.rest.get("error") {
        let decoded = RpcError::from_value(value.clone(), "/error");
        members.oddities.extend(decoded.oddities);
        if decoded.value.is_some() {
            members.rest.shift_remove("error");
            frame.error = decoded.value;
        }
    }
    members.note_unknown(KNOWN);
    frame.other = members.rest;
    let mut oddities = members.oddities;
    note_contradictions(&frame, &mut oddities);
    Decoded {
        value: Some(frame),
        oddities,
    }
}

fn note_contradictions(frame: &Frame, oddities: &mut Vec<Oddity>) {
    let contradiction = |path: &str, detail: &str| Oddity::tolerable(OddityKind::Contradiction, path, detail);
    if frame.params.is_some() && frame.args.is_some() {
        oddities.push(contradiction("/args", "beside params, which says the same"));
    }
    if frame.args.is_some() && frame.params.is_none() {
        oddities.push(Oddity::tolerable(
            OddityKind::Dialect,
            "/args",
            "the older name of params",
        ));
    }
    if frame.kind() != FrameKind::Reply || frame.other.contains_key("method") {
        return;
    }
    if frame.id.is_none() && !frame.other.contains_key("id") {
        let detail = "neither a method nor an id: a reply needs an id";
        oddities.push(Oddity::invalid(OddityKind::MissingMember, "/id", detail));
    }
    let has_error = frame.error.is_some() || frame.other.contains_key("error");
    match (&frame.result, has_error) {
        (Some(_), true) => oddities.push(contradiction("/error", "beside a result")),
        (None, false) => oddities.push(Oddity::tolerable(
            OddityKind::MissingMember,
            "/result",
            "a reply with neither result nor error",
        )),
        _ => {}
    }
}

/// Every member a unit recognises or ignores by name.
const KNOWN: &[&str] = &[
    "id", "src", "dst", "method", "params", "args", "result", "error", "tag", "auth", "v", "key", "nr",
    "timeout", "deadline", "trace", "jsonrpc",
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reply_swaps_the_ends_and_copies_the_tag() {
        let mut request = Frame::request(7, "OTA.Commit", None).with_src("hil");
        request.tag = Some("t".into());
        let reply = request.reply("unit", Value::Null).unwrap();
        assert_eq!(
            reply.to_value(),
            json!({"id": 7, "src": "unit", "dst": "hil", "tag": "t", "result": null})
        );
        let named = request
            .with_dst("unit2")
            .reply_error("unit", RpcError::bare(-1))
            .unwrap();
        assert_eq!(named.src.as_deref(), Some("unit2"));
        assert_eq!(
            Frame::notification("OTA.Commit", None).reply("unit", Value::Null),
            None
        );
    }

    #[test]
    fn code_zero_is_success() {
        let reply = Frame {
            id: Some(1.into()),
            error: Some(RpcError::new(0, "done")),
            ..Frame::default()
        };
        assert_eq!(
            reply.outcome(),
            Some(Outcome::Success {
                result: None,
                message: Some("done")
            })
        );
    }

    #[test]
    fn an_unterminated_object_yields_its_members() {
        let decoded = decode(br#"{"id":1,"method":"OTA.GetBootState""#);
        assert_eq!(decoded.first_invalid().map(|o| o.kind), Some(OddityKind::Syntax));
        let frame = decoded.value.unwrap();
        assert_eq!((frame.kind(), frame.id), (FrameKind::Request, Some(Id::from(1))));
    }

    #[test]
    fn wrong_types_are_kept_and_noted() {
        let value = json!({"id": 1, "method": "A.B", "src": 5, "v": "x", "new": [1]});
        let decoded = Frame::from_value(value.clone());
        let kinds: Vec<_> = decoded
            .oddities
            .iter()
            .map(|o| (o.path.as_str(), o.kind, o.weight))
            .collect();
        assert_eq!(
            kinds,
            [
                ("/src", OddityKind::WrongType, Weight::Invalid),
                ("/v", OddityKind::WrongType, Weight::Tolerable),
                ("/new", OddityKind::UnknownMember, Weight::Tolerable),
            ]
        );
        assert_eq!(decoded.value.unwrap().to_value(), value);
    }

    #[test]
    fn serial_json_is_ascii() {
        let mut frame = Frame::request(1, "A.B", None);
        frame.tag = Some("ü😀".into());
        let bytes = encode_ascii(&frame);
        assert!(bytes.is_ascii());
        assert_eq!(decode(&bytes).value, Some(frame));
    }
}
