//! Facts of commands, events and replies.

use hil_wire::{
    http::Response,
    sota::{Command, Dialect, Event, Package},
};
use serde_json::{Value, json};

/// The dialect a message is written in; `rustc` where both are the same.
pub(super) fn dialect(message: &[u8]) -> Dialect {
    Dialect::detect(message).unwrap_or_default()
}

/// Facts of a command's bytes, added to what was announced.
pub(super) fn command(mut facts: Value, bytes: &[u8]) -> Value {
    let command = Command::decode(bytes, dialect(bytes)).value;
    let id = match &command {
        Some(Command::StartDownload(id) | Command::StartInstall(id)) => Some(id.clone()),
        Some(Command::SendUpdateReport(report)) => Some(report.update_id.clone()),
        _ => None,
    };
    if let Some(command) = &command {
        facts["command"] = json!(command.name(Dialect::Rustc));
    }
    facts["id"] = json!(id);
    facts
}

/// Facts of a reply over HTTP.
pub(super) fn http_reply(mut facts: Value, response: &Response) -> Value {
    facts["http_status"] = json!(response.status);
    facts["rejected"] = json!(response.status == 400);
    if response.status == 200 {
        merge(&mut facts, event(&response.body));
    }
    facts
}

/// Facts of an event's bytes; empty if they are none.
pub(super) fn event(bytes: &[u8]) -> Value {
    let decoded = Event::decode(bytes, dialect(bytes)).value;
    decoded.as_ref().map_or_else(|| json!({}), event_facts)
}

/// Facts of an event.
pub(super) fn event_facts(event: &Event) -> Value {
    let mut facts = json!({"event": event.name(), "id": event.update_id()});
    let more = match event {
        Event::Error(text) | Event::FoundSystemInfo(text) | Event::DownloadFailed(_, text) => {
            json!({"text": text})
        }
        Event::UpdatesReceived(updates) => {
            let ids: Vec<_> = updates.iter().map(|update| &update.request_id).collect();
            let statuses: Vec<_> = updates.iter().map(|update| update.status.name()).collect();
            let positions: Vec<_> = updates.iter().map(|update| update.install_pos).collect();
            let packages: Vec<_> = updates
                .iter()
                .map(|update| update.package_id.to_value())
                .collect();
            json!({
                "ids": ids, "statuses": statuses, "positions": positions, "packages": packages, "count": ids.len(),
            })
        }
        Event::FoundInstalledPackages(packages) => {
            let packages: Vec<_> = packages.iter().map(Package::to_value).collect();
            json!({"packages": packages, "count": packages.len()})
        }
        Event::DownloadComplete(download) => json!({"update_image": download.update_image}),
        Event::InstallComplete(report) | Event::InstallFailed(report) => {
            let result = report.operation_results.first();
            json!({
                "result_code": result.map(|result| result.result_code.number()),
                "text": result.map(|result| result.result_text.as_str()),
            })
        }
        _ => json!({}),
    };
    merge(&mut facts, more);
    facts
}

/// Adds members; those that are there already are replaced.
pub(super) fn merge(facts: &mut Value, more: Value) {
    if let (Value::Object(facts), Value::Object(more)) = (facts, more) {
        facts.extend(more);
    }
}
