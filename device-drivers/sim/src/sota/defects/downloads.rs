//! Defects of downloads.

use super::{
    asked, asks, authentication::configured, events, is_download, is_list, is_report, outcomes,
    uploads::each_result,
};
use crate::{
    Defect, Input, Output,
    defect::{
        Tamper,
        edits::{boots, edit_json, hear, pretended, stateful, without},
    },
};
use hil_wire::{
    http::Response,
    sota::{DownloadComplete, Event},
};
use serde_json::json;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "downloads-on-command-only",
        "SOTA-DL-001",
        "Downloads pending updates on command only.",
        || boots(|hardware| configured(hardware, "auto_download", false)),
    ),
    Defect::tampering(
        "last-byte-lost",
        "SOTA-DL-002",
        "Loses the last byte of an image.",
        || {
            outcomes(is_download, |result| {
                result.map(|mut response| {
                    response.body.pop();
                    response
                })
            })
        },
    ),
    Defect::tampering(
        "image-path-relative",
        "SOTA-DL-002",
        "Names the file of an image by a path from its own working folder.",
        || {
            events(|event, _| {
                if let Event::DownloadComplete(download) = event {
                    download.update_image = download.update_image.trim_start_matches('/').to_owned();
                }
                true
            })
        },
    ),
    Defect::tampering(
        "settled-updates-downloaded",
        "SOTA-DL-003",
        "Downloads updates that are done with.",
        || listed("Finished"),
    ),
    Defect::tampering(
        "cancelled-updates-downloaded",
        "SOTA-DL-003",
        "Downloads updates that were cancelled.",
        || listed("Canceled"),
    ),
    Defect::tampering(
        "downloads-again",
        "SOTA-DL-004",
        "Downloads updates in flight once more.",
        || listed("InFlight"),
    ),
    Defect::tampering(
        "error-pages-stored",
        "SOTA-DL-005",
        "Stores what Core sends with an error as the image.",
        || {
            outcomes(is_download, |result| {
                result.map(|mut response| {
                    if response.status >= 400 {
                        response.status = 200;
                    }
                    response
                })
            })
        },
    ),
    Defect::tampering(
        "short-images-stored",
        "SOTA-DL-006",
        "Takes an image for complete whose connection broke.",
        || outcomes(is_download, |result| result.or_else(|_| Ok(Response::new(200)))),
    ),
    Defect::tampering(
        "failures-unreported",
        "SOTA-DL-007",
        "Reports no download that failed.",
        || {
            pretended(|call| {
                let failed = String::from_utf8_lossy(&call.request.body).contains("\"result_code\":19");
                (asks(call, is_report) && failed).then(|| Response::new(204))
            })
        },
    ),
    Defect::tampering(
        "failures-with-another-code",
        "SOTA-DL-007",
        "Reports failed downloads as failed installations.",
        || {
            each_result(|result| {
                if result["result_code"] == 19 {
                    result["result_code"] = json!(4);
                }
            })
        },
    ),
    Defect::tampering(
        "failures-reported-without-reason",
        "SOTA-DL-007",
        "Does not say why a download failed where it reports it.",
        || {
            each_result(|result| {
                if result["result_code"] == 19 {
                    result["result_text"] = json!("");
                }
            })
        },
    ),
    Defect::tampering(
        "downloads-uncommanded",
        "SOTA-DL-008",
        "Downloads pending updates though it was told not to.",
        || boots(|hardware| configured(hardware, "auto_download", true)),
    ),
    Defect::tampering(
        "redirects-unfollowed",
        "SOTA-DL-009",
        "Does not follow redirects.",
        || {
            outcomes(is_download, |result| {
                result.map(|mut response| {
                    without(&mut response.headers, "Location");
                    response
                })
            })
        },
    ),
    Defect::tampering(
        "writes-elsewhere",
        "SOTA-DL-010",
        "Writes to the path that is in an id.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    let body = match &input {
                        Input::ServerRequest { request, .. } => &request.body[..],
                        Input::HttpAnswer { response, .. } => &response.body[..],
                        _ => &[],
                    };
                    if String::from_utf8_lossy(body).contains("../") {
                        // A flash without power keeps what it has.
                        let _ = edge.hardware.flash.replace("outside", body);
                    }
                    edge.hear(input);
                },
                |(), output, edge| edge.perform(output),
            )
        },
    ),
    Defect::tampering(
        "folder-needed",
        "SOTA-DL-011",
        "Ends when it cannot store an image.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                let text = match &output {
                    Output::Answer(_, response) => String::from_utf8_lossy(&response.body),
                    Output::SendWs(_, frame) => String::from_utf8_lossy(&frame.payload),
                    _ => "".into(),
                };
                match text.contains("no folder") {
                    true => edge.perform(Output::Exit(101)),
                    false => edge.perform(output),
                }
            })
        },
    ),
    Defect::tampering(
        "unstored-yet-complete",
        "SOTA-DL-011",
        "Tells that a download is complete which it could not store.",
        || {
            events(|event, _| {
                if let Event::DownloadFailed(id, reason) = event
                    && (reason.contains("folder") || reason.contains("space") || reason.contains("full"))
                {
                    *event = Event::DownloadComplete(DownloadComplete {
                        update_id: id.clone(),
                        update_image: format!("/var/sota/packages/{id}"),
                        signature: String::new(),
                    });
                }
                true
            })
        },
    ),
];

/// Takes listed updates of one status for pending ones.
pub(super) fn listed(status: &'static str) -> Box<dyn Tamper> {
    Box::new(Listed { status, asked: false })
}

struct Listed {
    status: &'static str,
    asked: bool,
}

impl Tamper for Listed {
    fn input(&mut self, mut input: Input, edge: &mut crate::defect::Edge<'_>) {
        if let Input::HttpAnswer { response, .. } = &mut input
            && self.asked
        {
            edit_json(&mut response.body, |list| {
                for update in list.as_array_mut().into_iter().flatten() {
                    if update.get("status").is_some_and(|status| status == self.status) {
                        update["status"] = json!("Pending");
                    }
                }
            });
        }
        edge.hear(input);
    }

    fn output(&mut self, output: Output, edge: &mut crate::defect::Edge<'_>) {
        if let Output::Http(_, call) = &output {
            self.asked = asked(call).is_some_and(|asked| is_list(&asked));
        }
        edge.perform(output);
    }
}
