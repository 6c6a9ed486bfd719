//! What scenario steps ask of this cloud; names and arguments are those of the vocabulary.

use super::{
    ActError, AosCloud, Artifact, Map, Now, Outputs, Send, Value,
    blob::{BlobAnswer, BlobAnswerKind},
    certificate::IssuingKind,
    desire::{SUBJECT, item_id, unknown_artifact},
    json, message,
};
use hil_wire::{aos::state_checksum, timestamp::format_micros};
use std::time::Duration;

impl AosCloud {
    pub(super) fn do_action(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError> {
        let result = match action {
            "desire" => self.desire(now, with, artifacts, out)?,
            "send" => self.send(now, with, out)?,
            "send_raw" => self.send_raw(with, out)?,
            "send_nested" => self.send_nested(now, with, out)?,
            "burst" => self.burst(now, with, out)?,
            "request_log" => self.request_log(now, with, artifacts, out)?,
            "override_env_vars" => self.override_env_vars(now, with, artifacts, out)?,
            "update_state" => self.update_state(now, with, artifacts, out)?,
            "request_state" => {
                let mut data = instance(with, artifacts)?;
                data["default"] = json!(with.get("default") == Some(&Value::Bool(true)));
                json!({"txn": self.post(now, "stateRequest", &data, out)})
            }
            "start_provisioning" => {
                self.node_request(now, "startProvisioningRequest", with, json!({}), out)?
            }
            "finish_provisioning" => self.finish_provisioning(now, with, out)?,
            "deprovision" => self.node_request(now, "deprovisioningRequest", with, json!({}), out)?,
            "renew_certificates" => self.renew_certificates(now, with, out),
            "answer_state" => {
                let reason = with.get("reason").and_then(Value::as_str).unwrap_or_default();
                self.state_answer = Some((text(with, "result")?.to_owned(), reason.to_owned()));
                json!({})
            }
            "certificates" => {
                self.issuing.kind = match with.get("issue").and_then(Value::as_str) {
                    None | Some("right") => IssuingKind::Right,
                    Some("other_key") => IssuingKind::OtherKey,
                    Some("never") => IssuingKind::Never,
                    Some(_) => return Err(bad("issue", "right, other_key or never")),
                };
                self.issuing.span = seconds(with, "validity");
                json!({})
            }
            "blobs" => {
                let name = with.get("answer").and_then(Value::as_str).unwrap_or("right");
                self.blob_answer = BlobAnswer {
                    kind: BlobAnswerKind::from_name(name).ok_or_else(|| bad("answer", "no such answer"))?,
                    role: with.get("artifact").and_then(Value::as_str).map(str::to_owned),
                    part: with.get("part").and_then(Value::as_str).map(str::to_owned),
                    times: with.get("times").and_then(Value::as_u64),
                };
                json!({})
            }
            "discovery" => self.set_discovery(with),
            "ping" => {
                let given = |name: &str| with.get(name).and_then(Value::as_str);
                let payload = match (given("payload"), given("hex")) {
                    (Some(payload), _) => payload.as_bytes().to_vec(),
                    (None, Some(digits)) => from_hex(digits)?,
                    (None, None) => self.uuid().into_bytes(),
                };
                let sent = json!({
                    "payload": String::from_utf8_lossy(&payload),
                    "hex": hex::encode(&payload),
                });
                self.frame(message::PING, payload, out)?;
                sent
            }
            "close" => {
                let connection = self.connection()?;
                let code = with.get("code").and_then(Value::as_u64).unwrap_or(1000);
                let code = u16::try_from(code).map_err(|_| bad("code", "a close code"))?;
                out.sends.push(Send::CloseWebSocket { connection, code });
                json!({})
            }
            "reset" => {
                let connection = self.connection()?;
                out.sends.push(Send::Reset { connection });
                json!({})
            }
            _ => return Err(ActError::UnknownAction(format!("cloud.{action}"))),
        };
        Ok(result.as_object().cloned().unwrap_or_default())
    }

    fn request_log(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let node = with.get("node").and_then(Value::as_str);
        let node = node.unwrap_or_else(|| self.nodes.main());
        let mut filter = json!({"nodeIds": [{"codename": node}]});
        for end in ["from", "till"] {
            if let Some(value) = with.get(end) {
                filter[end] = value.clone();
            }
        }
        if let Some(item) = item(with, artifacts)? {
            filter["item"] = json!({"id": item});
            filter["subject"] = json!({"id": SUBJECT});
        }
        let correlation = self.uuid();
        let data = json!({
            "correlationId": correlation,
            "logType": text(with, "log_type")?,
            "filter": filter,
        });
        let message = self.compose(now, "requestLog", &data);
        let copies = with.get("copies").and_then(Value::as_u64).unwrap_or(1);
        for _ in 1..copies {
            self.transmit(&message, out);
        }
        let txn = self.promise(now, message, out);
        Ok(json!({"txn": txn, "correlationId": correlation}))
    }

    fn override_env_vars(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let Some(Value::Object(wanted)) = with.get("variables") else {
            return Err(bad("variables", "a map of names and values"));
        };
        let expired = with.get("expired") == Some(&Value::Bool(true));
        let span = seconds(with, "ttl").map(|span| span.as_millis() as i64);
        let ttl = if expired { Some(-60_000) } else { span };
        let variables: Vec<Value> = wanted
            .iter()
            .map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let mut variable = json!({"name": name, "value": value});
                if let Some(ttl) = ttl {
                    variable["ttl"] = json!(format_micros(
                        now.unix_ms.saturating_add(ttl).saturating_mul(1000)
                    ));
                }
                variable
            })
            .collect();
        let mut entry = json!({});
        if let Some(item) = item(with, artifacts)? {
            entry["item"] = json!({"id": item});
            entry["subject"] = json!({"id": SUBJECT});
        }
        entry["variables"] = json!(variables);
        let correlation = self.uuid();
        let data = json!({"correlationId": correlation, "items": [entry]});
        let txn = self.post(now, "overrideEnvVars", &data, out);
        Ok(json!({"txn": txn, "correlationId": correlation}))
    }

    fn update_state(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let mut data = instance(with, artifacts)?;
        let size = with.get("size").and_then(Value::as_u64);
        let state = match (size, with.get("state").and_then(Value::as_str)) {
            (Some(size), _) => "state ".chars().cycle().take(size.min(65_536) as usize).collect(),
            (None, Some(state)) => state.to_owned(),
            (None, None) => return Err(bad("state", "a text is needed")),
        };
        let checksum = match with.get("checksum").and_then(Value::as_str) {
            Some(checksum) => checksum.to_owned(),
            None => state_checksum(&state),
        };
        data["stateChecksum"] = json!(checksum);
        data["state"] = json!(state);
        let txn = self.post(now, "updateState", &data, out);
        Ok(json!({"txn": txn, "checksum": checksum}))
    }

    fn node_request(
        &mut self,
        now: Now,
        message: &str,
        with: &Map<String, Value>,
        extra: Value,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let correlation = self.uuid();
        let mut data = json!({
            "correlationId": correlation,
            "node": {"codename": self.node(with)?, "type": "node"},
        });
        for (name, value) in extra.as_object().into_iter().flatten() {
            data[name.as_str()] = value.clone();
        }
        let password = with.get("password").and_then(Value::as_str);
        data["password"] = json!(password.unwrap_or_else(|| self.node_password()));
        let node = data["node"]["codename"].clone();
        let txn = self.post(now, message, &data, out);
        Ok(json!({"txn": txn, "correlationId": correlation, "node": node}))
    }

    /// The node a provisioning request is about: the one named, or one besides the main one.
    fn node(&self, with: &Map<String, Value>) -> Result<String, ActError> {
        match with.get("node").and_then(Value::as_str) {
            Some(node) => Ok(node.to_owned()),
            None => self.other_node(),
        }
    }

    fn finish_provisioning(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let node = self.node(with)?;
        let mut certificates = Vec::new();
        for (kind, csr) in self.node_requests.get(&node).cloned().unwrap_or_default() {
            match self.sign(now, &kind, &node, &csr, out) {
                Ok(chain) => certificates.push(json!({"type": kind, "chain": chain})),
                Err(error) => {
                    let reason = format!("certificate request of {node} for {kind}: {error}");
                    out.note("refused", json!({"reason": reason}));
                }
            }
        }
        let extra = json!({"certificates": certificates});
        self.node_request(now, "finishProvisioningRequest", with, extra, out)
    }

    fn renew_certificates(&mut self, now: Now, with: &Map<String, Value>, out: &mut Outputs) -> Value {
        let node = with.get("node").and_then(Value::as_str);
        let node = node.unwrap_or_else(|| self.nodes.main()).to_owned();
        let types = match with.get("types") {
            Some(Value::Array(types)) => types.clone(),
            _ => vec![json!("online")],
        };
        let certificates: Vec<Value> = types
            .iter()
            .map(|kind| json!({"type": kind, "node": {"codename": node}}))
            .collect();
        let data = json!({
            "certificates": certificates,
            "unitSecrets": {
                "version": 7,
                "nodes": [{"node": {"codename": node}, "secret": format!("secret-{}", self.settings.unit_key)}],
            },
        });
        json!({"txn": self.post(now, "renewCertificatesNotification", &data, out)})
    }

    fn set_discovery(&mut self, with: &Map<String, Value>) -> Value {
        if let Some(Value::Array(urls)) = with.get("urls") {
            let urls = urls.iter().filter_map(Value::as_str);
            self.discovery.urls = urls.map(str::to_owned).collect();
        }
        if let Some(delay) = with.get("next_request_delay") {
            self.discovery.next_request_delay = delay.as_i64();
        }
        if let Some(code) = with.get("error_code").and_then(Value::as_i64) {
            self.discovery.error_code = code;
        }
        let status = with.get("http_status").and_then(Value::as_u64);
        if let Some(status) = status.and_then(|status| u16::try_from(status).ok()) {
            self.discovery.http_status = status;
        }
        if let Some(token) = with.get("token").and_then(Value::as_str) {
            self.discovery.token = token.to_owned();
        }
        json!({})
    }
}

