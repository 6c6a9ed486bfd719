//! What scenario steps ask of this cloud; names and arguments are those of the vocabulary.

use super::{
    EdgePollCloud,
    command::StoredCommand,
    snap::{Pretence, Snap},
};
use crate::core::{ActError, Now, Outputs};
use hil_fault::Artifact;
use hil_wire::digest::sha256_hex;
use serde_json::{Map, Value, json};

impl EdgePollCloud {
    pub(super) fn do_action(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError> {
        let result = match action {
            "queue" => self.queue(now, with, out)?,
            "queue_raw" => self.queue_raw(now, with, out)?,
            "cancel" => {
                let id = text(with, "id")?;
                let cancelled = self.cancel(id, out);
                json!({"cancelled": cancelled.ok_or(ActError::Unknown { kind: "command", name: id.into() })?})
            }
            "redeliver" => {
                let id = text(with, "id")?;
                let times = with.get("times").and_then(Value::as_u64).unwrap_or(1);
                let unknown = ActError::Unknown {
                    kind: "command",
                    name: id.to_owned(),
                };
                self.commands.get_mut(id).ok_or(unknown)?.redeliver += times;
                json!({"id": id})
            }
            "publish" => self.publish_artifact(now, with, artifacts, out)?,
            "withdraw" => {
                let version = text(with, "version")?;
                let unknown = ActError::Unknown {
                    kind: "version",
                    name: version.to_owned(),
                };
                let snap = self
                    .snaps
                    .iter_mut()
                    .find(|snap| snap.version == version)
                    .ok_or(unknown)?;
                snap.withdrawn = true;
                out.changes.push(snap.change());
                json!({"version": version})
            }
            "alter_blob" => {
                let (version, key) = self.find_blob(with)?;
                let byte = with.get("byte").and_then(Value::as_u64).unwrap_or(0);
                let mut bytes = self.blobs.get(&key).cloned().unwrap_or_default();
                if let Some(byte) = usize::try_from(byte).ok().and_then(|at| bytes.get_mut(at)) {
                    *byte ^= 1;
                }
                self.altered.insert(key, bytes);
                json!({"version": version})
            }
            "restore_blob" => {
                let (version, key) = self.find_blob(with)?;
                self.altered.remove(&key);
                json!({"version": version})
            }
            "rotate_key" => {
                let key = text(with, "key")?;
                let new = sha256_hex(key.as_bytes());
                let old = std::mem::replace(&mut self.key_sha256, new);
                self.previous_key_sha256 = (with.get("keep_old") != Some(&Value::Bool(false))).then_some(old);
                out.note(
                    "key_rotated",
                    json!({"both_valid": self.previous_key_sha256.is_some()}),
                );
                json!({})
            }
            "set_interval" => {
                let value = with.get("value").unwrap_or(&Value::Null);
                self.interval_hint = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                json!({"value": value})
            }
            _ => return Err(ActError::UnknownAction(format!("cloud.{action}"))),
        };
        Ok(result.as_object().cloned().unwrap_or_default())
    }

    fn queue(&mut self, now: Now, with: &Map<String, Value>, out: &mut Outputs) -> Result<Value, ActError> {
        let name = text(with, "command")?;
        let count = with.get("count").and_then(Value::as_u64).unwrap_or(1);
        let mut ids = Vec::new();
        for _ in 0..count {
            let id = match with.get("id").and_then(Value::as_str) {
                Some(id) if count == 1 => id.to_owned(),
                _ => self.new_id(),
            };
            let payload = with.get("payload").cloned().unwrap_or_else(|| json!({}));
            let mut command = StoredCommand::new(id.clone(), name.to_owned(), payload, now.unix_ms);
            command.expires_ms = seconds(with, "expires_in").map(|s| now.unix_ms_in(s));
            if with.get("expired") == Some(&Value::Bool(true)) {
                command.expires_ms = Some(now.unix_ms - 3_600_000);
                command.list_expired = true;
            }
            if let Some(Value::Object(extra)) = with.get("extra") {
                command.extra = extra.clone();
            }
            self.insert(command, out);
            ids.push(id);
        }
        Ok(json!({"id": ids.first(), "ids": ids}))
    }

    fn queue_raw(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let item = with.get("item").cloned().ok_or_else(|| missing("item"))?;
        let id = match item.get("id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => self.new_id(),
        };
        let mut command = StoredCommand::new(id.clone(), "raw".to_owned(), Value::Null, now.unix_ms);
        command.raw = Some(item);
        self.insert(command, out);
        Ok(json!({"id": id}))
    }

    fn publish_artifact(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let role = text(with, "artifact")?;
        let unknown = ActError::Unknown {
            kind: "artifact",
            name: role.to_owned(),
        };
        let artifact = artifacts(role).ok_or(unknown)?;
        let word = |name: &str| with.get(name).and_then(Value::as_str).map(str::to_owned);
        let snap = Snap {
            revision: 0,
            snap_name: artifact.name.clone(),
            version: word("version").unwrap_or(artifact.version.clone()),
            sha256: sha256_hex(&artifact.bytes),
            size: artifact.bytes.len() as u64,
            allow_downgrade: with.get("allow_downgrade") == Some(&Value::Bool(true)),
            notes: None,
            published_ms: now.unix_ms,
            withdrawn: false,
            pretence: Pretence {
                checksum: word("checksum"),
                size: with.get("size").and_then(Value::as_u64),
                download_url: None,
            },
        };
        let snap = Snap {
            pretence: Pretence {
                download_url: word("download_url").map(|place| self.place(now, &place, &snap.blob_key())),
                ..snap.pretence
            },
            ..snap
        };
        let snap = self.publish(snap, artifact.bytes.to_vec(), out);
        Ok(json!({
            "version": snap.version,
            "snap_name": snap.snap_name,
            "checksum": snap.told_checksum(),
            "size": snap.size,
            "path": snap.blob_key(),
        }))
    }

    /// Version and key of the blob an action is about.
    fn find_blob(&self, with: &Map<String, Value>) -> Result<(String, String), ActError> {
        let version = text(with, "version")?;
        let snap = self.snaps.iter().find(|snap| snap.version == version);
        let snap = snap.ok_or_else(|| ActError::Unknown {
            kind: "version",
            name: version.to_owned(),
        })?;
        Ok((version.to_owned(), snap.blob_key()))
    }
}

fn text<'a>(with: &'a Map<String, Value>, name: &str) -> Result<&'a str, ActError> {
    with.get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> ActError {
    ActError::BadArgument {
        argument: name.to_owned(),
        problem: "is needed".to_owned(),
    }
}

/// A duration argument in seconds; the runner hands durations over as numbers.
fn seconds(with: &Map<String, Value>, name: &str) -> Option<f64> {
    with.get(name).and_then(Value::as_f64)
}
