//! Defects of calls and replies as such: frames, HTTP, WebSocket, who may call.

use super::{
    ANY_PASSWORD, EXCLUDED_SERVED, OPEN_TO_ALL, SIGNATURES_IGNORED, answers, edit_answer, method_of, remove,
    result,
};
use crate::{
    Defect, Input, Output,
    defect::{
        Tamper,
        edits::{edit_json, hear, perform, requests, stateful},
    },
};
use hil_wire::http::Response;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering("id-changed", "OTA-RPC-001", "Replies under another id.", || {
        answers(|frame| {
            if frame["id"].is_number() {
                frame["id"] = json!(7_777_777);
            }
        })
    }),
    Defect::tampering(
        "notifications-answered",
        "OTA-RPC-002",
        "Answers requests without an id.",
        || {
            frames_heard(|frame| {
                if frame.get("id").is_none() {
                    frame["id"] = json!(4_242);
                }
            })
        },
    ),
    Defect::tampering(
        "unknown-methods-succeed",
        "OTA-RPC-003",
        "Answers methods it does not know with success.",
        || {
            answers(|frame| {
                if frame["error"]["code"] == 404 {
                    remove(frame, "error");
                    frame["result"] = Value::Null;
                }
            })
        },
    ),
    Defect::tampering(
        "older-spelling-unknown",
        "OTA-RPC-004",
        "Does not know `args`.",
        || frames_heard(|frame| remove(frame, "args")),
    ),
    Defect::tampering(
        "executes-for-others",
        "OTA-RPC-005",
        "Executes requests for another device.",
        || frames_heard(|frame| remove(frame, "dst")),
    ),
    Defect::tampering(
        "tag-lost",
        "OTA-RPC-006",
        "Does not copy the `tag` of a call.",
        || answers(|frame| remove(frame, "tag")),
    ),
    Defect::tampering(
        "ends-at-garbage",
        "OTA-RPC-007",
        "Ends at a frame that is none.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    let garbage = match &input {
                        Input::ServerRequest { request, .. } => {
                            request.method == "POST"
                                && request.path() == "/rpc"
                                && serde_json::from_slice::<Value>(&request.body).is_err()
                        }
                        Input::WsFrame { frame, .. } => {
                            frame.opcode == 1 && serde_json::from_slice::<Value>(&frame.payload).is_err()
                        }
                        _ => false,
                    };
                    if garbage {
                        edge.perform(Output::Exit(139));
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "method-unlisted",
        "OTA-RPC-008",
        "Leaves a method out of its list.",
        || {
            answers(|frame| {
                if let Some(list) = result(frame).as_array_mut() {
                    list.retain(|method| method != "OTA.CreateSnapshot");
                }
            })
        },
    ),
    Defect::tampering(
        "busy-with-an-update",
        "OTA-RPC-009",
        "Serves no other call while it updates.",
        || {
            stateful::<Option<hil_trace::Stamp>>(
                |until, input, edge| {
                    if let Input::ServerRequest { request, .. } = &input {
                        if until.is_some_and(|until| edge.now < until) {
                            return edge.hear_later(Duration::from_secs(25), input);
                        }
                        if method_of(request).as_deref() == Some("OTA.Update") {
                            *until = Some(edge.now + Duration::from_secs(25));
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "errors-as-status",
        "OTA-HTTP-001",
        "Answers frames with errors with status 500.",
        || {
            http(|response| {
                let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                if body.get("error").is_some() && response.status == 200 {
                    response.status = 500;
                }
            })
        },
    ),
    Defect::tampering(
        "results-wrapped",
        "OTA-HTTP-002",
        "Answers the REST form with a whole frame.",
        || {
            http(|response| {
                edit_answer(response, |body| {
                    if body.get("is_committed").is_some() {
                        *body = json!({"id": 1, "result": body.clone()});
                    }
                });
            })
        },
    ),
    Defect::tampering(
        "errors-with-200",
        "OTA-HTTP-003",
        "Answers errors of the REST form with status 200.",
        || {
            http(|response| {
                if matches!(response.status, 403 | 404 | 500) {
                    response.status = 200;
                }
            })
        },
    ),
    Defect::tampering(
        "no-websocket",
        "OTA-WS-001",
        "Does not accept a WebSocket.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                edge.perform(match output {
                    Output::AcceptWs(exchange, ..) => Output::Answer(exchange, Response::new(404)),
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "other-subprotocol",
        "OTA-WS-002",
        "Answers with another subprotocol than the one offered.",
        || {
            stateful::<()>(hear, |(), mut output, edge| {
                if let Output::AcceptWs(_, _, headers) = &mut output {
                    for (name, value) in &mut headers.0 {
                        if name.eq_ignore_ascii_case("Sec-WebSocket-Protocol") {
                            "mine".clone_into(value);
                        }
                    }
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "one-bad-socket-ends-all",
        "OTA-WS-003",
        "Closes every WebSocket at an invalid message.",
        || {
            stateful::<std::collections::BTreeSet<crate::SocketId>>(
                |open, input, edge| {
                    match &input {
                        Input::WsOpened { socket, .. } => {
                            open.insert(*socket);
                        }
                        Input::WsFrame { frame, .. }
                            if frame.opcode == 1
                                && serde_json::from_slice::<Value>(&frame.payload).is_err() =>
                        {
                            for socket in std::mem::take(open) {
                                edge.perform(Output::CloseWs(socket));
                            }
                        }
                        _ => {}
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::within(
        OPEN_TO_ALL,
        "OTA-SEC-001",
        "Executes calls without credentials whatever its access list says.",
    ),
    Defect::within(ANY_PASSWORD, "OTA-SEC-002", "Accepts any password."),
    Defect::within(
        EXCLUDED_SERVED,
        "OTA-SEC-003",
        "Executes calls of users its access list excludes.",
    ),
    Defect::tampering(
        "any-server-will-do",
        "OTA-SEC-004",
        "Downloads from servers with any certificate.",
        || requests(|call| call.unverified = true),
    ),
    Defect::within(
        SIGNATURES_IGNORED,
        "OTA-SEC-005",
        "Takes archives whatever their signatures.",
    ),
];

/// Edits answers over HTTP.
fn http(edit: fn(&mut Response)) -> Box<dyn Tamper> {
    Box::new(Http(edit))
}

struct Http(fn(&mut Response));

impl Tamper for Http {
    fn output(&mut self, mut output: Output, edge: &mut crate::defect::Edge<'_>) {
        if let Output::Answer(_, response) = &mut output {
            (self.0)(response);
        }
        edge.perform(output);
    }
}

/// Edits frames before the board sees them, over HTTP or WebSocket.
fn frames_heard(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(FramesHeard(edit))
}

struct FramesHeard(fn(&mut Value));

impl Tamper for FramesHeard {
    fn input(&mut self, mut input: Input, edge: &mut crate::defect::Edge<'_>) {
        let act = |frame: &mut Value| {
            if frame["method"].is_string() {
                (self.0)(frame);
            }
        };
        match &mut input {
            Input::ServerRequest { request, .. } if request.path() == "/rpc" => {
                edit_json(&mut request.body, act);
            }
            Input::WsFrame { frame, .. } if frame.opcode == 1 => {
                let mut body = frame.payload.to_vec();
                edit_json(&mut body, act);
                frame.payload = body.into();
            }
            Input::StreamData { bytes, .. } => {
                // A plain line on the serial line.
                let mut body = bytes.trim_ascii_end().to_vec();
                if serde_json::from_slice::<Value>(&body).is_ok() {
                    edit_json(&mut body, act);
                    body.push(b'\n');
                    *bytes = body.into();
                }
            }
            _ => {}
        }
        edge.hear(input);
    }
}
