//! Defects in what becomes of commands.

use super::{Place, asks, dialect, events, forms, is_list, variant};
use crate::{
    Defect, HttpCall, Input, Output,
    defect::{
        Tamper,
        edits::{edit_json, hear, perform, pretended, set_header, stateful},
    },
};
use hil_wire::{
    http::Response,
    sota::{Command, Dialect, Event, Package, core::Call},
};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "software-list-unknown",
        "SOTA-CMD-001",
        "Does not know SendInstalledSoftware.",
        || {
            bodies(|body| {
                if variant(body) == "SendInstalledSoftware" {
                    *body = json!("Unknown");
                }
            })
        },
    ),
    Defect::tampering(
        "answers-at-the-beginning",
        "SOTA-CMD-002",
        "Answers StartDownload with its first event.",
        || {
            events(|event, place| {
                if let (Event::DownloadComplete(download), Place::Http) = (&event, place) {
                    *event = Event::DownloadingUpdate(download.update_id.clone());
                }
                true
            })
        },
    ),
    Defect::tampering(
        "authenticate-without-field",
        "SOTA-CMD-003",
        "Takes Authenticate without its field.",
        || {
            bodies(|body| {
                let shapes = [
                    json!({"variant": "Authenticate"}),
                    json!({"variant": "Authenticate", "fields": []}),
                ];
                if shapes.contains(body) {
                    *body = json!({"variant": "Authenticate", "fields": [null]});
                } else if *body == "Authenticate" {
                    *body = json!({"Authenticate": "None"});
                }
            })
        },
    ),
    Defect::tampering(
        "credentials-demanded",
        "SOTA-CMD-003",
        "Takes Authenticate with credentials only.",
        || {
            bodies(|body| {
                let without = [
                    json!({"variant": "Authenticate", "fields": [null]}),
                    json!({"Authenticate": "None"}),
                ];
                if without.contains(body) {
                    *body = json!("Authenticate");
                }
            })
        },
    ),
    Defect::tampering(
        "any-letter-case",
        "SOTA-CMD-004",
        "Takes the names of commands in any letter case.",
        || {
            bodies(|body| {
                let name = variant(body).to_owned();
                let right = NAMES.iter().find(|right| right.eq_ignore_ascii_case(&name));
                if let (Some(right), Ok(text)) = (right, serde_json::to_string(body))
                    && let Ok(right) = serde_json::from_str(&text.replace(&name, right))
                {
                    *body = right;
                }
            })
        },
    ),
    Defect::tampering(
        "malformed-yet-done",
        "SOTA-CMD-004",
        "Turns a malformed command down and asks for updates all the same.",
        || {
            stateful::<Option<HttpCall>>(
                |last, input, edge| {
                    if let Input::ServerRequest { face, request, .. } = &input
                        && face == "sota-http"
                        && !Command::decode(&request.body, dialect(edge.setup)).is_valid()
                        && let Some(mut call) = last.clone()
                        && let Some((device, _)) = call.url.rsplit_once('/')
                    {
                        call.url = format!("{device}/updates");
                        call.request.method = "GET".to_owned();
                        call.request.body.clear();
                        set_header(&mut call.request.headers, "Content-Length", "0");
                        edge.request(call);
                    }
                    edge.hear(input);
                },
                |last, output, edge| {
                    if let Output::Http(_, call) = &output
                        && asks(call, |asked| matches!(asked, Call::SystemInfo { .. }))
                    {
                        *last = Some((**call).clone());
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "code-names-unknown",
        "SOTA-CMD-005",
        "Does not take result codes by name.",
        || {
            bodies(|body| {
                if variant(body) == "SendUpdateReport" || variant(body) == "SendInstallReport" {
                    *body = json!("Unknown");
                }
            })
        },
    ),
    Defect::tampering(
        "code-numbers-guessed",
        "SOTA-CMD-006",
        "Takes every result code that is a number for a failure of any kind.",
        || {
            bodies(|body| {
                let text = body.to_string();
                let mut parts = text.split("\"result_code\":");
                let mut edited = parts.next().unwrap_or_default().to_owned();
                for part in parts {
                    let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
                    edited.push_str("\"result_code\":");
                    edited.push_str(if rest.len() < part.len() {
                        "\"GENERAL_ERROR\""
                    } else {
                        ""
                    });
                    edited.push_str(rest);
                }
                if let Ok(value) = serde_json::from_str(&edited) {
                    *body = value;
                }
            })
        },
    ),
    Defect::tampering(
        "commands-overtake",
        "SOTA-CMD-007",
        "Executes every second command before the one that came before it.",
        || {
            stateful::<bool>(
                |second, input, edge| match &input {
                    Input::WsFrame { frame, .. } if frame.opcode == 1 => {
                        *second = !*second;
                        match *second {
                            true => edge.hear_later(Duration::from_millis(500), input),
                            false => edge.hear(input),
                        }
                    }
                    _ => edge.hear(input),
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "packages-made-up",
        "SOTA-CMD-008",
        "Lists a package though the package manager is off.",
        || {
            events(|event, _| {
                if *event == Event::FoundInstalledPackages(Vec::new()) {
                    *event = Event::FoundInstalledPackages(vec![Package::new("made", "up")]);
                }
                true
            })
        },
    ),
    Defect::tampering(
        "system-info-trimmed",
        "SOTA-CMD-009",
        "Leaves the line feed at the end of the system information out.",
        || {
            events(|event, _| {
                if let Event::FoundSystemInfo(text) = event {
                    *text = text.trim_end().to_owned();
                }
                true
            })
        },
    ),
    Defect::tampering(
        "shutdown-ignored",
        "SOTA-CMD-010",
        "Goes on after Shutdown.",
        || exits(|status, edge| edge.perform(Output::Console(format!("status {status}")))),
    ),
    Defect::tampering(
        "shutdown-fails",
        "SOTA-CMD-010",
        "Ends with status 1 after Shutdown.",
        || exits(|status, edge| edge.perform(Output::Exit(status + 1))),
    ),
    Defect::tampering(
        "shutdown-slow",
        "SOTA-CMD-010",
        "Ends five seconds after Shutdown.",
        || exits(|status, edge| edge.perform_later(Duration::from_secs(5), Output::Exit(status))),
    ),
    Defect::tampering(
        "system-info-needed",
        "SOTA-CMD-011",
        "Ends when it is asked for system information without a command for it.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                let missing = matches!(&output, Output::Answer(_, response)
                    if String::from_utf8_lossy(&response.body).contains("no system information"));
                edge.perform(output);
                if missing {
                    edge.perform(Output::Exit(101));
                }
            })
        },
    ),
    Defect::tampering(
        "updates-from-memory",
        "SOTA-CMD-012",
        "Answers GetUpdateRequests without asking Core.",
        || pretended(|call| asks(call, is_list).then(|| Response::json(200, &json!([])))),
    ),
    Defect::tampering(
        "updates-asked-late",
        "SOTA-CMD-012",
        "Asks Core for updates three seconds after it was told to.",
        || {
            stateful::<()>(hear, |(), output, edge| match &output {
                Output::Http(_, call) if asks(call, is_list) => {
                    edge.perform_later(Duration::from_secs(3), output);
                }
                _ => edge.perform(output),
            })
        },
    ),
    Defect::tampering(
        "event-unknown",
        "SOTA-EVT-001",
        "Has an event of its own in place of NoUpdateRequests.",
        || {
            forms(|value, _, _| {
                if variant(value) == "NoUpdateRequests" {
                    *value = json!("NothingToDo");
                }
                true
            })
        },
    ),
    Defect::tampering(
        "dialects-mixed",
        "SOTA-EVT-001",
        "Tells of completed downloads in the other dialect.",
        || {
            forms(|value, dialect, _| {
                if let Some(event @ Event::DownloadComplete(_)) = Event::from_value(value, dialect).value {
                    let other = match dialect {
                        Dialect::Rustc => Dialect::Serde,
                        Dialect::Serde => Dialect::Rustc,
                    };
                    *value = event.to_value(other).unwrap_or_default();
                }
                true
            })
        },
    ),
];

/// Edits the JSON of commands on the HTTP gateway before the agent reads them.
fn bodies(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(Bodies(edit))
}

struct Bodies(fn(&mut Value));

impl Tamper for Bodies {
    fn input(&mut self, mut input: Input, edge: &mut crate::defect::Edge<'_>) {
        if let Input::ServerRequest { request, .. } = &mut input {
            edit_json(&mut request.body, self.0);
        }
        edge.hear(input);
    }
}

/// Does something else in place of ending.
fn exits(instead: fn(i32, &mut crate::defect::Edge<'_>)) -> Box<dyn Tamper> {
    Box::new(Exits(instead))
}

struct Exits(fn(i32, &mut crate::defect::Edge<'_>));

impl Tamper for Exits {
    fn output(&mut self, output: Output, edge: &mut crate::defect::Edge<'_>) {
        match output {
            Output::Exit(status) => (self.0)(status, edge),
            other => edge.perform(other),
        }
    }
}

const NAMES: [&str; 8] = [
    "Authenticate",
    "GetUpdateRequests",
    "ListInstalledPackages",
    "ListSystemInfo",
    "SendSystemInfo",
    "StartDownload",
    "StartInstall",
    "SendInstalledPackages",
];
