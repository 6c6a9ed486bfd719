//! What scenario steps ask of this cloud; names and arguments are those of the vocabulary.

use super::{
    SotaCloud, bus_call,
    command::{self, Gateway, bad, span, word},
    gateway::Sending,
};
use crate::core::{ActError, Now, Outputs};
use hil_fault::Artifact;
use hil_wire::sota::{Command, Dialect, Package};
use serde_json::{Map, Value, json};

impl SotaCloud {
    pub(super) fn do_action(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError> {
        let connection = || word(with, "connection").unwrap_or("main").to_owned();
        let result = match action {
            "command" => self.command(now, with, out)?,
            "command_raw" => {
                let gateway = Gateway::read(with)?;
                let mut bytes = command::raw_bytes(with)?;
                if gateway == Gateway::Console && with.get("end") != Some(&Value::Bool(false)) {
                    bytes.push(b'\n');
                }
                let sending = Sending {
                    bytes,
                    limit: span(with, "limit", 20.0),
                    ..sending(with, gateway)
                };
                json!({"call": self.gateways.send(now, sending, out)})
            }
            "install_report" => {
                let id = word(with, "id").ok_or_else(|| bad("id", "is needed"))?;
                let report = command::report(with, id.to_owned())?;
                let call = self.send(now, &Command::SendUpdateReport(report), with, out)?;
                json!({"call": call})
            }
            "subscribe" => {
                self.gateways.subscribe(&connection(), out);
                json!({})
            }
            "unsubscribe" => {
                let name = connection();
                let reset = with.get("reset") == Some(&Value::Bool(true));
                if !self.gateways.unsubscribe(&name, reset, out) {
                    return Err(ActError::Unknown {
                        kind: "open WebSocket",
                        name,
                    });
                }
                json!({})
            }
            "initiate_download" | "update_report" | "bus_call" => {
                let calling = bus_call::read(action, with)?;
                json!({"call": self.bus.call(now.stamp, calling, out)})
            }
            "software_manager" => {
                let present = with.get("present") == Some(&Value::Bool(true));
                self.bus.set_manager(present, out);
                json!({})
            }
            "installed_software" => {
                let (packages, firmwares) = bus_call::software(with)?;
                self.bus.set_software(packages, firmwares);
                json!({})
            }
            "queue" => self.queue(now, with, artifacts, out)?,
            "cancel" => {
                let id = word(with, "id").ok_or_else(|| bad("id", "is needed"))?;
                let cancelled = self.change_update(id, out, |update| update.cancelled = true);
                cancelled.ok_or_else(|| ActError::Unknown {
                    kind: "update",
                    name: id.to_owned(),
                })?;
                json!({"id": id})
            }
            "unblock" => {
                self.set_blocked(false, out);
                json!({})
            }
            "revoke_token" => {
                self.tokens.revoke(out);
                out.note("token_revoked", json!({}));
                json!({})
            }
            "refuse_credentials" => {
                let status = with.get("status").and_then(Value::as_u64).unwrap_or(401);
                self.tokens.refused = u16::try_from(status).ok();
                out.note("credentials_refused", json!({}));
                json!({})
            }
            "accept_credentials" => {
                self.tokens.refused = None;
                out.note("credentials_accepted", json!({}));
                json!({})
            }
            "limit_scope" => {
                let scope = word(with, "scope").unwrap_or("both");
                self.tokens.read = matches!(scope, "read" | "both");
                self.tokens.write = matches!(scope, "write" | "both");
                out.note("scope_limited", json!({"scope": scope}));
                json!({})
            }
            _ => return Err(ActError::UnknownAction(format!("cloud.{action}"))),
        };
        Ok(result.as_object().cloned().unwrap_or_default())
    }

    fn command(&mut self, now: Now, with: &Map<String, Value>, out: &mut Outputs) -> Result<Value, ActError> {
        let command = command::read(with)?;
        let times = with.get("times").and_then(Value::as_u64).unwrap_or(1);
        let mut calls = Vec::new();
        for _ in 0..times.max(1) {
            calls.push(self.send(now, &command, with, out)?);
        }
        Ok(json!({"call": calls.first(), "calls": calls}))
    }

    fn send(
        &mut self,
        now: Now,
        command: &Command,
        with: &Map<String, Value>,
        out: &mut Outputs,
    ) -> Result<u64, ActError> {
        let gateway = Gateway::read(with)?;
        let short = with.get("short") == Some(&Value::Bool(true));
        let bytes = command::payload(command, gateway, self.dialect, short)?;
        let sending = Sending {
            command: command.name(Dialect::Rustc).to_owned(),
            bytes,
            limit: span(with, "limit", 60.0),
            ..sending(with, gateway)
        };
        Ok(self.gateways.send(now, sending, out))
    }

    fn queue(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let role = word(with, "artifact").ok_or_else(|| bad("artifact", "is needed"))?;
        let artifact = artifacts(role).ok_or_else(|| ActError::Unknown {
            kind: "artifact",
            name: role.to_owned(),
        })?;
        let image = self.keep_image(&artifact.bytes, out);
        let name = word(with, "name").unwrap_or(&artifact.name);
        let version = word(with, "version").unwrap_or(&artifact.version);
        let package = Package::new(name, version);
        let count = with.get("count").and_then(Value::as_u64).unwrap_or(1);
        let mut ids = Vec::new();
        for _ in 0..count {
            let id = match word(with, "id") {
                Some(id) if count == 1 => id.to_owned(),
                _ => self.new_id(),
            };
            let mut update = self.new_update(now, id.clone(), &package, Some(image.clone()));
            update.told_status = word(with, "status").map(str::to_owned);
            let position = with.get("position").and_then(Value::as_i64);
            update.told_position = position.and_then(|position| i32::try_from(position).ok());
            if let Some(Value::Object(extra)) = with.get("extra") {
                update.extra = extra.clone();
            }
            self.enqueue(update, out);
            ids.push(id);
        }
        Ok(json!({
            "id": ids.first(),
            "ids": ids,
            "name": name,
            "version": version,
            "sha256": image,
            "size": artifact.bytes.len(),
        }))
    }
}

/// What the arguments say about how to send; bytes and time are filled in.
fn sending(with: &Map<String, Value>, gateway: Gateway) -> Sending {
    Sending {
        gateway,
        command: String::new(),
        bytes: Vec::new(),
        method: word(with, "method").unwrap_or("POST").to_owned(),
        path: word(with, "path").unwrap_or("/").to_owned(),
        content_type: word(with, "content_type")
            .unwrap_or("application/json")
            .to_owned(),
        chunked: word(with, "framing") == Some("chunked"),
        connection: word(with, "connection").unwrap_or("main").to_owned(),
        binary: with.get("binary") == Some(&Value::Bool(true)),
        end: with.get("end") != Some(&Value::Bool(false)),
        limit: std::time::Duration::ZERO,
    }
}
