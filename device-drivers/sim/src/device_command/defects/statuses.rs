//! Defects of status reports as such.

use super::{is_status, late, status_of, stored};
use crate::{
    Defect, Output,
    defect::{
        Tamper,
        edits::{edit_json, hear, json_requests, pretended, stateful, timers},
    },
    device_command::agent::PROGRESS_TIMER,
};
use hil_wire::device_command::status_text;
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "unknown-types-unanswered",
        "DCMD-RESP-003",
        "Says nothing of a command whose type it does not know.",
        || silent(status_text::UNSUPPORTED_COMMAND_TYPE),
    ),
    Defect::tampering(
        "expired-unanswered",
        "DCMD-RESP-006",
        "Says nothing of commands it refuses, as those that have expired.",
        || silent(status_text::EXPIRED),
    ),
    Defect::tampering(
        "ends-are-late",
        "DCMD-QUEUE-001",
        "Says how a command ended when the next one executes already.",
        || late(Duration::from_secs(20), |status, _| status != "executing"),
    ),
    Defect::tampering(
        "no-timestamp",
        "DCMD-STATUS-001",
        "Leaves the timestamp out of statuses.",
        || {
            statuses(|body| {
                body.remove("timestamp");
            })
        },
    ),
    Defect::tampering(
        "two-ends",
        "DCMD-STATUS-002",
        "Sends `failed` some seconds after `completed`.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if let Output::Http(_, call) = &output
                    && is_status(call)
                    && status_of(call).0 == "completed"
                {
                    let mut second = (**call).clone();
                    edit_json(&mut second.request.body, |body| body["status"] = json!("failed"));
                    edge.request_later(Duration::from_secs(4), second);
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "executing-too-late",
        "DCMD-STATUS-004",
        "Says `executing` ten seconds after the effect began.",
        || late(Duration::from_secs(10), |status, _| status == "executing"),
    ),
    Defect::tampering(
        "details-cut",
        "DCMD-STATUS-005",
        "Cuts details after 256 characters.",
        || {
            statuses(|body| {
                if let Some(Value::String(details)) = body.get_mut("details") {
                    *details = details.chars().take(256).collect();
                }
            })
        },
    ),
    Defect::tampering(
        "timestamp-fixed",
        "DCMD-STATUS-006",
        "Sends the same timestamp with every status.",
        || {
            statuses(|body| {
                body.insert("timestamp".to_owned(), json!("2020-01-01T00:00:00.000Z"));
            })
        },
    ),
    Defect::tampering(
        "silent-for-minutes",
        "DCMD-STATUS-007",
        "Says nothing of a long command until its end.",
        || {
            timers((), |(), timer, after| match timer {
                PROGRESS_TIMER => Duration::from_secs(86_400),
                _ => after,
            })
        },
    ),
    Defect::tampering(
        "restart-unannounced",
        "DCMD-RESTART-001",
        "Restarts without saying so.",
        || {
            pretended(|call| {
                let said = is_status(call) && status_of(call).1.starts_with("Restarting in");
                said.then(stored)
            })
        },
    ),
];

/// Edits the body of statuses.
pub(super) fn statuses(edit: fn(&mut Map<String, Value>)) -> Box<dyn Tamper> {
    json_requests(is_status, edit)
}

/// Statuses with these details are not sent.
fn silent(details: &'static str) -> Box<dyn Tamper> {
    Box::new(Silent(details))
}

struct Silent(&'static str);

impl Tamper for Silent {
    fn output(&mut self, output: Output, edge: &mut crate::defect::Edge<'_>) {
        match output {
            Output::Http(request, call) if is_status(&call) && status_of(&call).1 == self.0 => {
                edge.hear(crate::Input::HttpAnswer {
                    request,
                    response: stored(),
                });
            }
            other => edge.perform(other),
        }
    }
}
