//! Defects in what statuses, uploads and diagnostics say.

use super::statuses::statuses;
use crate::{
    Defect, HttpCall, Input, Output,
    defect::{
        Tamper,
        edits::{edit_json, repeated, requests, set_header, stateful},
    },
};
use hil_wire::{
    device_command::{header, status_text},
    digest::sha256_hex,
};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "bad-parameters-completed",
        "DCMD-REQ-005",
        "Says `completed` for commands whose parameters are wrong.",
        || {
            statuses(|body| {
                if details(body).starts_with("Invalid parameter") {
                    completed(body);
                }
            })
        },
    ),
    Defect::tampering(
        "reset-always-completed",
        "DCMD-RESET-005",
        "Says `completed` for a reset after which the module does not answer.",
        || {
            statuses(|body| {
                if details(body) == status_text::NO_RESPONSE_AFTER_RESET {
                    completed(body);
                }
            })
        },
    ),
    Defect::tampering(
        "other-words-for-downloading",
        "DCMD-FW-002",
        "Has words of its own for the steps of an update.",
        || say_instead(status_text::DOWNLOADING_FIRMWARE, "Working"),
    ),
    Defect::tampering(
        "rollback-completed",
        "DCMD-FW-009",
        "Says `completed` for an update whose image it rolled back.",
        || {
            statuses(|body| {
                if details(body).starts_with("Rolled back to") {
                    body.insert("status".to_owned(), json!("completed"));
                    body.insert(
                        "details".to_owned(),
                        json!(status_text::firmware_updated_to("1.2.0")),
                    );
                }
            })
        },
    ),
    Defect::tampering(
        "other-words-for-no-image",
        "DCMD-FW-011",
        "Does not say that the image could not be downloaded.",
        || say_instead(status_text::DOWNLOAD_FAILED, "Error"),
    ),
    Defect::tampering(
        "follows-to-plain-http",
        "DCMD-FW-011",
        "Follows a redirect of an image from https to http.",
        || {
            stateful::<Option<HttpCall>>(
                |last, input, edge| match (&input, last.take()) {
                    (
                        Input::HttpHead {
                            request,
                            status: 300..400,
                            headers,
                        },
                        Some(mut call),
                    ) if headers.get("Location").is_some_and(|to| to.starts_with("http:")) => {
                        call.url = headers.get("Location").unwrap_or_default().to_owned();
                        edge.perform(Output::Http(*request, Box::new(call)));
                    }
                    (_, call) => {
                        *last = call;
                        edge.hear(input);
                    }
                },
                |last, output, edge| {
                    if let Output::Http(_, call) = &output
                        && call.url.starts_with("https:")
                        && call.streamed
                    {
                        *last = Some((**call).clone());
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "other-words-for-no-space",
        "DCMD-FW-012",
        "Does not say that the image does not fit.",
        || say_instead(status_text::NOT_ENOUGH_SPACE, status_text::UPDATE_WRITE_FAILED),
    ),
    Defect::tampering(
        "stalled-image-awaited",
        "DCMD-FW-013",
        "Waits for an image that stalls until its watchdog ends it.",
        || {
            requests(|call| {
                if call.streamed {
                    call.limits.idle = Duration::from_secs(86_400);
                }
            })
        },
    ),
    Defect::tampering(
        "first-record-missing",
        "DCMD-EXPORT-001",
        "Leaves out the record at the beginning of the range.",
        || {
            exports(|body| {
                edit_json(body, |export| {
                    if let Some(records) = export.get_mut("records").and_then(Value::as_array_mut)
                        && !records.is_empty()
                    {
                        records.remove(0);
                    }
                });
            })
        },
    ),
    Defect::tampering(
        "csv-unquoted",
        "DCMD-EXPORT-002",
        "Writes CSV without quotes.",
        || {
            exports(|body| {
                if body.first() != Some(&b'{') {
                    body.retain(|byte| *byte != b'"')
                }
            })
        },
    ),
    Defect::tampering(
        "bad-range-completed",
        "DCMD-EXPORT-003",
        "Says `completed` for a range of time that is none.",
        || {
            statuses(|body| {
                if details(body) == status_text::INVALID_TIME_RANGE {
                    body.insert("status".to_owned(), json!("completed"));
                    body.insert("details".to_owned(), json!(status_text::exported(0)));
                }
            })
        },
    ),
    Defect::tampering(
        "long-ids-cut-in-paths",
        "DCMD-EXPORT-005",
        "Cuts ids after 40 characters where it uploads an export.",
        || {
            requests(|call| {
                if let Some((path, id)) = call.url.clone().rsplit_once('/')
                    && path.contains("/device/export/")
                    && id.len() > 40
                {
                    call.url = format!("{path}/{}", &id[..40]);
                }
            })
        },
    ),
    Defect::tampering(
        "nothing-to-export-fails",
        "DCMD-EXPORT-007",
        "Says `failed` for an export without records.",
        || {
            statuses(|body| {
                if details(body) == status_text::exported(0) {
                    body.insert("status".to_owned(), json!("failed"));
                }
            })
        },
    ),
    Defect::tampering(
        "tests-twice",
        "DCMD-DIAG-001",
        "Asks each endpoint twice.",
        || repeated(Duration::from_millis(200), is_test),
    ),
    Defect::tampering(
        "details-as-object",
        "DCMD-DIAG-002",
        "Sends the diagnostics as an object in place of a string.",
        || {
            statuses(|body| {
                if let Ok(object @ Value::Object(_)) = serde_json::from_str::<Value>(details(body)) {
                    body.insert("details".to_owned(), object);
                }
            })
        },
    ),
    Defect::tampering(
        "long-list-cut",
        "DCMD-DIAG-003",
        "Leaves tests of a long list out and does not say so.",
        || {
            diagnostics(|said| {
                said.as_object_mut().map(|members| members.remove("truncated"));
            })
        },
    ),
    Defect::tampering(
        "every-test-succeeds",
        "DCMD-DIAG-004",
        "Says of every endpoint that it answered with 200.",
        || {
            diagnostics(|said| {
                for test in said["endpoint_tests"].as_array_mut().into_iter().flatten() {
                    test["http_code"] = json!(200);
                    test["response_time"] = json!("success");
                }
            })
        },
    ),
    Defect::tampering(
        "tests-take-minutes",
        "DCMD-DIAG-005",
        "Waits a minute for each endpoint.",
        || {
            requests(|call| {
                if is_test(call) {
                    let minute = Duration::from_secs(60);
                    call.limits.connect = minute;
                    call.limits.idle = minute;
                    call.limits.total = Some(minute);
                }
            })
        },
    ),
    Defect::tampering(
        "counts-wrong",
        "DCMD-CLEAN-005",
        "Says that it removed one file more than it did.",
        || {
            statuses(|body| {
                if let Some((count, bytes)) = status_text::read_cleaned(details(body)) {
                    body.insert(
                        "details".to_owned(),
                        json!(status_text::cleaned(count + 1, bytes)),
                    );
                }
            })
        },
    ),
];

fn details(body: &Map<String, Value>) -> &str {
    body.get("details").and_then(Value::as_str).unwrap_or_default()
}

fn completed(body: &mut Map<String, Value>) {
    body.insert("status".to_owned(), json!("completed"));
    body.remove("details");
}

/// Says one text in place of another.
fn say_instead(said: &'static str, instead: &'static str) -> Box<dyn Tamper> {
    Box::new(SayInstead { said, instead })
}

struct SayInstead {
    said: &'static str,
    instead: &'static str,
}

impl Tamper for SayInstead {
    fn output(&mut self, mut output: crate::Output, edge: &mut crate::defect::Edge<'_>) {
        if let crate::Output::Http(_, call) = &mut output
            && super::is_status(call)
        {
            edit_json(&mut call.request.body, |body| {
                if body["details"] == self.said {
                    body["details"] = json!(self.instead);
                }
            });
        }
        edge.perform(output);
    }
}

/// Edits the file of an export, and says its digest anew.
fn exports(edit: fn(&mut Vec<u8>)) -> Box<dyn Tamper> {
    Box::new(Exports(edit))
}

struct Exports(fn(&mut Vec<u8>));

impl Tamper for Exports {
    fn output(&mut self, mut output: crate::Output, edge: &mut crate::defect::Edge<'_>) {
        if let crate::Output::Http(_, call) = &mut output
            && call.url.contains("/device/export/")
        {
            (self.0)(&mut call.request.body);
            let digest = sha256_hex(&call.request.body);
            set_header(&mut call.request.headers, header::CONTENT_SHA256, &digest);
        }
        edge.perform(output);
    }
}

/// Edits what diagnostics say.
fn diagnostics(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(DiagnosticsSaid(edit))
}

struct DiagnosticsSaid(fn(&mut Value));

impl Tamper for DiagnosticsSaid {
    fn output(&mut self, mut output: crate::Output, edge: &mut crate::defect::Edge<'_>) {
        if let crate::Output::Http(_, call) = &mut output
            && super::is_status(call)
        {
            edit_json(&mut call.request.body, |body| {
                let text = body["details"].as_str().unwrap_or_default();
                if let Ok(mut said) = serde_json::from_str::<Value>(text)
                    && let Some(diagnostics) = said.get_mut("diagnostics")
                {
                    (self.0)(diagnostics);
                    body["details"] = json!(said.to_string());
                }
            });
        }
        edge.perform(output);
    }
}

/// Requests to endpoints under test: neither of the API nor of an image.
fn is_test(call: &HttpCall) -> bool {
    call.request.method == "GET" && !call.streamed && call.request.headers.get("Authorization").is_none()
}
