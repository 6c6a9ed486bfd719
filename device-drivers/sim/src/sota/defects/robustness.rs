//! Defects that show when something goes wrong around the client.

use super::{is_list, outcomes};
use crate::{
    Defect, Input, Output,
    defect::edits::{edit_json, hear, perform, requests, stateful},
};
use hil_wire::{
    http::Response,
    sota::{Dialect, core::decode_update_list, socket},
};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "rejection-deafens-http",
        "SOTA-ROBUST-001",
        "Answers nobody over HTTP after it rejected text.",
        || {
            stateful::<bool>(hear, |deaf, output, edge| {
                if let Output::SendStream(_, bytes) = &output {
                    *deaf |= socket::is_rejection(&String::from_utf8_lossy(bytes));
                }
                if !(*deaf && matches!(output, Output::Answer(..))) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "rejection-deafens-socket",
        "SOTA-ROBUST-001",
        "Reads no text any more after a malformed body over HTTP.",
        || {
            stateful::<bool>(
                |deaf, input, edge| {
                    if !(*deaf && matches!(input, Input::StreamData { .. })) {
                        edge.hear(input);
                    }
                },
                |deaf, output, edge| {
                    *deaf |= matches!(&output, Output::Answer(_, response) if response.status == 400);
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "unreadable-list-is-empty",
        "SOTA-ROBUST-002",
        "Takes a list of updates it cannot read for an empty one.",
        || {
            outcomes(is_list, |result| {
                result.map(|response| match is_readable(&response) {
                    true => response,
                    false => Response::json(200, &json!([])),
                })
            })
        },
    ),
    Defect::tampering(
        "unknown-status-is-pending",
        "SOTA-ROBUST-002",
        "Takes an update of a status it does not know for a pending one.",
        || {
            outcomes(is_list, |result| {
                result.map(|mut response| {
                    if !is_readable(&response) {
                        edit_json(&mut response.body, |list| {
                            for update in list.as_array_mut().into_iter().flatten() {
                                update["status"] = json!("Pending");
                            }
                        });
                    }
                    response
                })
            })
        },
    ),
    Defect::tampering(
        "waits-for-core-for-ever",
        "SOTA-ROBUST-004",
        "Waits for ever for an answer of Core.",
        || {
            requests(|call| {
                call.limits.idle = Duration::from_secs(86_400);
                call.limits.total = None;
            })
        },
    ),
    Defect::tampering(
        "ends-when-broken",
        "SOTA-ROBUST-005",
        "Ends when a connection to Core breaks.",
        || {
            stateful::<()>(
                |(), input, edge| match input {
                    Input::HttpFailed { .. } => edge.perform(Output::Exit(101)),
                    other => edge.hear(other),
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "members-unknown-refused",
        "SOTA-ROBUST-006",
        "Refuses a list of updates with members it does not know.",
        || {
            outcomes(is_list, |result| {
                result.map(|response| match has_more(&response.body) {
                    true => Response::json(200, &json!({})),
                    false => response,
                })
            })
        },
    ),
    Defect::tampering(
        "lives-on-in-silence",
        "SOTA-ROBUST-007",
        "Hears no command any more after a connection to Core broke.",
        || {
            stateful::<bool>(
                |broken, input, edge| match input {
                    Input::ServerRequest { .. } | Input::StreamData { .. } | Input::WsFrame { .. }
                        if *broken => {}
                    other => {
                        *broken |= matches!(other, Input::HttpFailed { .. });
                        edge.hear(other);
                    }
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "much-input-ends-it",
        "SOTA-ROBUST-008",
        "Ends when more than a mebibyte reaches it at once.",
        || {
            stateful::<()>(
                |(), input, edge| match &input {
                    Input::ServerRequest { request, .. } if request.body.len() > 1 << 20 => {
                        edge.perform(Output::Exit(101));
                    }
                    _ => edge.hear(input),
                },
                perform,
            )
        },
    ),
];

fn is_readable(response: &Response) -> bool {
    // An id that is no UUID is another matter.
    response.status != 200 || decode_update_list(&response.body, Dialect::Rustc).is_valid()
}

fn has_more(body: &[u8]) -> bool {
    let known = [
        "requestId",
        "status",
        "packageId",
        "installPos",
        "createdAt",
        "updatedAt",
    ];
    let list = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let mut updates = list.as_array().into_iter().flatten().filter_map(Value::as_object);
    updates.any(|update| update.keys().any(|name| !known.contains(&&name[..])))
}
