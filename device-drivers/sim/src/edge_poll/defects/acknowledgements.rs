//! Defects of acknowledgements.

use super::{ACK_WRONG_ID, ACKS_NOT_PERSISTED, NO_DUPLICATE_DETECTION, answers, is_ack, is_report};
use crate::{
    Defect, Hardware, HttpCall, HttpError, Input, Output,
    defect::{
        Edge, Tamper,
        edits::{
            any_input, boots, edit_json, forget, hear, json_requests, pretended, starts_afresh, stateful,
        },
    },
    edge_poll::{agent::DELIVERY, store},
    hardware::COMMANDS,
};
use hil_wire::http::Response;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, time::Duration};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::within(
        ACK_WRONG_ID,
        "POLL-ACK-001",
        "Acknowledges under the id of another command.",
    ),
    Defect::tampering(
        "ack-never-sent",
        "POLL-ACK-001",
        "Takes acknowledgements for delivered that it never sent.",
        || pretended(|call| is_ack(call).then(|| Response::json(200, &json!({})))),
    ),
    Defect::tampering(
        "completed-too-early",
        "POLL-ACK-002",
        "Says `completed` as soon as it hears of a command.",
        || stateful::<Early>(Early::input, Early::output),
    ),
    Defect::tampering(
        "lost-ack-not-repeated",
        "POLL-ACK-003",
        "Takes an acknowledgement for delivered though no answer came.",
        || {
            any_input(|input| {
                if let Input::HttpFailed {
                    request: DELIVERY, ..
                } = input
                {
                    *input = delivered();
                }
                true
            })
        },
    ),
    Defect::within(
        NO_DUPLICATE_DETECTION,
        "POLL-ACK-004",
        "Executes a command again when it is listed again.",
    ),
    Defect::tampering(
        "forgets-commands-at-boot",
        "POLL-ACK-005",
        "Does not know after a boot which commands it executed before.",
        || boots(|hardware| forget(hardware, COMMANDS)),
    ),
    Defect::within(
        ACKS_NOT_PERSISTED,
        "POLL-ACK-006",
        "Loses acknowledgements that wait when power fails.",
    ),
    Defect::tampering(
        "refused-ack-repeated",
        "POLL-ACK-007",
        "Sends an acknowledgement again that was answered with 409 or 410.",
        || answers_to_acks(|status| matches!(status, 409 | 410)),
    ),
    Defect::tampering(
        "too-large-ack-repeated",
        "POLL-ACK-008",
        "Sends an acknowledgement again and again that was answered with 400, 413 or 415.",
        || answers_to_acks(|status| matches!(status, 400 | 413 | 415)),
    ),
    Defect::tampering(
        "changes-its-mind",
        "POLL-ACK-009",
        "Sends `failed` half a minute after `completed`.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if let Output::Http(_, call) = &output
                    && is_ack(call)
                    && status(call) == "completed"
                {
                    let mut second = (**call).clone();
                    edit_json(&mut second.request.body, |body| {
                        body["status"] = json!("failed");
                        body["error_code"] = json!("interrupted");
                    });
                    edge.request_later(Duration::from_secs(25), second);
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "never-in-progress",
        "POLL-ACK-010",
        "Does not say that a long command is in progress.",
        || {
            pretended(|call| {
                (is_ack(call) && status(call) == "in_progress").then(|| Response::json(200, &json!({})))
            })
        },
    ),
    Defect::tampering(
        "error-code-missing",
        "POLL-ACK-011",
        "Says `failed` and `rejected` without an error code.",
        || {
            acks(|body| {
                body.remove("error_code");
            })
        },
    ),
    Defect::tampering(
        "starts-afresh-with-the-cloud",
        "POLL-ROBUST-001",
        "Restarts and forgets its commands when it does not reach the cloud.",
        || {
            starts_afresh(
                |input| matches!(input, Input::HttpFailed { .. }),
                |hardware| forget(hardware, COMMANDS),
            )
        },
    ),
    Defect::tampering(
        "interrupted-forgotten",
        "POLL-ROBUST-007",
        "Knows nothing after a boot of the command that power interrupted, and takes it for done.",
        || boots(interrupted_is_done),
    ),
    Defect::tampering(
        "report-after-ack",
        "POLL-REPORT-003",
        "Sends reports a minute late, after the acknowledgement.",
        || {
            stateful::<()>(hear, |(), output, edge| match output {
                Output::Http(request, call) if is_report(&call) => {
                    edge.request_later(Duration::from_secs(60), *call);
                    edge.hear(Input::HttpAnswer {
                        request,
                        response: Response::json(201, &json!({})),
                    });
                }
                other => edge.perform(other),
            })
        },
    ),
];

/// Says `completed` in place of the agent, which is believed to be heard.
#[derive(Default)]
struct Early {
    poll: Option<HttpCall>,
    said: BTreeSet<String>,
}

impl Early {
    fn input(&mut self, mut input: Input, edge: &mut Edge<'_>) {
        let mut new = Vec::new();
        super::lists::edit_list(&mut input, |items| {
            let ids = items.iter().filter_map(|item| item["id"].as_str());
            new = ids
                .filter(|id| self.said.insert((*id).to_owned()))
                .map(str::to_owned)
                .collect();
        });
        if let Some(poll) = &self.poll {
            for id in new {
                let mut call = HttpCall::new("POST", format!("{}/{id}/ack", poll.url));
                call.request.headers = poll.request.headers.clone();
                edge.request(call.json(&json!({"status": "completed"})));
            }
        }
        edge.hear(input);
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        match output {
            Output::Http(request, call) if is_ack(&call) => edge.hear(Input::HttpAnswer {
                request,
                response: Response::json(200, &json!({})),
            }),
            Output::Http(request, call) => {
                if super::is_poll(&call) {
                    self.poll = Some((*call).clone());
                }
                edge.perform(Output::Http(request, call));
            }
            other => edge.perform(other),
        }
    }
}

/// Has the agent take some answers to acknowledgements for a timeout.
fn answers_to_acks(which: fn(u16) -> bool) -> Box<dyn Tamper> {
    Box::new(AnswersToAcks(which))
}

struct AnswersToAcks(fn(u16) -> bool);

impl Tamper for AnswersToAcks {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        let refused = matches!(&input, Input::HttpAnswer { response, .. } if answers(&input, DELIVERY) && (self.0)(response.status));
        edge.hear(if refused {
            Input::HttpFailed {
                request: DELIVERY,
                error: HttpError::Timeout("waiting for the answer"),
            }
        } else {
            input
        });
    }
}

/// Edits the body of acknowledgements.
pub(super) fn acks(edit: fn(&mut Map<String, Value>)) -> Box<dyn Tamper> {
    json_requests(is_ack, edit)
}

fn status(call: &HttpCall) -> String {
    let body: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
    super::member(&body, "status").to_owned()
}

/// Commands that were not done are, and nothing waits for them.
pub(super) fn interrupted_is_done(hardware: &mut Hardware) {
    let names: Vec<String> = hardware.flash.names(COMMANDS).map(str::to_owned).collect();
    for name in names {
        let Some(mut record) = store::load::<Value>(&hardware.flash, &name) else {
            continue;
        };
        if record["state"] != "Done" {
            record["state"] = json!("Done");
            record["settled"] = json!("Dropped");
            store::save(&mut hardware.flash, &name, &record);
        }
    }
    forget(hardware, store::UPDATE);
}

fn delivered() -> Input {
    Input::HttpAnswer {
        request: DELIVERY,
        response: Response::json(200, &json!({})),
    }
}
