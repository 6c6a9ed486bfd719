//! Defects that give something away or let something in.

use super::{PLAIN_DOWNLOADS, is_ack};
use crate::{
    Defect, Output,
    defect::ANY_TLS_VERSION,
    defect::edits::{edit_json, hear, requests, stateful},
    edge_poll::agent::DOWNLOAD,
};
use hil_wire::edge_poll::header;
use serde_json::json;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "key-sent-twice",
        "POLL-AUTH-001",
        "Sends the device key in two headers.",
        || {
            requests(|call| {
                if let Some(key) = call.request.headers.get(header::DEVICE_KEY).map(str::to_owned) {
                    call.request.headers.push(header::DEVICE_KEY, key);
                }
            })
        },
    ),
    Defect::tampering(
        "key-in-the-body",
        "POLL-AUTH-002",
        "Puts the device key into acknowledgements.",
        || {
            requests(|call| {
                let key = call
                    .request
                    .headers
                    .get(header::DEVICE_KEY)
                    .unwrap_or_default()
                    .to_owned();
                if is_ack(call) {
                    edit_json(&mut call.request.body, |body| body["message"] = json!(key));
                }
            })
        },
    ),
    Defect::tampering(
        "key-to-other-origins",
        "POLL-AUTH-003",
        "Sends the device key along wherever a download leads.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                edge.perform(match output {
                    Output::Http(DOWNLOAD, mut call) => {
                        let key = edge.setup.endpoints.get("device_key");
                        call.request.headers.push(header::DEVICE_KEY, key);
                        Output::Http(DOWNLOAD, call)
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "key-fixed",
        "POLL-AUTH-005",
        "Goes on with the key it was given at first, whatever its configuration says.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                edge.perform(match output {
                    Output::Http(request, mut call) => {
                        let key = edge.setup.endpoints.get("device_key").to_owned();
                        for (name, value) in &mut call.request.headers.0 {
                            if name.eq_ignore_ascii_case(header::DEVICE_KEY) {
                                value.clone_from(&key);
                            }
                        }
                        Output::Http(request, call)
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "certificates-unverified",
        "POLL-SEC-001",
        "Accepts any certificate of the server.",
        || requests(|call| call.unverified = true),
    ),
    Defect::switched(
        "old-tls-accepted",
        ANY_TLS_VERSION,
        "POLL-SEC-002",
        "Goes on with a server that speaks TLS 1.1.",
    ),
    Defect::within(
        PLAIN_DOWNLOADS,
        "POLL-SEC-003",
        "Downloads over plain `http` though it is not in lab mode.",
    ),
    Defect::tampering(
        "names-lead-out",
        "POLL-SEC-004",
        "Accepts names and versions of snaps that lead out of its folder.",
        || {
            requests(|call| {
                if is_ack(call) {
                    edit_json(&mut call.request.body, |body| {
                        if body["error_code"] == "invalid_payload" {
                            *body = json!({"status": "completed"});
                        }
                    });
                }
            })
        },
    ),
    Defect::tampering(
        "secrets-in-messages",
        "POLL-SEC-006",
        "Sends error texts longer than 1024 characters.",
        || {
            requests(|call| {
                if is_ack(call) {
                    edit_json(&mut call.request.body, |body| {
                        if body["error_code"].is_string() {
                            body["message"] = json!("stack trace ".repeat(200));
                        }
                    });
                }
            })
        },
    ),
];
