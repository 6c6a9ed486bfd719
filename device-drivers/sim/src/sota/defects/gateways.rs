//! Defects of the HTTP and WebSocket gateways.

use crate::{
    Defect, ExchangeId, Frame, Input, Output, SocketId,
    defect::{
        Edge, Tamper,
        edits::{any_input, hear, perform, set_header, stateful, without},
    },
};
use hil_wire::{http::Response, sota::Command};
use std::{collections::BTreeSet, time::Duration};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "content-type-missing",
        "SOTA-HTTP-001",
        "Answers commands without a content type.",
        || answers(|response| without(&mut response.headers, "Content-Type")),
    ),
    Defect::tampering(
        "content-type-text",
        "SOTA-HTTP-001",
        "Answers commands with the content type of plain text.",
        || answers(|response| set_header(&mut response.headers, "Content-Type", "text/plain")),
    ),
    Defect::tampering(
        "commands-accepted",
        "SOTA-HTTP-001",
        "Answers commands with status 202.",
        || {
            answers(|response| {
                if response.status == 200 {
                    response.status = 202;
                }
            })
        },
    ),
    Defect::tampering(
        "chunks-passed-over",
        "SOTA-HTTP-001",
        "Reads as much of a body as its Content-Length says, and nothing of one in chunks.",
        || {
            any_input(|input| {
                if let Input::ServerRequest { request, .. } = input
                    && request.headers.get("Content-Length").is_none()
                {
                    request.body.clear();
                }
                true
            })
        },
    ),
    Defect::tampering(
        "malformed-is-unprocessable",
        "SOTA-HTTP-002",
        "Answers malformed bodies with status 422.",
        || {
            answers(|response| {
                if response.status == 400 {
                    response.status = 422;
                }
            })
        },
    ),
    Defect::tampering(
        "malformed-told-everybody",
        "SOTA-HTTP-002",
        "Tells every WebSocket of a malformed body.",
        || {
            stateful::<BTreeSet<SocketId>>(forget_closed, |open, output, edge| {
                if matches!(&output, Output::Answer(_, response) if response.status == 400) {
                    for socket in open.iter() {
                        let event = r#"{"variant":"Error","fields":["malformed"]}"#;
                        edge.perform(Output::SendWs(*socket, Frame::new(1, event)));
                    }
                }
                remember_open(open, output, edge);
            })
        },
    ),
    Defect::tampering(
        "post-only",
        "SOTA-HTTP-003",
        "Takes commands with the method POST only.",
        || {
            stateful::<()>(
                |(), input, edge| match &input {
                    Input::ServerRequest {
                        exchange,
                        face,
                        request,
                    } if face == "sota-http" && request.method != "POST" => {
                        edge.perform(Output::Answer(*exchange, Response::new(405)));
                    }
                    _ => edge.hear(input),
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "replies-swapped",
        "SOTA-HTTP-004",
        "Gives the outcome of a command to whoever came last.",
        || {
            stateful::<Vec<ExchangeId>>(
                |waiting, input, edge| {
                    match &input {
                        Input::ServerRequest { exchange, face, .. } if face == "sota-http" => {
                            waiting.push(*exchange);
                        }
                        Input::ServerGone { exchange } => waiting.retain(|other| other != exchange),
                        _ => {}
                    }
                    edge.hear(input);
                },
                |waiting, output, edge| {
                    edge.perform(match output {
                        Output::Answer(exchange, response) => {
                            Output::Answer(waiting.pop().unwrap_or(exchange), response)
                        }
                        other => other,
                    });
                },
            )
        },
    ),
    Defect::tampering(
        "offended",
        "SOTA-HTTP-005",
        "Turns every command down after one that was malformed.",
        || {
            stateful::<bool>(hear, |offended, output, edge| {
                edge.perform(match output {
                    Output::Answer(exchange, response) if *offended || response.status == 400 => {
                        *offended = true;
                        Output::Answer(exchange, Response::new(400))
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "slow-commands-dropped",
        "SOTA-HTTP-006",
        "Drops a request that is not answered within three seconds.",
        || {
            stateful::<BTreeSet<ExchangeId>>(
                |_, input, edge| {
                    if let Input::ServerRequest { exchange, face, .. } = &input
                        && face == "sota-http"
                    {
                        edge.perform_later(Duration::from_secs(3), Output::Abandon(*exchange));
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "listeners-must-speak",
        "SOTA-WS-001",
        "Tells events only to WebSockets over which a command came.",
        || {
            stateful::<BTreeSet<SocketId>>(
                |spoke, input, edge| {
                    if let Input::WsFrame { socket, frame } = &input
                        && frame.opcode <= 2
                    {
                        spoke.insert(*socket);
                    }
                    edge.hear(input);
                },
                |spoke, output, edge| match &output {
                    Output::SendWs(socket, frame) if frame.opcode == 1 && !spoke.contains(socket) => {}
                    _ => edge.perform(output),
                },
            )
        },
    ),
    Defect::tampering(
        "first-listener-only",
        "SOTA-WS-002",
        "Tells events only to the first of its WebSockets.",
        || {
            stateful::<BTreeSet<SocketId>>(forget_closed, |open, output, edge| match &output {
                Output::SendWs(socket, frame) if frame.opcode == 1 && open.first() != Some(socket) => {}
                _ => remember_open(open, output, edge),
            })
        },
    ),
    Defect::tampering(
        "events-told-twice",
        "SOTA-WS-002",
        "Tells each event twice on every WebSocket.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if matches!(&output, Output::SendWs(_, frame) if frame.opcode == 1) {
                    edge.perform(output.clone());
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "events-in-binary",
        "SOTA-WS-003",
        "Sends events in binary frames.",
        || {
            frames(|frame| {
                if frame.opcode == 1 {
                    frame.opcode = 2;
                }
            })
        },
    ),
    Defect::tampering(
        "events-in-pairs",
        "SOTA-WS-003",
        "Sends an event twice in one frame.",
        || {
            frames(|frame| {
                if frame.opcode == 1 {
                    frame.payload = [&frame.payload[..], &frame.payload[..]].join(&b'\n').into();
                }
            })
        },
    ),
    Defect::tampering(
        "deaf-websocket",
        "SOTA-WS-005",
        "Takes no command over WebSocket.",
        || any_input(|input| !matches!(input, Input::WsFrame { frame, .. } if frame.opcode <= 2)),
    ),
    Defect::tampering(
        "one-leaves-all-leave",
        "SOTA-WS-006",
        "Closes every WebSocket when one of them ends.",
        || {
            stateful::<BTreeSet<SocketId>>(
                |open, input, edge| {
                    if matches!(input, Input::WsClosed { .. } | Input::WsFailed { .. }) {
                        close_all(open, edge);
                    }
                    forget_closed(open, input, edge);
                },
                remember_open,
            )
        },
    ),
    Defect::tampering(
        "past-events",
        "SOTA-WS-007",
        "Tells a new WebSocket of the last event before it came.",
        || {
            stateful::<Option<Frame>>(
                |last, input, edge| {
                    if let (Input::WsOpened { socket, .. }, Some(frame)) = (&input, last.clone()) {
                        edge.perform(Output::SendWs(*socket, frame));
                    }
                    edge.hear(input);
                },
                |last, output, edge| {
                    if let Output::SendWs(_, frame) = &output
                        && frame.opcode == 1
                    {
                        *last = Some(frame.clone());
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "garbage-closes-all",
        "SOTA-ROBUST-003",
        "Closes every WebSocket when something that is no command comes over one of them.",
        || {
            stateful::<BTreeSet<SocketId>>(
                |open, input, edge| {
                    if let Input::WsFrame { frame, .. } = &input
                        && (frame.opcode <= 2 || frame.opcode > 10)
                        && !Command::decode(&frame.payload, super::dialect(edge.setup)).is_valid()
                    {
                        close_all(open, edge);
                    }
                    forget_closed(open, input, edge);
                },
                remember_open,
            )
        },
    ),
];

fn remember_open(open: &mut BTreeSet<SocketId>, output: Output, edge: &mut Edge<'_>) {
    match &output {
        Output::AcceptWs(_, socket, _) => {
            open.insert(*socket);
        }
        Output::CloseWs(socket) => {
            open.remove(socket);
        }
        _ => {}
    }
    edge.perform(output);
}

fn forget_closed(open: &mut BTreeSet<SocketId>, input: Input, edge: &mut Edge<'_>) {
    match &input {
        Input::WsClosed { socket } | Input::WsFailed { socket, .. } => {
            open.remove(socket);
        }
        Input::Boot => open.clear(),
        _ => {}
    }
    edge.hear(input);
}

fn close_all(open: &mut BTreeSet<SocketId>, edge: &mut Edge<'_>) {
    for socket in std::mem::take(open) {
        edge.perform(Output::CloseWs(socket));
        edge.hear(Input::WsClosed { socket });
    }
}

/// Edits the answers of the HTTP gateway.
fn answers(edit: fn(&mut Response)) -> Box<dyn Tamper> {
    Box::new(Answers(edit))
}

struct Answers(fn(&mut Response));

impl Tamper for Answers {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if let Output::Answer(_, response) = &mut output {
            (self.0)(response);
        }
        edge.perform(output);
    }
}

/// Edits frames that are sent.
fn frames(edit: fn(&mut Frame)) -> Box<dyn Tamper> {
    Box::new(Frames(edit))
}

struct Frames(fn(&mut Frame));

impl Tamper for Frames {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if let Output::SendWs(_, frame) = &mut output {
            (self.0)(frame);
        }
        edge.perform(output);
    }
}
