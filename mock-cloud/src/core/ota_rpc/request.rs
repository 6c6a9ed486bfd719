//! A call as a step asks for it: what to say, which way, with which credentials.

use crate::core::ActError;
use hil_wire::ota_rpc::{Frame, Id, http::Form, method};
use serde_json::{Map, Value};
use std::time::Duration;

/// Which way a call goes (reference section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// A whole frame posted to `/rpc`.
    Http,
    /// Arguments posted to `/rpc/METHOD`.
    Rest,
    /// Arguments in the query of `GET /rpc/METHOD`.
    Query,
    /// A WebSocket the caller opens.
    WebSocket,
    /// The WebSocket the unit opens.
    UnitWebSocket,
    /// The serial line.
    Serial,
    /// The broker the unit connects to.
    Mqtt,
}

impl Transport {
    /// The word in scenarios and notes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Transport::Http => "http",
            Transport::Rest => "rest",
            Transport::Query => "query",
            Transport::WebSocket => "websocket",
            Transport::UnitWebSocket => "unit_websocket",
            Transport::Serial => "serial",
            Transport::Mqtt => "mqtt",
        }
    }

    /// What a call takes that says nothing: HTTP, or else what the unit has.
    pub(super) fn usual(unit_faces: &[String], uses_broker: bool) -> Transport {
        let has = |face: &str| unit_faces.iter().any(|known| known == face);
        let usual = [
            (super::UNIT_HTTP, Transport::Http),
            (super::UNIT_WEBSOCKET, Transport::WebSocket),
            (super::UNIT_SERIAL, Transport::Serial),
        ];
        let found = usual.into_iter().find(|(face, _)| has(face));
        match found {
            Some((_, transport)) => transport,
            None if uses_broker => Transport::Mqtt,
            None => Transport::Http,
        }
    }

    /// Reads the argument `transport`; `default` if it is not there.
    pub(super) fn read(with: &Map<String, Value>, default: Transport) -> Result<Transport, ActError> {
        let Some(word) = with.get("transport").and_then(Value::as_str) else {
            return Ok(default);
        };
        ALL.into_iter()
            .find(|transport| transport.name() == word)
            .ok_or_else(|| bad("transport", "is no transport"))
    }

    /// Whether each call is an HTTP exchange of its own.
    pub(super) fn is_http(self) -> bool {
        matches!(self, Transport::Http | Transport::Rest | Transport::Query)
    }
}

/// The checksum of a serial frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Checksum {
    #[default]
    Absent,
    Valid,
    Wrong,
}

/// Credentials to give once they are demanded, and how to spoil them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
    /// Given instead of the realm demanded.
    pub(super) realm: Option<String>,
    /// How much older the nonce is made.
    pub(super) nonce_age: Duration,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CallRequest {
    pub(super) frame: Frame,
    pub(super) transport: Transport,
    /// Name of the WebSocket.
    pub(super) connection: String,
    pub(super) login: Option<Login>,
    pub(super) limit: Duration,
    pub(super) checksum: Checksum,
    pub(super) quotes: bool,
    pub(super) keep_alive: bool,
    /// The topic names the method.
    pub(super) method_topic: bool,
}

impl CallRequest {
    /// Reads the arguments of `cloud.call`; `id` and `usual` are used if they name none.
    pub(super) fn read(with: &Map<String, Value>, id: Id, usual: Transport) -> Result<CallRequest, ActError> {
        let word = |name: &str| with.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str| with.get(name) == Some(&Value::Bool(true));
        let called = word("method").ok_or_else(|| bad("method", "is needed"))?;
        let default_limit = if called == method::UPDATE { 700.0 } else { 20.0 };
        let notification = flag("notification");
        let limit = seconds(with, "limit").unwrap_or(if notification { 3.0 } else { default_limit });
        let mut frame = Frame::notification(called, None);
        if !notification {
            frame.id = Some(match with.get("id").filter(|id| !id.is_null()) {
                Some(given) => Id::from_value(given).ok_or_else(|| bad("id", "must be a number or text"))?,
                None => id,
            });
        }
        let arguments = with.get("args").filter(|args| !args.is_null()).cloned();
        if flag("deprecated_args") {
            frame.args = arguments;
        } else {
            frame.params = arguments;
        }
        frame.src = word("src").filter(|_| !flag("no_src"));
        frame.dst = word("dst");
        frame.tag = word("tag");
        let login = word("user").map(|user| Login {
            user,
            password: word("password").unwrap_or_default(),
            realm: word("realm"),
            nonce_age: span(seconds(with, "nonce_age").unwrap_or(0.0)),
        });
        Ok(CallRequest {
            frame,
            transport: Transport::read(with, usual)?,
            connection: connection(with),
            login,
            limit: span(limit),
            checksum: match with.get("checksum").and_then(Value::as_str) {
                None | Some("absent") => Checksum::Absent,
                Some("valid") => Checksum::Valid,
                Some("wrong") => Checksum::Wrong,
                Some(_) => return Err(bad("checksum", "must be absent, valid or wrong")),
            },
            quotes: flag("quotes"),
            keep_alive: flag("keep_alive"),
            method_topic: flag("method_topic"),
        })
    }

    /// The form of the HTTP exchange.
    pub(super) fn form(&self) -> Form {
        match self.transport {
            Transport::Rest => Form::Rest,
            Transport::Query => Form::Query,
            _ => Form::Frame,
        }
    }

    /// The method called.
    pub(super) fn method(&self) -> &str {
        self.frame.called_method().unwrap_or_default()
    }
}

/// The name of a WebSocket in arguments.
pub(super) fn connection(with: &Map<String, Value>) -> String {
    with.get("connection")
        .and_then(Value::as_str)
        .unwrap_or("main")
        .to_owned()
}

/// A duration argument in seconds; the runner hands durations over as numbers.
pub(super) fn seconds(with: &Map<String, Value>, name: &str) -> Option<f64> {
    with.get(name).and_then(Value::as_f64)
}

/// Seconds as a duration; nothing below zero.
pub(super) fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// A complaint about an argument.
pub(super) fn bad(argument: &str, problem: &str) -> ActError {
    ActError::BadArgument {
        argument: argument.to_owned(),
        problem: problem.to_owned(),
    }
}

const ALL: [Transport; 7] = [
    Transport::Http,
    Transport::Rest,
    Transport::Query,
    Transport::WebSocket,
    Transport::UnitWebSocket,
    Transport::Serial,
    Transport::Mqtt,
];
