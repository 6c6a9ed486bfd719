//! Defects of updates: resolving, fetching, checking, installing, reporting.

use super::{
    CHECKSUM_OPTIONAL, CHECKSUM_UNVERIFIED, INSTALLS_AGAIN, NO_ROLLBACK, NOTHING_VERIFIED, TAKES_ANY_VERSION,
    VERSIONS_AS_TEXT, acknowledgements::acks, is_report,
};
use crate::{
    Defect, HttpCall, Input, Output,
    defect::{
        WRITES_IN_PLACE,
        edits::{any_input, boots, edit_json, hear, json_requests, pretended, requests, stateful, without},
    },
    edge_poll::agent::{DOWNLOAD, LATEST},
};
use hil_wire::http::Response;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::both(
        TAKES_ANY_VERSION,
        TAKES_ANY_VERSION,
        "POLL-SNAP-001",
        "Installs the newest version in place of the one it was told.",
        || {
            requests(|call| {
                if let Some((path, query)) = call.url.split_once('?')
                    && path.ends_with("/snaps/latest")
                {
                    let parts: Vec<&str> = query
                        .split('&')
                        .filter(|part| !part.starts_with("version="))
                        .collect();
                    call.url = format!("{path}?{}", parts.join("&"));
                }
            })
        },
    ),
    Defect::within(
        INSTALLS_AGAIN,
        "POLL-SNAP-002",
        "Installs the version that already runs once more.",
    ),
    Defect::tampering(
        "no-snap-is-an-error",
        "POLL-SNAP-004",
        "Takes the answer that there is no snap for a failure of the cloud.",
        || {
            any_input(|input| {
                if let Input::HttpAnswer {
                    request: LATEST,
                    response,
                } = input
                    && response.status == 404
                {
                    response.status = 503;
                }
                true
            })
        },
    ),
    Defect::within(
        NO_ROLLBACK,
        "POLL-SNAP-005",
        "Keeps a version that is not healthy.",
    ),
    Defect::switched(
        "writes-in-place",
        WRITES_IN_PLACE,
        "POLL-SNAP-006",
        "Writes files where they are, so that power failing meanwhile tears them.",
    ),
    Defect::tampering(
        "update-forgotten-at-boot",
        "POLL-SNAP-007",
        "Knows nothing after a boot of the update that power interrupted.",
        || boots(super::acknowledgements::interrupted_is_done),
    ),
    Defect::within(
        VERSIONS_AS_TEXT,
        "POLL-SNAP-008",
        "Compares versions as texts, so that 1.10.0 is older than 1.9.0.",
    ),
    Defect::tampering(
        "downloads-from-the-api",
        "POLL-DL-001",
        "Downloads from the API origin whatever host the URL names.",
        || {
            stateful::<String>(hear, |origin, output, edge| {
                edge.perform(match output {
                    Output::Http(DOWNLOAD, mut call) => {
                        call.url = format!("{origin}{}", target(&call));
                        Output::Http(DOWNLOAD, call)
                    }
                    Output::Http(request, call) => {
                        let path = target(&call).len();
                        *origin = call.url[..call.url.len() - path].to_owned();
                        Output::Http(request, call)
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "stalled-for-ever",
        "POLL-DL-002",
        "Waits for ever for a download that stalls.",
        || {
            requests(|call| {
                if call.streamed {
                    call.limits.idle = Duration::from_secs(30 * 86_400);
                }
            })
        },
    ),
    Defect::tampering(
        "no-resumption",
        "POLL-DL-003",
        "Fetches an interrupted blob from its beginning.",
        || {
            requests(|call| {
                without(&mut call.request.headers, "Range");
                without(&mut call.request.headers, "If-Range");
            })
        },
    ),
    Defect::both(
        "stale-part-kept",
        NOTHING_VERIFIED,
        "POLL-DL-004",
        "Puts the rest of a changed blob behind the part it has, and checks nothing.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    edge.hear(match input {
                        Input::HttpHead {
                            request: DOWNLOAD,
                            status,
                            mut headers,
                        } => {
                            without(&mut headers, "ETag");
                            headers.push("ETag", "\"always\"");
                            Input::HttpHead {
                                request: DOWNLOAD,
                                status,
                                headers,
                            }
                        }
                        other => other,
                    });
                },
                |(), output, edge| {
                    edge.perform(match output {
                        Output::Http(request, mut call) => {
                            without(&mut call.request.headers, "If-Range");
                            Output::Http(request, call)
                        }
                        other => other,
                    });
                },
            )
        },
    ),
    Defect::both(
        NOTHING_VERIFIED,
        NOTHING_VERIFIED,
        "POLL-DL-005",
        "Installs what came, though the body ended early.",
        || {
            any_input(|input| {
                if let Input::HttpFailed {
                    request: DOWNLOAD, ..
                } = input
                {
                    *input = Input::HttpEnd { request: DOWNLOAD };
                }
                true
            })
        },
    ),
    Defect::tampering(
        "no-space-untold",
        "POLL-DL-006",
        "Does not say that it has no space for a blob.",
        || {
            acks(|body| {
                if body.get("error_code") == Some(&json!("no_space")) {
                    body.insert("error_code".to_owned(), json!("install_failed"));
                }
            })
        },
    ),
    Defect::tampering(
        "redirects-without-end",
        "POLL-DL-007",
        "Follows redirects wherever and as often as they lead.",
        || {
            stateful::<Option<HttpCall>>(
                |last, input, edge| match (&input, last.as_mut()) {
                    (
                        Input::HttpHead {
                            request: DOWNLOAD,
                            status: 300..400,
                            headers,
                        },
                        Some(call),
                    ) => {
                        let base = crate::Url::parse(&call.url).ok();
                        let target = headers.get("Location").and_then(|to| base?.join(to).ok());
                        if let Some(target) = target {
                            call.url = target.to_string();
                            edge.perform(Output::Http(DOWNLOAD, Box::new(call.clone())));
                        }
                    }
                    _ => edge.hear(input),
                },
                |last, output, edge| {
                    if let Output::Http(DOWNLOAD, call) = &output {
                        *last = Some((**call).clone());
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "downloads-for-ever",
        "POLL-DL-008",
        "Tries a host that cannot be reached again and again, and never says so.",
        || stateful::<Option<HttpCall>>(again_for_ever, remember_download),
    ),
    Defect::within(
        CHECKSUM_UNVERIFIED,
        "POLL-VERIFY-001",
        "Installs a snap whatever its digest.",
    ),
    Defect::switched(
        "started-unverified",
        CHECKSUM_UNVERIFIED,
        "POLL-SEC-005",
        "Starts what is in a blob before its digest was checked.",
    ),
    Defect::within(
        CHECKSUM_OPTIONAL,
        "POLL-VERIFY-002",
        "Takes a checksum it cannot use for nothing to check.",
    ),
    Defect::switched(
        "resumed-unverified",
        CHECKSUM_UNVERIFIED,
        "POLL-VERIFY-003",
        "Does not check the digest of a blob it put together from parts.",
    ),
    Defect::tampering(
        "fetches-twice",
        "POLL-VERIFY-005",
        "Fetches the blob once more after it was verified.",
        || {
            stateful::<Option<HttpCall>>(hear, |download, output, edge| {
                if let Output::Http(_, call) = &output
                    && is_report(call)
                    && String::from_utf8_lossy(&call.request.body).contains("\"installing\"")
                    && let Some(download) = download.take()
                {
                    edge.request(download);
                }
                remember_download(download, output, edge);
            })
        },
    ),
    Defect::tampering(
        "no-report",
        "POLL-REPORT-001",
        "Sends no report on an update.",
        || pretended(|call| is_report(call).then(|| Response::json(201, &json!({})))),
    ),
    Defect::tampering(
        "reports-another-version",
        "POLL-REPORT-002",
        "Reports a version that does not run.",
        || {
            json_requests(is_report, |body| {
                body.insert("version".to_owned(), json!("9.9.9"));
            })
        },
    ),
    Defect::tampering(
        "attempt-id-changes",
        "POLL-REPORT-004",
        "Repeats a report that was lost under another attempt id.",
        || {
            stateful::<u32>(hear, |number, output, edge| {
                edge.perform(match output {
                    Output::Http(request, mut call) if is_report(&call) => {
                        *number += 1;
                        let id = format!("att_{number}");
                        edit_json(&mut call.request.body, |body| body["attempt_id"] = json!(id));
                        Output::Http(request, call)
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "states-out-of-order",
        "POLL-REPORT-005",
        "Says `installing` while it still downloads.",
        || {
            json_requests(is_report, |body| {
                let status = body.get("status").and_then(Value::as_str).unwrap_or_default();
                let swapped = match status {
                    "downloading" => "installing",
                    "installing" => "downloading",
                    other => other,
                };
                body.insert("status".to_owned(), json!(swapped));
            })
        },
    ),
];

fn remember_download(last: &mut Option<HttpCall>, output: Output, edge: &mut crate::defect::Edge<'_>) {
    if let Output::Http(DOWNLOAD, call) = &output {
        *last = Some((**call).clone());
    }
    edge.perform(output);
}

fn again_for_ever(last: &mut Option<HttpCall>, input: Input, edge: &mut crate::defect::Edge<'_>) {
    match (&input, last) {
        (
            Input::HttpFailed {
                request: DOWNLOAD, ..
            },
            Some(call),
        ) => {
            let again = Output::Http(DOWNLOAD, Box::new(call.clone()));
            edge.perform_later(Duration::from_secs(10), again);
        }
        _ => edge.hear(input),
    }
}

fn target(call: &HttpCall) -> String {
    let rest = call.url.split_once("://").map_or("", |(_, rest)| rest);
    rest.find('/').map(|at| rest[at..].to_owned()).unwrap_or_default()
}