/// Item, subject and number of the instance the arguments mean.
fn instance(
    with: &Map<String, Value>,
    artifacts: &dyn Fn(&str) -> Option<Artifact>,
) -> Result<Value, ActError> {
    let item = item(with, artifacts)?.ok_or_else(|| bad("artifact", "the role of an image is needed"))?;
    let number = with.get("instance").and_then(Value::as_u64).unwrap_or(0);
    Ok(json!({"item": {"id": item}, "subject": {"id": SUBJECT}, "instance": number}))
}

fn item(
    with: &Map<String, Value>,
    artifacts: &dyn Fn(&str) -> Option<Artifact>,
) -> Result<Option<String>, ActError> {
    let named = |name: &str| with.get(name).and_then(Value::as_str);
    match (named("item"), named("artifact")) {
        (Some(item), _) => Ok(Some(item.to_owned())),
        (None, Some(role)) => {
            let artifact = artifacts(role).ok_or_else(|| unknown_artifact(role))?;
            Ok(Some(item_id(&artifact.name)))
        }
        (None, None) => Ok(None),
    }
}

pub(super) fn text<'a>(with: &'a Map<String, Value>, name: &str) -> Result<&'a str, ActError> {
    let value = with.get(name).and_then(Value::as_str);
    value.ok_or_else(|| bad(name, "a text is needed"))
}

pub(super) fn bad(argument: &str, problem: &str) -> ActError {
    ActError::BadArgument {
        argument: argument.to_owned(),
        problem: problem.to_owned(),
    }
}

/// The bytes of pairs of hex digits.
pub(super) fn from_hex(digits: &str) -> Result<Vec<u8>, ActError> {
    hex::decode(digits).map_err(|_| bad("hex", "pairs of hex digits"))
}

fn seconds(with: &Map<String, Value>, name: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(with.get(name)?.as_f64()?).ok()
}
