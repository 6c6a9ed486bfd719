//! What units call: the fetch (reference section 3.2) and status reports (3.3).

use super::{DeviceCommandCloud, command::StoredCommand};
use crate::core::{Now, Outputs};
use hil_wire::{
    device_command::{CommandStatus, StatusAnswer, StatusBody, error_code, header},
    http::{Request, Response},
    oddity::Weight,
    timestamp::format_millis,
};
use serde_json::{Value, json};

impl DeviceCommandCloud {
    /// `GET /device/command/{device_id}`: oldest first, at most eight, never more than 32 KiB.
    pub(super) fn fetch(&mut self, now: Now, device: &str, request: &Request, out: &mut Outputs) -> Response {
        if let Err(refusal) = self.authenticate_unit(request, Some(device)) {
            return refusal;
        }
        let mut listed: Vec<StoredCommand> = if self.direct {
            Vec::new()
        } else {
            self.commands
                .values()
                .filter(|command| command.is_listed())
                .cloned()
                .collect()
        };
        listed.sort_by_key(|command| command.number);
        let mut items = Vec::new();
        let mut size = ENVELOPE;
        for command in listed.into_iter().take(header::OPEN_COMMAND_LIMIT) {
            let item = command.item(device, now.unix_ms);
            size += item.to_string().len() + 1;
            if size > header::FETCH_ANSWER_LIMIT {
                break;
            }
            items.push(item);
            if let Some(own) = self.commands.get_mut(&command.id).filter(|own| own.redeliver > 0) {
                own.redeliver -= 1;
                out.changes.push(own.change());
            }
        }
        let body = json!({"commands": items, "server_time": format_millis(now.unix_ms)});
        Response::json(200, &body)
    }

    /// `POST /device/command/status`.
    pub(super) fn status(&mut self, now: Now, request: &Request, out: &mut Outputs) -> Response {
        if let Err(refusal) = self.authenticate_unit(request, None) {
            return refusal;
        }
        if let Some(refusal) = self.refuse_body(request) {
            return refusal;
        }
        let decoded = StatusBody::decode(&request.body);
        let invalid = decoded
            .oddities
            .iter()
            .find(|oddity| oddity.weight == Weight::Invalid);
        let Some(report) = decoded.value.as_ref().filter(|_| invalid.is_none()) else {
            return self.refuse_oddity(invalid);
        };
        let Some(command) = self.commands.get_mut(&report.command_id) else {
            return self.error(404, "Unknown command", error_code::UNKNOWN_COMMAND);
        };
        let repeated = command.status == report.status && report.status.is_terminal();
        let ended = command.status.is_terminal() && !repeated;
        let document: Value = serde_json::to_value(report).unwrap_or_default();
        command.reports += 1;
        out.changes
            .push(command.report_change(now.unix_ms, &document, if ended { 409 } else { 200 }));
        if ended {
            out.changes.push(command.change());
            return self.error(409, "The command has ended", error_code::TERMINAL_STATE);
        }
        if !repeated && report.status != CommandStatus::Queued {
            command.set_status(report.status, report.details.clone(), now.unix_ms);
        }
        out.changes.push(command.change());
        let answer = StatusAnswer {
            accepted: true,
            commands_pending: self.pending() > 0,
            server_time: format_millis(now.unix_ms),
            duplicate: repeated.then_some(true),
        };
        Response::json(200, &serde_json::to_value(answer).unwrap_or_default())
    }
}

/// Bytes of a fetch answer around its items.
const ENVELOPE: usize = 80;
