//! Direct mode: the cloud plays the issuer and calls the unit (reference section 1).

use super::{DeviceCommandCloud, UNIT_DIRECT};
use crate::core::{Now, Operation, Outputs, Send};
use hil_wire::{
    device_command::IssueAnswer,
    http::{Request, Response},
};
use serde_json::json;
use std::time::Duration;

/// A call whose answer is awaited.
#[derive(Clone, Debug)]
pub(super) struct PendingCall {
    command_id: String,
}

impl DeviceCommandCloud {
    /// Calls the unit with a body; `token` none leaves the header out.
    pub(super) fn call_unit(
        &mut self,
        device: &str,
        token: Option<&str>,
        body: Vec<u8>,
        command_id: &str,
        out: &mut Outputs,
    ) {
        let call = self.next_call;
        self.next_call += 1;
        let path = format!("/api/v1/device/command/{device}");
        let mut request = Request::new("POST", path).header("Content-Type", "application/json");
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        request.body = body;
        self.calls.insert(
            call,
            PendingCall {
                command_id: command_id.to_owned(),
            },
        );
        let facts = json!({"command_id": command_id});
        out.sends.push(Send::Call {
            call,
            face: UNIT_DIRECT.to_owned(),
            request,
            operation: Operation {
                name: "issue".to_owned(),
                facts: facts.as_object().cloned().unwrap_or_default(),
            },
            limit: CALL_LIMIT,
            patience: BOOT_PATIENCE,
        });
    }

    /// The unit has answered, or has not: a command it took stays open until a terminal status comes.
    pub(super) fn direct_answered(
        &mut self,
        _: Now,
        call: u64,
        result: Result<Response, String>,
        out: &mut Outputs,
    ) {
        let Some(pending) = self.calls.remove(&call) else {
            return;
        };
        let response = match result {
            Ok(response) => response,
            Err(problem) => {
                let facts = json!({"command_id": pending.command_id, "problem": problem});
                return out.note("call_failed", facts);
            }
        };
        let taken = response.status == 200 && IssueAnswer::decode(&response.body).value.is_some();
        let Some(command) = self.commands.get_mut(&pending.command_id) else {
            return;
        };
        if taken {
            command.taken = true;
            out.changes.push(command.change());
        } else if !command.taken && command.reports == 0 {
            // Refused, and no earlier call for the same id was taken: the command does not exist.
            self.commands.remove(&pending.command_id);
            out.changes.push(crate::store::Change::Delete {
                collection: super::command::COLLECTION,
                key: pending.command_id,
            });
        }
    }
}

const CALL_LIMIT: Duration = Duration::from_secs(20);
/// A unit that was just started, or restarts, gets so long until it listens.
const BOOT_PATIENCE: Duration = Duration::from_secs(18);
