//! What a device can do wrong over the device command API.

mod commands;
mod details;
mod direct;
mod life;
mod requests;
mod statuses;

use crate::{
    Defect, HttpCall, Input, Output,
    defect::{Edge, Tamper, edits::edit_json},
    device_command::agent::FETCH,
};
use hil_wire::http::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// Switch: a command delivered again is executed again.
pub(super) const NO_COMMAND_HISTORY: &str = "no-command-history";
/// Switch: statuses not yet delivered are lost with power.
pub(super) const STATUSES_NOT_PERSISTED: &str = "statuses-not-persisted";
/// Switch: an image is installed whatever its digest.
pub(super) const IMAGE_UNVERIFIED: &str = "image-unverified";
/// Switch: firmware updates are not limited to one in an hour.
pub(super) const NO_UPDATE_LIMIT: &str = "no-update-limit";
/// Switch: the first hour after a boot counts as if an update had been started.
pub(super) const LIMITED_AFTER_BOOT: &str = "limited-after-boot";
/// Switch: a slot is marked as the one to boot before the image in it is complete.
pub(super) const MARKED_BEFORE_COMPLETE: &str = "marked-before-complete";
/// Switch: signatures are neither demanded nor checked.
pub(super) const SIGNATURES_UNCHECKED: &str = "signatures-unchecked";
/// Switch: in direct mode neither the id nor the time of a command keeps it from being executed again.
pub(super) const REPLAYS_EXECUTED: &str = "replays-executed";
/// Switch: there is one place for parameters, which the last command has overwritten.
pub(super) const SHARED_PARAMETERS: &str = "shared-parameters";
/// Switch: images are fetched over plain `http`.
pub(super) const PLAIN_IMAGES: &str = "plain-images";

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[
    requests::DEFECTS,
    direct::DEFECTS,
    commands::DEFECTS,
    statuses::DEFECTS,
    details::DEFECTS,
    life::DEFECTS,
];

/// Edits every command before the agent sees it, fetched or issued.
fn commands_heard(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(CommandsHeard(edit))
}

struct CommandsHeard(fn(&mut Value));

impl Tamper for CommandsHeard {
    fn input(&mut self, mut input: Input, edge: &mut Edge<'_>) {
        match &mut input {
            Input::HttpAnswer {
                request: FETCH,
                response,
            } => edit_json(&mut response.body, |body| {
                if let Some(items) = body.get_mut("commands").and_then(Value::as_array_mut) {
                    items.iter_mut().for_each(self.0);
                }
            }),
            Input::ServerRequest { request, .. } => edit_json(&mut request.body, |body| {
                if let Some(command) = body.get_mut("command").filter(|command| command.is_object()) {
                    self.0(command);
                }
            }),
            _ => {}
        }
        edge.hear(input);
    }
}

/// Edits a member of the parameters of every command.
fn parameter(command: &mut Value, name: &str, edit: impl FnOnce(&mut Value)) {
    if let Some(value) = command
        .get_mut("parameters")
        .and_then(|parameters| parameters.get_mut(name))
    {
        edit(value);
    }
}

/// Sets a parameter of commands of one type, whether it is there or not.
fn set_parameter(command: &mut Value, kind: &str, name: &str, value: Value) {
    if command["type"] == kind {
        if !command["parameters"].is_object() {
            command["parameters"] = json!({});
        }
        command["parameters"][name] = value;
    }
}

fn is_status(call: &HttpCall) -> bool {
    call.url.ends_with("/device/command/status")
}

/// The status and details of a status report.
fn status_of(call: &HttpCall) -> (String, String) {
    let body: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    (text("status"), text("details"))
}

/// Sends some statuses late, while the agent takes them for delivered.
fn late(after: Duration, which: fn(&str, &str) -> bool) -> Box<dyn Tamper> {
    Box::new(Late { after, which })
}

struct Late {
    after: Duration,
    which: fn(&str, &str) -> bool,
}

impl Tamper for Late {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if let Output::Http(request, call) = &output
            && is_status(call)
        {
            let (status, details) = status_of(call);
            if (self.which)(&status, &details) {
                edge.request_later(self.after, (**call).clone());
                return edge.hear(Input::HttpAnswer {
                    request: *request,
                    response: stored(),
                });
            }
        }
        edge.perform(output);
    }
}

/// What the cloud says of a status it has stored.
fn stored() -> Response {
    Response::json(200, &json!({"success": true}))
}
