//! Defects in what events say, and which.

use super::{Place, events, forms, is_list, outcomes, variant};
use crate::{
    Defect, Input, Output,
    defect::edits::{hear, stateful},
};
use hil_wire::{
    http::Response,
    sota::{Event, UpdateRequestStatus},
};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "updates-left-out",
        "SOTA-EVT-002",
        "Tells of pending updates only.",
        || {
            updates(|updates| {
                if updates.len() > 1 {
                    updates.retain(|update| update.status == UpdateRequestStatus::Pending);
                }
            })
        },
    ),
    Defect::tampering(
        "updates-changed",
        "SOTA-EVT-002",
        "Tells of updates with another time than Core said.",
        || {
            updates(|updates| {
                for update in updates {
                    update.created_at = "1970-01-01T00:00:00Z".to_owned();
                }
            })
        },
    ),
    Defect::tampering(
        "updates-unsorted",
        "SOTA-EVT-003",
        "Tells of updates from the last to the first.",
        || updates(|updates| updates.reverse()),
    ),
    Defect::tampering(
        "no-updates-as-list",
        "SOTA-EVT-004",
        "Tells of an empty list of updates in place of NoUpdateRequests.",
        || {
            events(|event, _| {
                if *event == Event::NoUpdateRequests {
                    *event = Event::UpdatesReceived(Vec::new());
                }
                true
            })
        },
    ),
    Defect::tampering(
        "begins-in-silence",
        "SOTA-EVT-005",
        "Does not tell that a download begins.",
        || events(|event, _| !matches!(event, Event::DownloadingUpdate(_))),
    ),
    Defect::tampering(
        "completes-twice",
        "SOTA-EVT-005",
        "Tells twice that a download is complete.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if matches!(&output, Output::SendWs(_, frame)
                    if String::from_utf8_lossy(&frame.payload).contains("DownloadComplete"))
                {
                    edge.perform_later(Duration::from_millis(200), output.clone());
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "codes-by-name",
        "SOTA-EVT-006",
        "Tells result codes by their names.",
        || {
            forms(|value, _, _| {
                if variant(value).starts_with("Install") {
                    name_codes(value);
                }
                true
            })
        },
    ),
    Defect::tampering(
        "sent-before-answered",
        "SOTA-EVT-007",
        "Tells that an upload was sent before Core answered.",
        || {
            stateful::<()>(hear, |(), output, edge| match output {
                Output::Http(request, call) if matches!(&call.request.method[..], "PUT") => {
                    edge.request(*call);
                    let response = Response::new(204);
                    edge.hear_later(Duration::from_millis(1), Input::HttpAnswer { request, response });
                }
                other => edge.perform(other),
            })
        },
    ),
    Defect::tampering(
        "errors-without-text",
        "SOTA-EVT-008",
        "Does not say what an error is about.",
        || {
            events(|event, _| {
                if let Event::Error(text) = event {
                    text.clear();
                }
                true
            })
        },
    ),
    Defect::tampering(
        "errors-as-nothing",
        "SOTA-EVT-008",
        "Takes an error of Core for an empty list.",
        || {
            outcomes(is_list, |result| match result {
                Ok(response) if response.status >= 500 => Ok(Response::json(200, &json!([]))),
                other => other,
            })
        },
    ),
    Defect::tampering(
        "errors-untold",
        "SOTA-EVT-008",
        "Tells nobody but the one who asked of an error.",
        || events(|event, place| place != Place::WebSocket || !matches!(event, Event::Error(_))),
    ),
    Defect::tampering(
        "failures-without-reason",
        "SOTA-EVT-009",
        "Does not say why a download failed.",
        || {
            events(|event, _| {
                if let Event::DownloadFailed(_, reason) = event {
                    reason.clear();
                }
                true
            })
        },
    ),
    Defect::tampering(
        "failures-with-id-only",
        "SOTA-EVT-009",
        "Tells of a failed download with one field.",
        || {
            forms(|value, _, _| {
                for fields in ["fields", "DownloadFailed"] {
                    if variant(value) == "DownloadFailed"
                        && let Some(fields) = value.get_mut(fields).and_then(Value::as_array_mut)
                    {
                        fields.truncate(1);
                    }
                }
                true
            })
        },
    ),
    Defect::tampering(
        "complete-told-late",
        "SOTA-WS-004",
        "Tells late that a download is complete.",
        || {
            stateful::<()>(hear, |(), output, edge| match &output {
                Output::SendWs(_, frame)
                    if String::from_utf8_lossy(&frame.payload).contains("DownloadComplete") =>
                {
                    edge.perform_later(Duration::from_secs(1), output);
                }
                _ => edge.perform(output),
            })
        },
    ),
];

fn updates(edit: fn(&mut Vec<hil_wire::sota::UpdateRequest>)) -> Box<dyn crate::defect::Tamper> {
    forms(move |value, dialect, _| {
        if let Some(Event::UpdatesReceived(mut updates)) = Event::from_value(value, dialect).value {
            edit(&mut updates);
            *value = Event::UpdatesReceived(updates)
                .to_value(dialect)
                .unwrap_or_default();
        }
        true
    })
}

fn name_codes(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name == "result_code" {
                    true => *member = json!("OK"),
                    false => name_codes(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(name_codes),
        _ => {}
    }
}
