//! What a device can do wrong over the OTA RPCs.

mod calls;
mod lines;
mod slots;
mod times;
mod updates;

use crate::{
    Defect, ExchangeId, Input, Output,
    defect::{
        Edge, Tamper,
        edits::{edit_json, set_header},
    },
};
use hil_wire::http::{Request, Response};
use serde_json::{Value, json};

/// Switch: whoever calls may do anything.
pub(super) const OPEN_TO_ALL: &str = "open-to-all";
/// Switch: credentials are taken for good.
pub(super) const ANY_PASSWORD: &str = "any-password-will-do";
/// Switch: whoever shows who he is may do anything.
pub(super) const EXCLUDED_SERVED: &str = "excluded-users-served";
/// Switch: signatures are not looked at.
pub(super) const SIGNATURES_IGNORED: &str = "archive-signatures-ignored";

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[
    calls::DEFECTS,
    lines::DEFECTS,
    updates::DEFECTS,
    slots::DEFECTS,
    times::DEFECTS,
];

/// Edits what the board answers, over HTTP or WebSocket: whole frames and bare results alike.
fn answers(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(Answers(edit))
}

struct Answers(fn(&mut Value));

impl Tamper for Answers {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        match &mut output {
            Output::Answer(_, response) => edit_answer(response, self.0),
            Output::SendWs(_, frame) if frame.opcode == 1 => {
                let mut body = frame.payload.to_vec();
                edit_json(&mut body, self.0);
                frame.payload = body.into();
            }
            _ => {}
        }
        edge.perform(output);
    }
}

/// The result in an answer: that of a frame, or the answer itself.
fn result(answer: &mut Value) -> &mut Value {
    if answer.get("result").is_some() {
        &mut answer["result"]
    } else {
        answer
    }
}

/// Edits the boot state wherever the board says it.
fn boot_state(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(BootStateSaid(edit))
}

struct BootStateSaid(fn(&mut Value));

impl Tamper for BootStateSaid {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if let Output::Answer(_, response) = &mut output {
            edit_answer(response, |answer| {
                let said = result(answer);
                if said.get("is_committed").is_some() {
                    (self.0)(said);
                }
            });
        }
        edge.perform(output);
    }
}

/// Says that an error with some words is none.
fn no_error(words: &'static [&'static str]) -> Box<dyn Tamper> {
    Box::new(NoError(words))
}

struct NoError(&'static [&'static str]);

impl Tamper for NoError {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if let Output::Answer(_, response) = &mut output {
            let mut good = false;
            edit_answer(response, |answer| {
                let error = if answer.get("error").is_some() {
                    &mut answer["error"]
                } else {
                    answer
                };
                let said = error["message"].as_str().unwrap_or_default();
                if self.0.iter().any(|words| said.starts_with(words)) {
                    *error = json!({"code": 0, "message": "Update applied, finalizing"});
                    good = true;
                }
            });
            if good && response.status == 500 {
                response.status = 200;
            }
        }
        edge.perform(output);
    }
}

/// Does something when a method is called over HTTP; `false` keeps the call from the agent.
fn called(method: &'static str, act: fn(&mut Value, ExchangeId, &mut Edge<'_>) -> bool) -> Box<dyn Tamper> {
    Box::new(Called { method, act })
}

struct Called {
    method: &'static str,
    act: fn(&mut Value, ExchangeId, &mut Edge<'_>) -> bool,
}

impl Tamper for Called {
    fn input(&mut self, mut input: Input, edge: &mut Edge<'_>) {
        if let Input::ServerRequest {
            exchange, request, ..
        } = &mut input
            && method_of(request).as_deref() == Some(self.method)
        {
            let exchange = *exchange;
            let mut body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
            let whole = body.get("method").is_some();
            let name = if body.get("args").is_some() {
                "args"
            } else {
                "params"
            };
            let arguments = if whole { &mut body[name] } else { &mut body };
            let passes = (self.act)(arguments, exchange, edge);
            if whole && body[name].is_null() {
                remove(&mut body, name);
            }
            request.body = body.to_string().into_bytes();
            if !passes {
                return;
            }
        }
        edge.hear(input);
    }
}

/// Edits the JSON of an answer, and says its length anew.
fn edit_answer(response: &mut Response, edit: impl FnOnce(&mut Value)) {
    edit_json(&mut response.body, edit);
    response.body.extend(b"\r\n");
    if response.headers.get("Content-Length").is_some() {
        let length = response.body.len().to_string();
        set_header(&mut response.headers, "Content-Length", &length);
    }
}

/// The method a request calls.
fn method_of(request: &Request) -> Option<String> {
    match request.path().strip_prefix("/rpc/") {
        Some(method) if !method.is_empty() => Some(method.to_owned()),
        _ => {
            let body: Value = serde_json::from_slice(&request.body).ok()?;
            body["method"].as_str().map(str::to_owned)
        }
    }
}

/// The board calls itself; nobody hears the answer.
fn call(method: &str, edge: &mut Edge<'_>) {
    let body = json!({"id": 1, "method": method, "src": "self"});
    edge.hear(Input::ServerRequest {
        exchange: ExchangeId(u32::MAX),
        face: super::channel::HTTP.to_owned(),
        request: Request::new("POST", "/rpc").json(&body),
    });
}

/// The boot record as it lies in flash.
fn record_of(edge: &Edge<'_>) -> hil_wire::ota_rpc::BootState {
    super::record::load(&edge.hardware.flash)
}

fn remove(object: &mut Value, name: &str) {
    if let Some(members) = object.as_object_mut() {
        members.remove(name);
    }
}
