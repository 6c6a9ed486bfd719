//! What a SOTA client can do wrong.

mod authentication;
pub(super) mod bus;
mod commands;
mod downloads;
mod events;
mod gateways;
mod installations;
mod polling;
mod robustness;
mod sockets;
mod texts;
mod uploads;

use crate::{
    Defect, HttpCall, HttpError, Input, Output, Setup, StreamId, Url,
    defect::{Edge, Tamper, edits::set_header},
};
use hil_wire::{
    http::Response,
    sota::{Dialect, Event, core::Call},
};
use serde_json::Value;

/// Switch: commands reach Core without a token.
pub(super) const UNGATED: &str = "commands-without-token";

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[
    commands::DEFECTS,
    events::DEFECTS,
    gateways::DEFECTS,
    sockets::DEFECTS,
    texts::DEFECTS,
    bus::DEFECTS,
    authentication::DEFECTS,
    polling::DEFECTS,
    downloads::DEFECTS,
    installations::DEFECTS,
    uploads::DEFECTS,
    robustness::DEFECTS,
];

/// Where an event is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the answer on the HTTP gateway.
    Http,
    /// In a frame of a WebSocket.
    WebSocket,
    /// In the answer to a text command.
    Socket,
}

/// Changes the JSON of events; with `false` they are kept back where no answer is due.
fn forms<F: FnMut(&mut Value, Dialect, Place) -> bool + 'static>(edit: F) -> Box<dyn Tamper> {
    Box::new(Told(edit))
}

/// Changes events, in the dialect of the unit; with `false` they are kept back where no answer is due.
fn events(edit: fn(&mut Event, Place) -> bool) -> Box<dyn Tamper> {
    forms(move |value, dialect, place| {
        let Some(mut event) = Event::from_value(value, dialect).value else {
            return true;
        };
        let before = event.clone();
        let told = edit(&mut event, place);
        if event != before
            && let Ok(changed) = event.to_value(dialect)
        {
            *value = changed;
        }
        told
    })
}

struct Told<F>(F);

impl<F: FnMut(&mut Value, Dialect, Place) -> bool> Told<F> {
    /// The bytes with another event in them; `None` if it is kept back.
    fn edited(&mut self, bytes: &[u8], place: Place, setup: &Setup) -> Option<Vec<u8>> {
        let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
            return Some(bytes.to_vec());
        };
        let told = (self.0)(&mut value, dialect(setup), place);
        told.then(|| value.to_string().into_bytes())
    }
}

impl<F: FnMut(&mut Value, Dialect, Place) -> bool> Tamper for Told<F> {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        let output = match output {
            Output::Answer(exchange, mut response) if response.status == 200 => {
                if let Some(body) = self.edited(&response.body, Place::Http, edge.setup) {
                    set_header(&mut response.headers, "Content-Length", &body.len().to_string());
                    response.body = body;
                }
                Output::Answer(exchange, response)
            }
            Output::SendWs(socket, mut frame) if frame.opcode == 1 => {
                match self.edited(&frame.payload, Place::WebSocket, edge.setup) {
                    Some(payload) => frame.payload = payload.into(),
                    None => return,
                }
                Output::SendWs(socket, frame)
            }
            Output::SendStream(stream, bytes) if stream.0 >= StreamId::SERVED => {
                match self.edited(&bytes, Place::Socket, edge.setup) {
                    Some(bytes) => Output::SendStream(stream, bytes.into()),
                    None => return,
                }
            }
            other => other,
        };
        edge.perform(output);
    }
}

/// Changes what the agent hears of the outcome of some requests.
fn outcomes(
    which: fn(&Call) -> bool,
    edit: fn(Result<Response, HttpError>) -> Result<Response, HttpError>,
) -> Box<dyn Tamper> {
    Box::new(Outcomes {
        which,
        edit,
        asked: false,
    })
}

struct Outcomes {
    which: fn(&Call) -> bool,
    edit: fn(Result<Response, HttpError>) -> Result<Response, HttpError>,
    asked: bool,
}

impl Tamper for Outcomes {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        let (request, result) = match input {
            Input::HttpAnswer { request, response } if self.asked => (request, Ok(response)),
            Input::HttpFailed { request, error } if self.asked => (request, Err(error)),
            other => return edge.hear(other),
        };
        edge.hear(match (self.edit)(result) {
            Ok(response) => Input::HttpAnswer { request, response },
            Err(error) => Input::HttpFailed { request, error },
        });
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if let Output::Http(_, call) = &output
            && let Some(asked) = asked(call)
        {
            self.asked = (self.which)(&asked);
        }
        edge.perform(output);
    }
}

/// Has what Core refuses and what fails count as done.
fn taken_for_done(result: Result<Response, HttpError>) -> Result<Response, HttpError> {
    match result {
        Ok(response) if (200..300).contains(&response.status) => Ok(response),
        _ => Ok(Response::new(204)),
    }
}

/// Which call a request is; `None` for one a redirect asks for.
fn asked(call: &HttpCall) -> Option<Call> {
    let url = Url::parse(&call.url).ok()?;
    Call::parse(&call.request.method, &url.target).ok()
}

fn is_list(call: &Call) -> bool {
    matches!(call, Call::Updates { .. })
}

fn is_download(call: &Call) -> bool {
    matches!(call, Call::Download { .. })
}

fn is_report(call: &Call) -> bool {
    matches!(call, Call::Report { .. })
}

fn is_packages(call: &Call) -> bool {
    matches!(call, Call::Installed { .. })
}

/// Whether a request is one of some calls.
fn asks(call: &HttpCall, which: fn(&Call) -> bool) -> bool {
    asked(call).is_some_and(|asked| which(&asked))
}

fn dialect(setup: &Setup) -> Dialect {
    match setup.ics.get("dialect").and_then(Value::as_str) {
        Some("serde") => Dialect::Serde,
        _ => Dialect::Rustc,
    }
}

/// Name of the variant of a command or event.
fn variant(value: &Value) -> &str {
    match value {
        Value::String(name) => name,
        Value::Object(members) => match members.get("variant") {
            Some(name) => name.as_str().unwrap_or_default(),
            None => members.keys().next().map_or("", String::as_str),
        },
        _ => "",
    }
}
