//! Defects of a device that is itself the server.

use super::REPLAYS_EXECUTED;
use crate::{
    Defect, Input, Output,
    defect::{
        Edge, Tamper,
        edits::{edit_json, perform, stateful},
    },
};
use hil_wire::{device_command::ErrorBody, http::Response};
use serde_json::{Map, Value, json};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "parameters-before-token",
        "DCMD-SEC-008",
        "Looks at the parameters of a command before its token.",
        || {
            stateful::<()>(
                |(), input, edge| edge.hear(input),
                |(), mut output, edge| {
                    if let Output::Answer(_, response) = &mut output
                        && response.status == 401
                    {
                        let body = ErrorBody::invalid_parameter("restart_delay", vec!["0..3600".to_owned()]);
                        *response = Response::json(400, &serde_json::to_value(body).unwrap_or_default());
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::within(
        REPLAYS_EXECUTED,
        "DCMD-SEC-009",
        "Executes a signed command again whenever it is sent again.",
    ),
    Defect::tampering(
        "any-device-id",
        "DCMD-REQ-006",
        "Takes commands for another device.",
        || {
            stateful::<()>(
                |(), mut input, edge| {
                    if let Input::ServerRequest { request, .. } = &mut input {
                        let own = edge.setup.endpoints.get("device_id").to_owned();
                        if let Some((before, last)) = request.target.clone().rsplit_once('/') {
                            let name = if last == "command" { last } else { &own };
                            request.target = format!("{before}/{name}");
                        }
                        edit_json(&mut request.body, |body| {
                            if body["device_id"].is_string() {
                                body["device_id"] = json!(own);
                            }
                        });
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "crashes-at-nonsense",
        "DCMD-REQ-007",
        "Ends when a body is no JSON, or too large.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if let Input::ServerRequest { request, .. } = &input
                        && (request.body.len() > 8192
                            || serde_json::from_slice::<Value>(&request.body).is_err())
                    {
                        edge.perform(Output::Exit(1));
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "answer-without-id",
        "DCMD-RESP-001",
        "Leaves the id of the command out of its answer.",
        || {
            answers(200, |body| {
                body.remove("command_id");
            })
        },
    ),
    Defect::tampering(
        "types-unlisted",
        "DCMD-RESP-002",
        "Does not list the types it knows when it is given another.",
        || {
            answers(400, |body| {
                body.remove("supported_commands");
            })
        },
    ),
    Defect::tampering(
        "busy-without-a-reason",
        "DCMD-RESP-004",
        "Does not say what it is busy with.",
        || {
            answers(409, |body| {
                body.remove("current_command");
            })
        },
    ),
    Defect::tampering(
        "estimates-nonsense",
        "DCMD-RESP-005",
        "Says that commands begin and end an hour later than they do.",
        || {
            answers(200, |body| {
                for name in ["estimated_execution", "recovery_expected"] {
                    if let Some(Value::String(time)) = body.get_mut(name)
                        && let Some(at) = hil_wire::timestamp::parse_millis(time)
                    {
                        *time = hil_wire::timestamp::format_millis(at + 3_600_000);
                    }
                }
            })
        },
    ),
];

/// Edits the members of answers with one status.
fn answers(status: u16, edit: fn(&mut Map<String, Value>)) -> Box<dyn Tamper> {
    Box::new(Answers { status, edit })
}

struct Answers {
    status: u16,
    edit: fn(&mut Map<String, Value>),
}

impl Tamper for Answers {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if let Output::Answer(_, response) = &mut output
            && response.status == self.status
        {
            edit_json(&mut response.body, |body| {
                if let Value::Object(members) = body {
                    (self.edit)(members);
                }
            });
        }
        edge.perform(output);
    }
}
