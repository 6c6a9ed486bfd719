//! Defects of the D-Bus gateway.

use crate::{
    Defect, Input, Output, Setup, StreamId,
    defect::{
        Edge, Tamper,
        edits::{hear, perform, stateful},
    },
};
use hil_wire::{
    dbus::{Kind, Message, from_json, to_json},
    sota::bus::{DOWNLOAD_COMPLETE, UPDATE_REPORT, UPDATE_REPORT_SIGNATURE},
};
use serde_json::{Value, json};

/// Switch: a download that is asked for is not begun.
pub(in super::super) const DOWNLOAD_IGNORED: &str = "bus-download-ignored";
/// Switch: every failure is reported with the code for any failure.
const CODES_GENERAL: &str = "bus-codes-general";
/// Switch: only the first result is reported.
const FIRST_RESULT_ONLY: &str = "bus-first-result-only";
/// Switch: results are reported in reverse order.
const RESULTS_REVERSED: &str = "bus-results-reversed";
/// Switch: a result without a code counts as a success.
const CODE_ASSUMED: &str = "bus-code-assumed";
/// Switch: a result without a code is left out of the report.
const CODELESS_LEFT_OUT: &str = "bus-codeless-left-out";

/// All of them.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "bus-download-untold",
        "SOTA-DBUS-001",
        "Does not call the software manager for a finished download.",
        || messages_sent(|message| message.member != DOWNLOAD_COMPLETE),
    ),
    Defect::tampering(
        "bus-image-unnamed",
        "SOTA-DBUS-001",
        "Calls the software manager for a finished download without the path of the image.",
        || {
            messages_sent(|message| {
                if message.member == DOWNLOAD_COMPLETE {
                    *message = message.clone().with(&[]);
                }
                true
            })
        },
    ),
    Defect::within(
        DOWNLOAD_IGNORED,
        "SOTA-DBUS-002",
        "Answers initiateDownload and does not begin the download.",
    ),
    Defect::within(
        CODES_GENERAL,
        "SOTA-DBUS-003",
        "Reports every failure it is told over D-Bus with the code for any failure.",
    ),
    Defect::within(
        FIRST_RESULT_ONLY,
        "SOTA-DBUS-003",
        "Reports only the first of several results it is told over D-Bus.",
    ),
    Defect::within(
        RESULTS_REVERSED,
        "SOTA-DBUS-003",
        "Reports results it is told over D-Bus in reverse order.",
    ),
    Defect::tampering(
        "bus-errors-hidden",
        "SOTA-DBUS-004",
        "Answers calls over D-Bus with malformed arguments as if they were right.",
        || {
            messages_sent(|message| {
                if message.kind == Kind::Error {
                    message.kind = Kind::Return;
                    message.error_name.clear();
                }
                true
            })
        },
    ),
    Defect::within(
        CODE_ASSUMED,
        "SOTA-DBUS-005",
        "Takes a result over D-Bus without a code for a success.",
    ),
    Defect::within(
        CODELESS_LEFT_OUT,
        "SOTA-DBUS-005",
        "Leaves results over D-Bus without a code out and reports the others.",
    ),
    Defect::tampering(
        "bus-manager-needed",
        "SOTA-DBUS-006",
        "Ends when there is no software manager on the bus.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if lacks_manager(&input).is_some() {
                        edge.perform(Output::Exit(1));
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "bus-manager-awaited",
        "SOTA-DBUS-006",
        "Answers nobody on the bus once it did not find the software manager there.",
        || {
            stateful::<Option<StreamId>>(
                |lacking, input, edge| {
                    *lacking = lacking.or(lacks_manager(&input));
                    hear(lacking, input, edge);
                },
                |lacking, output, edge| match output {
                    Output::SendStream(stream, _) if *lacking == Some(stream) => {}
                    other => edge.perform(other),
                },
            )
        },
    ),
];

/// A call of the client as one with these defects takes it.
pub(in super::super) fn taken(call: &Message, setup: &Setup) -> Message {
    let switches = [
        CODES_GENERAL,
        FIRST_RESULT_ONLY,
        RESULTS_REVERSED,
        CODE_ASSUMED,
        CODELESS_LEFT_OUT,
    ];
    let mut message = call.clone();
    let whole = call.member == UPDATE_REPORT && call.signature == UPDATE_REPORT_SIGNATURE;
    for switch in switches.into_iter().filter(|switch| whole && setup.has(switch)) {
        message = results_changed(message, |results| match switch {
            CODES_GENERAL => {
                let failed =
                    |result: &&mut Value| result["result_code"].as_u64().is_some_and(|code| code > 1);
                for result in results.iter_mut().filter(failed) {
                    result["result_code"] = json!(19);
                }
            }
            FIRST_RESULT_ONLY => results.truncate(1),
            RESULTS_REVERSED => results.reverse(),
            CODE_ASSUMED => {
                for result in results.iter_mut().filter_map(Value::as_object_mut) {
                    result.entry("id").or_insert(json!(""));
                    result.entry("result_code").or_insert(json!(0));
                    result.entry("result_text").or_insert(json!(""));
                }
            }
            _ => results.retain(|result| result.get("result_code").is_some()),
        });
    }
    message
}

fn results_changed(call: Message, change: impl FnOnce(&mut Vec<Value>)) -> Message {
    let arguments = call.arguments().unwrap_or_default();
    let mut arguments: Vec<Value> = arguments.iter().map(to_json).collect();
    if let Some(Value::Array(results)) = arguments.get_mut(1) {
        change(results);
    }
    match from_json(UPDATE_REPORT_SIGNATURE, &arguments) {
        Ok(arguments) => call.with(&arguments),
        Err(_) => call,
    }
}

/// Edits, or with `false` keeps back, messages on the bus; each is sent by itself.
fn messages_sent(edit: fn(&mut Message) -> bool) -> Box<dyn Tamper> {
    Box::new(MessagesSent(edit))
}

struct MessagesSent(fn(&mut Message) -> bool);

impl Tamper for MessagesSent {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        let Output::SendStream(stream, bytes) = output else {
            return edge.perform(output);
        };
        let bytes = match Message::decode(&bytes) {
            Ok(mut message) => match (self.0)(&mut message) {
                true => message.encode().into(),
                false => return,
            },
            Err(_) => bytes,
        };
        edge.perform(Output::SendStream(stream, bytes));
    }
}

/// The connection on which the bus says that somebody is not there.
fn lacks_manager(input: &Input) -> Option<StreamId> {
    let name = b"Error.ServiceUnknown";
    match input {
        Input::StreamData { stream, bytes } => {
            let mut parts = bytes.windows(name.len());
            parts.any(|part| part == name).then_some(*stream)
        }
        _ => None,
    }
}
