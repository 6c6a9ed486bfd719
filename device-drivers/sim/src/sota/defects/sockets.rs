//! Defects of the commands and events sockets and of the console.

use super::{asks, is_download};
use crate::{
    Defect, Input, Output, StreamId,
    defect::{
        Edge, Tamper,
        edits::{edit_json, hear, perform, stateful},
    },
};
use hil_wire::sota::socket;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "socket-left-open",
        "SOTA-SOCK-001",
        "Does not end the stream after the answer to a text command.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if !matches!(output, Output::CloseStream(stream) if stream.0 >= StreamId::SERVED) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "text-answered-with-text",
        "SOTA-SOCK-001",
        "Answers text commands with text that is no JSON.",
        || {
            answered(|bytes| {
                if serde_json::from_slice::<Value>(bytes).is_ok() {
                    bytes.splice(0..0, *b"OK: ");
                }
            })
        },
    ),
    Defect::tampering(
        "rejections-in-json",
        "SOTA-SOCK-002",
        "Answers rejected text with JSON.",
        || {
            answered(|bytes| {
                let text = String::from_utf8_lossy(bytes).into_owned();
                if socket::is_rejection(&text) {
                    *bytes = json!({"variant": "Error", "fields": [text]})
                        .to_string()
                        .into_bytes();
                }
            })
        },
    ),
    Defect::tampering(
        "installer-version",
        "SOTA-SOCK-003",
        "Tells the installer of completed downloads in a wrapper of version 0.2.",
        || {
            told(|wrapper| {
                if wrapper["event"] == "DownloadComplete" {
                    wrapper["version"] = json!("0.2");
                }
                true
            })
        },
    ),
    Defect::tampering(
        "installer-untold",
        "SOTA-SOCK-003",
        "Does not tell the installer of completed downloads.",
        || told(|wrapper| wrapper["event"] != "DownloadComplete"),
    ),
    Defect::tampering(
        "installer-without-reason",
        "SOTA-SOCK-004",
        "Tells the installer of failed downloads without the reason.",
        || {
            told(|wrapper| {
                if let Some(data) = wrapper["data"].as_object_mut() {
                    data.remove("reason");
                }
                true
            })
        },
    ),
    Defect::tampering(
        "installer-failures-untold",
        "SOTA-SOCK-004",
        "Does not tell the installer of failed downloads.",
        || told(|wrapper| wrapper["event"] != "DownloadFailed"),
    ),
    Defect::tampering(
        "installer-told-too-much",
        "SOTA-SOCK-005",
        "Tells the installer that a download begins.",
        || {
            stateful::<()>(
                |(), input, edge| match input {
                    Input::StreamOpened { stream: EXTRA, .. } => {
                        let event = json!({"version": "0.1", "event": "DownloadingUpdate", "data": {}});
                        edge.perform(Output::SendStream(EXTRA, event.to_string().into()));
                        edge.perform(Output::CloseStream(EXTRA));
                    }
                    Input::StreamClosed { stream: EXTRA } => {}
                    other => edge.hear(other),
                },
                |(), output, edge| {
                    if matches!(&output, Output::Http(_, call) if asks(call, is_download)) {
                        let installer = edge.setup.endpoints.get("events_socket").to_owned();
                        edge.perform(Output::OpenStream(EXTRA, installer));
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "installer-needed",
        "SOTA-SOCK-006",
        "Ends when nobody listens on the events socket.",
        || lonely(|_, edge| edge.perform(Output::Exit(101))),
    ),
    Defect::tampering(
        "installer-awaited",
        "SOTA-SOCK-006",
        "Does nothing more when nobody listens on the events socket.",
        || lonely(|deaf, _| *deaf = true),
    ),
    Defect::tampering(
        "stale-socket-kept",
        "SOTA-SOCK-007",
        "Serves no commands socket when there is a file from before.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                let again = edge.hardware.boots > 1;
                if !(again && matches!(output, Output::ServeHalfClosing(_))) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "one-peer-at-a-time",
        "SOTA-SOCK-008",
        "Reads from one peer of the commands socket after the other.",
        || {
            stateful::<Peers>(
                |peers, input, edge| {
                    let stream = match &input {
                        Input::StreamOpened { stream, face } if face == "sota-commands" => {
                            peers.order.push(*stream);
                            *stream
                        }
                        Input::StreamData { stream, .. }
                        | Input::StreamEnded { stream }
                        | Input::StreamClosed { stream }
                            if peers.order.contains(stream) =>
                        {
                            *stream
                        }
                        _ => return edge.hear(input),
                    };
                    peers.held.push((stream, input));
                    while let Some(first) = peers.order.first().copied() {
                        let (now, later) = std::mem::take(&mut peers.held)
                            .into_iter()
                            .partition(|(stream, _)| *stream == first);
                        peers.held = later;
                        let mut ended = false;
                        for (_, input) in now {
                            ended |= matches!(input, Input::StreamEnded { .. } | Input::StreamClosed { .. });
                            edge.hear(input);
                        }
                        if !ended {
                            return;
                        }
                        peers.order.remove(0);
                    }
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "silent-console",
        "SOTA-CONS-005",
        "Does not show the outcome of what was typed.",
        || {
            stateful::<BTreeSet<StreamId>>(remember_consoles, |consoles, output, edge| match output {
                Output::SendStream(stream, _) if consoles.contains(&stream) => {
                    edge.perform(Output::SendStream(stream, "> ".into()));
                }
                Output::Console(_) => {}
                other => edge.perform(other),
            })
        },
    ),
    Defect::tampering(
        "console-offended",
        "SOTA-CONS-005",
        "Hears nothing more on the console after a line it rejected.",
        || {
            stateful::<bool>(
                |offended, input, edge| match input {
                    Input::StreamOpened { .. } => edge.hear(input),
                    Input::StreamData { .. } if *offended => {}
                    _ => edge.hear(input),
                },
                |offended, output, edge| {
                    *offended |= matches!(&output, Output::Console(line) if line.contains("ERROR"));
                    edge.perform(output);
                },
            )
        },
    ),
];

/// Peers of the commands socket in the order they came, and what came of those whose turn is not yet.
#[derive(Default)]
struct Peers {
    order: Vec<StreamId>,
    held: Vec<(StreamId, Input)>,
}

fn remember_consoles(consoles: &mut BTreeSet<StreamId>, input: Input, edge: &mut Edge<'_>) {
    if let Input::StreamOpened { stream, face } = &input
        && face == "sota-console"
    {
        consoles.insert(*stream);
    }
    edge.hear(input);
}

/// What happens when the installer does not listen: `true` for a unit that hears nothing from then on.
fn lonely(then: fn(&mut bool, &mut Edge<'_>)) -> Box<dyn Tamper> {
    Box::new(Lonely {
        then,
        calling: BTreeSet::new(),
        deaf: false,
    })
}

struct Lonely {
    then: fn(&mut bool, &mut Edge<'_>),
    calling: BTreeSet<StreamId>,
    deaf: bool,
}

impl Tamper for Lonely {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        match &input {
            Input::StreamOpened { stream, .. } => {
                self.calling.remove(stream);
            }
            Input::StreamClosed { stream } if self.calling.remove(stream) => {
                (self.then)(&mut self.deaf, edge);
            }
            _ => {}
        }
        if !self.deaf {
            edge.hear(input);
        }
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if let Output::OpenStream(stream, address) = &output
            && address == edge.setup.endpoints.get("events_socket")
        {
            self.calling.insert(*stream);
        }
        edge.perform(output);
    }
}

/// Edits what is written to those who sent text.
fn answered(edit: fn(&mut Vec<u8>)) -> Box<dyn Tamper> {
    Box::new(Answered(edit))
}

struct Answered(fn(&mut Vec<u8>));

impl Tamper for Answered {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if let Output::SendStream(stream, bytes) = &mut output
            && stream.0 >= StreamId::SERVED
        {
            let mut edited = bytes.to_vec();
            (self.0)(&mut edited);
            *bytes = edited.into();
        }
        edge.perform(output);
    }
}

/// Edits, or with `false` keeps back, what the installer is told.
fn told(edit: fn(&mut Value) -> bool) -> Box<dyn Tamper> {
    Box::new(Told(edit))
}

struct Told(fn(&mut Value) -> bool);

impl Tamper for Told {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if let Output::SendStream(stream, bytes) = &mut output
            && stream.0 < StreamId::SERVED
        {
            let mut edited = bytes.to_vec();
            let mut goes_on = true;
            edit_json(&mut edited, |wrapper| goes_on = (self.0)(wrapper));
            if !goes_on {
                return;
            }
            *bytes = edited.into();
        }
        edge.perform(output);
    }
}

/// A stream of which the agent knows nothing.
const EXTRA: StreamId = StreamId(StreamId::SERVED - 1);
