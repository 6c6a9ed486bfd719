//! Defects of updates up to the restart.

use super::{call, called, no_error};
use crate::{
    Defect, Input, Output,
    defect::edits::{any_input, hear, perform, requests, stateful, without},
    ota_rpc::agent::{DOWNLOAD, STALL_TIMER},
};
use hil_wire::http::Response;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "malformed-updates-considered",
        "OTA-UPDATE-001",
        "Thinks for a minute about an update without a URL.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if let Input::ServerRequest { request, .. } = &input
                        && super::method_of(request).as_deref() == Some("OTA.Update")
                    {
                        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                        let arguments = ["params", "args"]
                            .iter()
                            .find_map(|name| body.get(*name))
                            .unwrap_or(&body);
                        if arguments["url"].as_str().is_none_or(str::is_empty) {
                            return edge.hear_later(Duration::from_secs(60), input);
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "timeout-as-text-ignored",
        "OTA-UPDATE-002",
        "Does not know a timeout that is text.",
        || {
            called("OTA.Update", |arguments, _, _| {
                if arguments["commit_timeout"].is_string() {
                    super::remove(arguments, "commit_timeout");
                }
                true
            })
        },
    ),
    Defect::tampering(
        "running-slot-written",
        "OTA-UPDATE-003",
        "Writes the image over the one that runs.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if matches!(output, Output::Http(DOWNLOAD, _)) {
                    let running = edge.hardware.active_slot;
                    let _ = edge.hardware.erase_slot(running);
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "no-restart",
        "OTA-UPDATE-004",
        "Does not restart into a new image.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if !matches!(output, Output::Reboot(_)) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "outcome-negative",
        "OTA-UPDATE-006",
        "Reports an update that succeeds as failed.",
        || {
            super::answers(|answer| {
                let error = if answer.get("error").is_some() {
                    &mut answer["error"]
                } else {
                    answer
                };
                if error["message"] == "Update applied, finalizing" {
                    error["code"] = json!(-1);
                }
            })
        },
    ),
    Defect::tampering(
        "second-update-welcome",
        "OTA-UPDATE-007",
        "Answers a second update with success while one runs.",
        || no_error(&["Failed to init updater"]),
    ),
    Defect::tampering(
        "commits-to-update",
        "OTA-UPDATE-008",
        "Commits what runs in order to take an update.",
        || {
            called("OTA.Update", |_, _, edge| {
                call("OTA.Commit", edge);
                true
            })
        },
    ),
    Defect::tampering(
        "truncated-is-good",
        "OTA-UPDATE-009",
        "Says that an update succeeded whose download was cut.",
        || {
            no_error(&[
                "Update failed",
                "Incomplete",
                "connection broke",
                "Connection",
                "Malformed archive",
            ])
        },
    ),
    Defect::tampering(
        "stall-awaited",
        "OTA-UPDATE-010",
        "Waits for ever for a server that stalls.",
        || {
            stateful::<()>(hear, |(), output, edge| match output {
                Output::Timer(STALL_TIMER, _) => {}
                Output::Http(request, mut call) => {
                    let long = Duration::from_secs(30 * 86_400);
                    call.limits.connect = long;
                    call.limits.idle = long;
                    edge.perform(Output::Http(request, call));
                }
                other => edge.perform(other),
            })
        },
    ),
    Defect::tampering(
        "progress-ignored",
        "OTA-UPDATE-011",
        "Takes the stall limit for a limit on the whole download.",
        || {
            stateful::<bool>(hear, |set, output, edge| match output {
                Output::Timer(STALL_TIMER, _) if std::mem::replace(set, true) => {}
                Output::Cancel(STALL_TIMER) => {
                    *set = false;
                    edge.perform(output);
                }
                other => edge.perform(other),
            })
        },
    ),
    Defect::tampering(
        "digest-ignored",
        "OTA-UPDATE-012",
        "Says that an altered image was applied.",
        || no_error(&["Digest mismatch", "Invalid CRC"]),
    ),
    Defect::tampering(
        "any-platform",
        "OTA-UPDATE-013",
        "Says that an image for another platform was applied.",
        || no_error(&["Wrong platform"]),
    ),
    Defect::tampering(
        "fields-optional",
        "OTA-UPDATE-014",
        "Says that an archive without required fields was applied.",
        || {
            no_error(&[
                "Required manifest field missing",
                "Incomplete update package",
                "Failed to parse manifest",
            ])
        },
    ),
    Defect::tampering(
        "any-archive",
        "OTA-UPDATE-015",
        "Says that an archive of another form was applied.",
        || {
            no_error(&[
                "Malformed archive",
                "Cannot handle compressed",
                "Too long file name",
            ])
        },
    ),
    Defect::tampering(
        "any-size",
        "OTA-UPDATE-016",
        "Says that an image larger than its slot was applied.",
        || no_error(&["Image too big"]),
    ),
    Defect::tampering(
        "redirects-not-followed",
        "OTA-UPDATE-017",
        "Does not follow a redirect.",
        || {
            any_input(|input| {
                if let Input::HttpHead {
                    request: DOWNLOAD,
                    status,
                    ..
                } = input
                    && (300..304).contains(status)
                {
                    *status = 404;
                }
                true
            })
        },
    ),
    Defect::tampering(
        "restarts-for-nothing",
        "OTA-UPDATE-018",
        "Restarts though there was nothing new.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if matches!(
                        input,
                        Input::HttpHead {
                            request: DOWNLOAD,
                            status: 304,
                            ..
                        }
                    ) {
                        edge.perform_later(Duration::from_secs(1), Output::Reboot(Duration::ZERO));
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "downloads-nameless",
        "OTA-UPDATE-020",
        "Does not say who downloads.",
        || {
            requests(|call| {
                without(&mut call.request.headers, "X-MGOS-Device-ID");
                without(&mut call.request.headers, "X-MGOS-FW-Version");
            })
        },
    ),
    Defect::tampering(
        "restarts-when-unreachable",
        "OTA-UPDATE-021",
        "Restarts when a server cannot be reached.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if matches!(
                        input,
                        Input::HttpFailed {
                            request: DOWNLOAD,
                            ..
                        }
                    ) {
                        edge.perform(Output::Reboot(Duration::ZERO));
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "failures-unanswered",
        "OTA-UPDATE-024",
        "Says nothing when an update fails.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if let Output::Answer(exchange, response) = &output {
                    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                    let error = body.get("error").unwrap_or(&body);
                    if error["code"] == -1 && error["message"].is_string() {
                        return edge.perform(Output::Abandon(*exchange));
                    }
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "gaps-accepted",
        "OTA-UPDATE-023",
        "Takes a chunk that leaves a gap.",
        || {
            called("OTA.Write", |arguments, _, _| {
                super::remove(arguments, "offset");
                true
            })
        },
    ),
    Defect::tampering(
        "one-update-in-a-life",
        "OTA-ROBUST-004",
        "Takes no second update after one that failed.",
        || second_refused(),
    ),
    Defect::tampering(
        "no-update-after-a-rollback",
        "OTA-REVERT-005",
        "Takes no second update after a rollback.",
        || second_refused(),
    ),
    Defect::tampering(
        "one-slot-only",
        "OTA-ROBUST-001",
        "Writes the image where it runs as it comes.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if matches!(
                        input,
                        Input::HttpChunk {
                            request: DOWNLOAD,
                            ..
                        }
                    ) {
                        let running = edge.hardware.active_slot;
                        let _ = edge.hardware.erase_slot(running);
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
];

/// Every update but the first is refused.
fn second_refused() -> Box<dyn crate::defect::Tamper> {
    stateful::<u32>(
        |updates, input, edge| {
            if let Input::ServerRequest {
                exchange, request, ..
            } = &input
                && super::method_of(request).as_deref() == Some("OTA.Update")
            {
                *updates += 1;
                if *updates > 1 {
                    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                    let error = json!({"code": -1, "message": "Failed to init updater"});
                    let frame =
                        json!({"id": body["id"], "src": "sim-board", "dst": body["src"], "error": error});
                    return edge.perform(Output::Answer(*exchange, Response::json(200, &frame)));
                }
            }
            edge.hear(input);
        },
        perform,
    )
}
