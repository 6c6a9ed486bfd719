//! Defects of reports, lists of packages and system information.

use super::{asks, is_packages, is_report, outcomes, taken_for_done};
use crate::{
    Defect, Output,
    defect::{
        Edge, Tamper,
        edits::{edit_json, hear, requests, set_header, stateful},
    },
};
use hil_wire::sota::core::Call;
use serde_json::{Value, json};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "codes-all-general",
        "SOTA-REPORT-001",
        "Reports every failure with the code for any failure.",
        || {
            each_result(|result| {
                if result["result_code"].as_u64().is_some_and(|code| code > 1) {
                    result["result_code"] = json!(19);
                }
            })
        },
    ),
    Defect::tampering(
        "first-result-only",
        "SOTA-REPORT-004",
        "Reports only the first of several results.",
        || {
            uploaded(is_report, |results| {
                if let Some(results) = results.as_array_mut() {
                    results.truncate(1);
                }
            })
        },
    ),
    Defect::tampering(
        "results-reversed",
        "SOTA-REPORT-004",
        "Reports results from the last to the first.",
        || {
            uploaded(is_report, |results| {
                if let Some(results) = results.as_array_mut() {
                    results.reverse();
                }
            })
        },
    ),
    Defect::tampering(
        "refused-reports-sent",
        "SOTA-REPORT-005",
        "Tells that a report was sent whatever became of it.",
        || outcomes(is_report, taken_for_done),
    ),
    Defect::tampering(
        "codes-as-text",
        "SOTA-REPORT-007",
        "Writes the number of a result code as text.",
        || {
            each_result(|result| {
                let code = result["result_code"].to_string();
                result["result_code"] = json!(code);
            })
        },
    ),
    Defect::tampering(
        "results-without-text",
        "SOTA-REPORT-007",
        "Leaves the text of a result out.",
        || {
            each_result(|result| {
                if let Some(members) = result.as_object_mut() {
                    members.remove("result_text");
                }
            })
        },
    ),
    Defect::tampering(
        "packages-reversed",
        "SOTA-PKG-001",
        "Sends packages from the last to the first.",
        || packages(|packages| packages.reverse()),
    ),
    Defect::tampering(
        "packages-cut",
        "SOTA-PKG-001",
        "Sends no more than a thousand packages.",
        || packages(|packages| packages.truncate(1000)),
    ),
    Defect::tampering(
        "packages-add-up",
        "SOTA-PKG-003",
        "Sends packages of earlier commands once more.",
        || {
            stateful::<Vec<Value>>(hear, |earlier, mut output, edge| {
                if let Output::Http(_, call) = &mut output
                    && asks(call, is_packages)
                {
                    edit_json(&mut call.request.body, |body| {
                        if let Some(packages) = body.as_array_mut() {
                            let own = packages.clone();
                            packages.splice(0..0, earlier.iter().cloned());
                            earlier.extend(own);
                        }
                    });
                    let length = call.request.body.len().to_string();
                    set_header(&mut call.request.headers, "Content-Length", &length);
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "names-escaped",
        "SOTA-PKG-004",
        "Escapes names of packages as if they were written in HTML.",
        || {
            packages(|packages| {
                for package in packages {
                    package["name"] =
                        json!(package["name"].as_str().unwrap_or_default().replace('&', "&amp;"));
                }
            })
        },
    ),
    Defect::tampering(
        "versions-normalised",
        "SOTA-PKG-004",
        "Cuts versions at what is no digit or dot.",
        || {
            packages(|packages| {
                for package in packages {
                    let version = package["version"].as_str().unwrap_or_default();
                    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.');
                    package["version"] = json!(version[..end.unwrap_or(version.len())]);
                }
            })
        },
    ),
    Defect::tampering(
        "refused-packages-sent",
        "SOTA-PKG-005",
        "Tells that packages were sent whatever became of them.",
        || outcomes(is_packages, taken_for_done),
    ),
    Defect::tampering(
        "no-packages-as-null",
        "SOTA-PKG-006",
        "Sends an empty list of packages as null.",
        || {
            uploaded(is_packages, |packages| {
                if *packages == json!([]) {
                    *packages = Value::Null;
                }
            })
        },
    ),
    Defect::tampering(
        "system-info-posted",
        "SOTA-PKG-007",
        "Sends system information by POST.",
        || {
            requests(|call| {
                if asks(call, is_system_info) {
                    call.request.method = "POST".to_owned();
                }
            })
        },
    ),
    Defect::tampering(
        "system-info-rewritten",
        "SOTA-PKG-007",
        "Writes system information anew before it sends it.",
        || uploaded(is_system_info, |_| ()),
    ),
];

/// Edits the JSON of some uploads before they are sent.
pub(super) fn uploaded<F: Fn(&mut Value) + 'static>(which: fn(&Call) -> bool, edit: F) -> Box<dyn Tamper> {
    Box::new(Uploaded { which, edit })
}

struct Uploaded<F> {
    which: fn(&Call) -> bool,
    edit: F,
}

impl<F: Fn(&mut Value)> Tamper for Uploaded<F> {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if let Output::Http(_, call) = &mut output
            && asks(call, self.which)
        {
            edit_json(&mut call.request.body, &self.edit);
            let length = call.request.body.len().to_string();
            set_header(&mut call.request.headers, "Content-Length", &length);
        }
        edge.perform(output);
    }
}

/// Edits each result of a report.
pub(super) fn each_result(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    uploaded(is_report, move |results| {
        results.as_array_mut().into_iter().flatten().for_each(edit);
    })
}

fn packages(edit: fn(&mut Vec<Value>)) -> Box<dyn Tamper> {
    uploaded(is_packages, move |packages| {
        if let Some(packages) = packages.as_array_mut() {
            edit(packages);
        }
    })
}

fn is_system_info(call: &Call) -> bool {
    matches!(call, Call::SystemInfo { .. })
}
