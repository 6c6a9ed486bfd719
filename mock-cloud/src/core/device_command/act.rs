//! What scenario steps ask of this cloud; names and arguments are those of the vocabulary. Steps pass the checks of
//! the issuing call by, so that a unit can be given what no cloud would.

use super::{DeviceCommandCloud, command::StoredCommand};
use crate::core::{ActError, Now, Outputs};
use hil_fault::Artifact;
use hil_wire::{
    device_command::{CommandObject, CommandType, Signature, signing_input},
    digest::sha256_tagged,
    timestamp::format_millis,
};
use serde_json::{Map, Value, json};

type With = Map<String, Value>;

impl DeviceCommandCloud {
    pub(super) fn do_action(
        &mut self,
        now: Now,
        action: &str,
        with: &With,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<With, ActError> {
        let result = match action {
            "issue" => self.issue_step(now, with, out)?,
            "issue_raw" => self.issue_raw(now, with, out)?,
            "update" => self.update_step(now, with, artifacts, out)?,
            "export" => self.export_step(now, with, out)?,
            "test_endpoints" => {
                let count = with
                    .get("count")
                    .and_then(Value::as_u64)
                    .ok_or_else(|| missing("count"))?;
                let status = with.get("status").and_then(Value::as_u64).unwrap_or(200);
                let status = u16::try_from(status).map_err(|_| bad("status", "an HTTP status"))?;
                let length = with.get("length").and_then(Value::as_u64).unwrap_or(0) as usize;
                let urls: Vec<String> = (0..count.min(64))
                    .map(|_| self.make_endpoint(status, length.min(4096)))
                    .collect();
                json!({"urls": urls})
            }
            "redeliver" => self.redeliver(now, with, out)?,
            _ => return Err(ActError::UnknownAction(format!("cloud.{action}"))),
        };
        Ok(result.as_object().cloned().unwrap_or_default())
    }

    fn issue_step(&mut self, now: Now, with: &With, out: &mut Outputs) -> Result<Value, ActError> {
        let kind = text(with, "type")?;
        let count = with.get("count").and_then(Value::as_u64).unwrap_or(1);
        let mut ids = Vec::new();
        for _ in 0..count {
            let id = match with.get("id").and_then(Value::as_str) {
                Some(id) if count == 1 => id.to_owned(),
                _ => self.made_id(with),
            };
            let mut command = json!({"type": kind, "command_id": id});
            if let Some(parameters) = with.get("parameters").filter(|value| !value.is_null()) {
                command["parameters"] = parameters.clone();
            }
            self.send_out(now, &id, command, with, out);
            ids.push(id);
        }
        Ok(json!({"id": ids.first(), "ids": ids}))
    }

    /// Completes a command with what all steps can say, signs it, and queues it or calls the unit.
    fn send_out(&mut self, now: Now, id: &str, mut command: Value, with: &With, out: &mut Outputs) {
        if let Some(seconds) = seconds(with, "delay") {
            command["execution_delay"] = json!(seconds.round() as i64);
        }
        if let Some(seconds) = seconds(with, "expires_in") {
            command["expires_at"] = json!(format_millis(now.unix_ms_in(seconds)));
        }
        if with.get("expired") == Some(&Value::Bool(true)) {
            command["expires_at"] = json!(format_millis(now.unix_ms - 3_600_000));
        }
        if let Some(Value::Object(extra)) = with.get("extra") {
            for (name, value) in extra {
                command[name] = value.clone();
            }
        }
        if let Some(length) = with.get("padding").and_then(Value::as_u64) {
            let length = usize::try_from(length).unwrap_or(MOST_PADDING).min(MOST_PADDING);
            command["padding"] = json!("x".repeat(length));
        }
        let age = seconds(with, "age").unwrap_or(0.0);
        let timestamp = format_millis(now.unix_ms_in(-age));
        let device = word(with, "device_id").unwrap_or_else(|| self.settings.unit_id.clone());
        if let Some(signature) = self.signature(&device, &timestamp, &command, with) {
            command["signature"] = json!(signature);
        }
        let stored = StoredCommand::new(id.to_owned(), command.clone(), timestamp.clone(), now.unix_ms);
        if !self.direct {
            self.insert(stored, out);
            return;
        }
        if !self.commands.contains_key(id) {
            self.insert(stored, out);
        }
        let body = json!({"device_id": device, "command": command, "timestamp": timestamp});
        let path = word(with, "path_device_id").unwrap_or_else(|| self.settings.unit_id.clone());
        let token = match with.get("token").and_then(Value::as_str) {
            Some("absent") => None,
            Some("wrong") => Some("wrong-token".to_owned()),
            // Its form is right, and nobody takes it any more.
            Some("expired") => Some(self.settings.admin_token.chars().rev().collect()),
            Some("device") => Some(self.settings.unit_key.clone()),
            _ => Some(self.settings.admin_token.clone()),
        };
        self.call_unit(&path, token.as_deref(), body.to_string().into_bytes(), id, out);
    }

    fn signature(&self, device: &str, timestamp: &str, command: &Value, with: &With) -> Option<String> {
        let read = CommandObject::read(command, "", &mut Vec::new());
        let input = || match &read {
            Some(read) => signing_input(device, timestamp, read),
            None => signing_input(
                device,
                timestamp,
                &CommandObject::new(CommandType::BcgmcuReset, "unreadable"),
            ),
        };
        let keys = &self.keys;
        let needed = || read.as_ref().is_some_and(|read| self.needs_signature(read));
        let signature = match with.get("signature").and_then(Value::as_str).unwrap_or("auto") {
            "auto" if !needed() => return None,
            "absent" => return None,
            "auto" | "valid" => keys.sign_hmac(&input()),
            "wrong" => flipped(keys.sign_hmac(&input())),
            "other-device" => keys.sign_as_other_unit(&input()),
            "ed25519" => keys.sign_ed25519(&input()),
            "ed25519-wrong" => flipped(keys.sign_ed25519(&input())),
            given => return Some(given.to_owned()),
        };
        Some(signature.to_string())
    }

    fn issue_raw(&mut self, now: Now, with: &With, out: &mut Outputs) -> Result<Value, ActError> {
        if self.direct {
            let body = text(with, "text")?.to_owned();
            let device = self.settings.unit_id.clone();
            let token = self.settings.admin_token.clone();
            self.call_unit(&device, Some(&token), body.into_bytes(), "", out);
            return Ok(json!({"id": ""}));
        }
        let item = with.get("item").cloned().ok_or_else(|| missing("item"))?;
        let id = match item.get("command_id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => self.new_id(),
        };
        let mut stored = StoredCommand::new(id.clone(), json!({}), format_millis(now.unix_ms), now.unix_ms);
        stored.raw = Some(item);
        self.insert(stored, out);
        Ok(json!({"id": id}))
    }

    fn update_step(
        &mut self,
        now: Now,
        with: &With,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let role = text(with, "artifact")?;
        let artifact = artifacts(role).ok_or_else(|| ActError::Unknown {
            kind: "artifact",
            name: role.to_owned(),
        })?;
        let (hosted, change) = self.host_image(format!("{role}.bin"), artifact.bytes.to_vec());
        out.changes.push(change);
        let version = word(with, "version").unwrap_or_else(|| artifact.version.clone());
        let checksum = word(with, "checksum").unwrap_or_else(|| sha256_tagged(&artifact.bytes));
        let url = word(with, "url").unwrap_or(hosted);
        let mut parameters = json!({"firmware_url": url, "version": version, "checksum": checksum});
        for name in ["auto_restart", "allow_downgrade"] {
            if let Some(value) = with.get(name).filter(|value| !value.is_null()) {
                parameters[name] = value.clone();
            }
        }
        let id = self.chosen_id(with);
        let command = json!({"type": "firmware_update", "command_id": id, "parameters": parameters});
        self.send_out(now, &id, command, with, out);
        let size = artifact.bytes.len();
        let (half, most) = (size / 2, size - size.div_ceil(10));
        Ok(json!({
            "id": id, "version": version, "checksum": checksum, "url": url,
            "size": size, "half": half, "most": most,
        }))
    }

    fn export_step(&mut self, now: Now, with: &With, out: &mut Outputs) -> Result<Value, ActError> {
        let since = seconds(with, "since").ok_or_else(|| missing("since"))?;
        let until = seconds(with, "until").unwrap_or(0.0);
        let ago = |seconds: f64| format_millis(now.unix_ms_in(-seconds));
        let (start, end) = (ago(since), ago(until));
        let mut parameters = json!({"start_time": start, "end_time": end});
        for (argument, parameter) in [("format", "export_format"), ("include_raw", "include_raw")] {
            if let Some(value) = with.get(argument).filter(|value| !value.is_null()) {
                parameters[parameter] = value.clone();
            }
        }
        let id = self.chosen_id(with);
        let command = json!({"type": "data_export", "command_id": id, "parameters": parameters});
        self.send_out(now, &id, command, with, out);
        Ok(json!({"id": id, "start_time": start, "end_time": end}))
    }

    fn redeliver(&mut self, _: Now, with: &With, out: &mut Outputs) -> Result<Value, ActError> {
        let id = text(with, "id")?;
        let times = with.get("times").and_then(Value::as_u64).unwrap_or(1);
        let unknown = || ActError::Unknown {
            kind: "command",
            name: id.to_owned(),
        };
        let command = self.commands.get_mut(id).ok_or_else(unknown)?;
        if !self.direct {
            command.redeliver += times;
            out.changes.push(command.change());
            return Ok(json!({"id": id}));
        }
        let command = command.clone();
        let device = self.settings.unit_id.clone();
        let token = self.settings.admin_token.clone();
        let body = json!({"device_id": device, "command": command.command, "timestamp": command.issued_at});
        for _ in 0..times {
            self.call_unit(&device, Some(&token), body.to_string().into_bytes(), id, out);
        }
        Ok(json!({"id": id}))
    }

    fn chosen_id(&mut self, with: &With) -> String {
        word(with, "id").unwrap_or_else(|| self.made_id(with))
    }

    fn made_id(&mut self, with: &With) -> String {
        match with.get("id_length").and_then(Value::as_u64) {
            Some(length) => self.new_id_of(usize::try_from(length).unwrap_or(usize::MAX).min(LONGEST_ID)),
            None => self.new_id(),
        }
    }

    /// An id no run used before: a unit that keeps its history between runs must not take it for a known one.
    fn new_id(&mut self) -> String {
        let id = format!("cmd_{:06x}_{:04}", self.settings.seed & 0xff_ffff, self.next_id);
        if self.commands.contains_key(&id) {
            self.next_id += 1;
            return self.new_id();
        }
        id
    }

    /// An id of so many characters, as much of it new as fits.
    fn new_id_of(&mut self, length: usize) -> String {
        let mut id = self.new_id();
        let own = id.split_off(id.len().saturating_sub(length));
        format!("{}{own}", "x".repeat(length.saturating_sub(own.len())))
    }
}

/// The same form, and fits nothing.
fn flipped(signature: Signature) -> Signature {
    match signature {
        Signature::HmacSha256(mut bytes) => {
            bytes[31] ^= 1;
            Signature::HmacSha256(bytes)
        }
        Signature::Ed25519(mut bytes) => {
            bytes[0] ^= 1;
            Signature::Ed25519(bytes)
        }
    }
}

fn text<'a>(with: &'a With, name: &str) -> Result<&'a str, ActError> {
    with.get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| missing(name))
}

fn word(with: &With, name: &str) -> Option<String> {
    with.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn seconds(with: &With, name: &str) -> Option<f64> {
    with.get(name).and_then(Value::as_f64)
}

fn missing(name: &str) -> ActError {
    bad(name, "is missing")
}

fn bad(name: &str, problem: &str) -> ActError {
    ActError::BadArgument {
        argument: name.to_owned(),
        problem: problem.to_owned(),
    }
}

/// Ids longer than any unit takes are still possible.
const LONGEST_ID: usize = 256;

/// More than any unit can be expected to take, and little enough to be made at once.
const MOST_PADDING: usize = 16 * 1024 * 1024;
