//! Defects in carrying out commands other than updates.

use super::{acknowledgements::acks, is_ack, lists::edit_list, member};
use crate::{
    Defect, Hardware, Input, Output,
    defect::edits::{boots, hear, perform, restarts_once_more, stateful},
    edge_poll::{
        agent::{CONFIGURATION_TIMER, POLL_TIMER},
        store,
    },
};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "unknown-command-completed",
        "POLL-CMD-001",
        "Says `completed` for a command it does not know.",
        || acks(|body| completed_in_place_of(body, "unsupported_command")),
    ),
    Defect::tampering(
        "bad-payload-completed",
        "POLL-CMD-002",
        "Says `completed` for a command whose payload is not what it should be.",
        || acks(|body| completed_in_place_of(body, "invalid_payload")),
    ),
    Defect::tampering(
        "restarts-every-service",
        "POLL-CMD-003",
        "Restarts all services for the one it was told.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if let Output::Http(_, call) = &output
                    && is_ack(call)
                    && String::from_utf8_lossy(&call.request.body).contains("active_since")
                {
                    for service in edge.hardware.services.values_mut() {
                        service.starts += 1;
                    }
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "unknown-service-completed",
        "POLL-CMD-004",
        "Says `completed` for a service it does not have.",
        || acks(|body| completed_in_place_of(body, "unknown_service")),
    ),
    Defect::tampering(
        "restarts-itself-twice",
        "POLL-CMD-005",
        "Restarts once more after a restart of its own service.",
        || restarts_once_more(Duration::from_secs(60)),
    ),
    Defect::tampering(
        "probes-beyond-the-subnet",
        "POLL-CMD-006",
        "Probes a subnet twice as large as the one it was given.",
        || {
            stateful::<String>(hear, |probed, output, edge| {
                let observed = edge.hardware.observed("discovery").and_then(Value::as_str);
                let wider = observed.filter(|subnet| subnet != probed).and_then(|subnet| {
                    let (network, bits) = subnet.split_once('/')?;
                    Some(format!("{network}/{}", bits.parse::<u32>().ok()?.checked_sub(1)?))
                });
                if let Some(wider) = wider {
                    probed.clone_from(&wider);
                    if let Ok(subnet) = wider.parse() {
                        edge.hardware.segment.search(&subnet);
                    }
                    edge.hardware.observe("discovery", wider);
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "bad-subnet-completed",
        "POLL-CMD-007",
        "Says `completed` for a subnet that is malformed or too large.",
        || acks(|body| completed_in_place_of(body, "invalid_subnet")),
    ),
    Defect::tampering(
        "silent-while-it-discovers",
        "POLL-CMD-008",
        "Does not poll while discovery runs.",
        || {
            stateful::<bool>(
                |discovers, mut input, edge| {
                    edit_list(&mut input, |items| {
                        *discovers |= items
                            .iter()
                            .any(|item| member(item, "command") == "run_discovery");
                    });
                    edge.hear(input);
                },
                |discovers, output, edge| match output {
                    Output::Timer(POLL_TIMER, after) if std::mem::take(discovers) => {
                        edge.perform(Output::Timer(POLL_TIMER, after + Duration::from_secs(900)));
                    }
                    other => edge.perform(other),
                },
            )
        },
    ),
    Defect::tampering(
        "configuration-lost",
        "POLL-CMD-010",
        "Loses its configuration when power fails.",
        || {
            boots(|hardware: &mut Hardware| {
                let _ = hardware.flash.remove(store::CONFIGURATION);
            })
        },
    ),
    Defect::tampering(
        "configuration-not-undone",
        "POLL-CMD-011",
        "Keeps a configuration that cuts it off from the cloud.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    let undoes = matches!(input, Input::Timer(CONFIGURATION_TIMER));
                    if !undoes {
                        edge.hear(input);
                    }
                },
                perform,
            )
        },
    ),
];

fn completed_in_place_of(body: &mut Map<String, Value>, code: &str) {
    if body.get("error_code").and_then(Value::as_str) == Some(code) {
        body.insert("status".to_owned(), json!("completed"));
        body.remove("error_code");
        body.remove("message");
    }
}
