//! The calls of operators: publishing and the command queue (reference sections 3.6 and 3.7).

use super::{
    EdgePollCloud,
    command::StoredCommand,
    snap::{Pretence, Snap, blob_change},
};
use crate::core::{Now, Outputs};
use hil_wire::{
    digest::sha256_hex,
    edge_poll::{ItemStatus, PublishCredentialError, PublishForm, QueueCommand, publish_credential},
    http::{Request, Response},
    oddity::{Oddity, OddityKind},
};
use serde_json::{Value, json};

impl EdgePollCloud {
    /// `POST /admin/publish`.
    pub(super) fn publish_form(&mut self, now: Now, request: &Request, out: &mut Outputs) -> Response {
        const REALM: &str = "Bearer realm=\"snap-publish\"";
        if self.settings.publish_token.is_empty() {
            return self.error(503, "publish_disabled", "No publish token is configured.");
        }
        match publish_credential(&request.headers) {
            Ok(token) if token == self.settings.publish_token => {}
            Ok(_) => {
                let refusal = self.error(401, "invalid_publish_token", "The publish token is wrong.");
                return refusal.header("WWW-Authenticate", REALM);
            }
            Err(PublishCredentialError::Missing) => {
                let refusal = self.error(401, "missing_publish_token", "A publish token is needed.");
                return refusal.header("WWW-Authenticate", REALM);
            }
            Err(PublishCredentialError::Conflicting) => {
                return self.error(
                    400,
                    "conflicting_credentials",
                    "Two different publish tokens were given.",
                );
            }
        }
        let content_type = request.headers.get("Content-Type").unwrap_or_default();
        let decoded = PublishForm::decode(content_type, &request.body);
        let first_invalid = decoded.first_invalid();
        // A good form whose bytes are others than announced has its own answer, below.
        let differs_from_bytes = |oddity: &Oddity| oddity.kind == OddityKind::Contradiction;
        let form = match &decoded.value {
            Some(form) if first_invalid.is_none_or(differs_from_bytes) => form.clone(),
            _ => {
                let path = first_invalid.map_or("", |oddity| oddity.path.as_str());
                let members = [("field", json!(path.trim_start_matches('/')))];
                return self.error_with(400, "invalid_field", "A field is missing or malformed.", &members);
            }
        };
        let sha256 = sha256_hex(&form.snap);
        let right = |given: &String| given.eq_ignore_ascii_case(&format!("sha256:{sha256}"));
        if form.checksum.as_ref().is_some_and(|given| !right(given)) {
            return self.error(422, "checksum_mismatch", "The checksum does not fit the bytes.");
        }
        let existing = self
            .find(&form.snap_name, &form.version)
            .map(|snap| (snap.sha256.clone(), snap.withdrawn));
        let is_latest = self
            .snaps
            .iter()
            .rfind(|snap| snap.snap_name == form.snap_name && !snap.withdrawn);
        let is_latest = is_latest.is_some_and(|snap| snap.version == form.version);
        let status = match existing {
            Some((other, _)) if other != sha256 => {
                return self.error(
                    409,
                    "version_exists",
                    "This version was published with other bytes.",
                );
            }
            Some((_, false)) if is_latest => {
                let body = self
                    .find(&form.snap_name, &form.version)
                    .map(|snap| snap.answer(&self.urls.api));
                return Response::json(200, &serde_json::to_value(body).unwrap_or_default());
            }
            Some(_) => 200,
            None => 201,
        };
        let snap = Snap {
            revision: 0,
            snap_name: form.snap_name,
            version: form.version,
            sha256,
            size: form.snap.len() as u64,
            allow_downgrade: form.allow_downgrade,
            notes: form.notes,
            published_ms: now.unix_ms,
            withdrawn: false,
            pretence: Pretence::default(),
        };
        let snap = self.publish(snap, form.snap, out);
        let answer = snap.answer(&self.urls.api);
        let response = Response::json(status, &serde_json::to_value(&answer).unwrap_or_default());
        if status == 201 {
            response.header("Location", answer.download_url)
        } else {
            response
        }
    }

    /// Stores blob and version.
    pub(super) fn publish(&mut self, snap: Snap, bytes: Vec<u8>, out: &mut Outputs) -> Snap {
        let key = snap.blob_key();
        out.changes.push(blob_change(&key, &bytes));
        self.blobs.insert(key, bytes);
        let snap = self.insert_snap(snap, out);
        out.note(
            "published",
            json!({"snap_name": snap.snap_name, "version": snap.version}),
        );
        snap
    }

    pub(super) fn find(&self, snap_name: &str, version: &str) -> Option<&Snap> {
        self.snaps
            .iter()
            .find(|snap| snap.snap_name == snap_name && snap.version == version)
    }

    /// `POST /admin/devices/{device}/commands`.
    pub(super) fn operator_queue(
        &mut self,
        now: Now,
        device: &str,
        request: &Request,
        out: &mut Outputs,
    ) -> Response {
        if let Some(refusal) = self.refuse_operator(device, request) {
            return refusal;
        }
        let decoded = QueueCommand::decode(&request.body);
        let Some(queue) = decoded.value.as_ref().filter(|_| decoded.is_valid()).cloned() else {
            let path = decoded
                .first_invalid()
                .map_or("", |oddity| oddity.path.as_str())
                .to_owned();
            let field = path.trim_start_matches('/');
            if field.is_empty() {
                return self.error(400, "invalid_json", "The body is not a JSON object.");
            }
            let members = [("field", json!(field))];
            return self.error_with(
                400,
                "invalid_field",
                "A member is missing or malformed.",
                &members,
            );
        };
        let mut command = StoredCommand::new(
            self.new_id(),
            queue.command,
            Value::Object(queue.payload),
            now.unix_ms,
        );
        command.expires_ms = queue
            .expires_in_s
            .map(|seconds| now.unix_ms.saturating_add_unsigned(seconds.saturating_mul(1000)));
        let item = command.operator_item();
        self.insert(command, out);
        Response::json(201, &item)
    }

    pub(super) fn new_id(&mut self) -> String {
        loop {
            let prefix = self.settings.text("id_prefix").unwrap_or_default();
            let id = format!("cmd-{prefix}{:06}", self.next_id);
            self.next_id += 1;
            if !self.commands.contains_key(&id) {
                return id;
            }
        }
    }

    pub(super) fn insert(&mut self, command: StoredCommand, out: &mut Outputs) {
        out.changes.push(command.change());
        out.note(
            "queued",
            json!({"id": command.id, "command": command.command, "payload": command.payload}),
        );
        self.commands.insert(command.id.clone(), command);
    }

    /// `GET /admin/devices/{device}/commands`.
    pub(super) fn operator_list(
        &mut self,
        _: Now,
        device: &str,
        request: &Request,
        _: &mut Outputs,
    ) -> Response {
        if let Some(refusal) = self.refuse_operator(device, request) {
            return refusal;
        }
        let mut commands: Vec<&StoredCommand> = self.commands.values().collect();
        commands.sort_by_key(|command| (command.created_ms, command.id.clone()));
        Response::json(
            200,
            &commands.iter().map(|command| command.operator_item()).collect(),
        )
    }

    /// `DELETE /admin/devices/{device}/commands/{id}`.
    pub(super) fn operator_cancel(
        &mut self,
        device: &str,
        id: &str,
        request: &Request,
        out: &mut Outputs,
    ) -> Response {
        if let Some(refusal) = self.refuse_operator(device, request) {
            return refusal;
        }
        match self.cancel(id, out) {
            Some(true) => Response::new(204),
            Some(false) => self.error(409, "terminal_state", "The command has ended."),
            None => self.error(404, "unknown_command", "There is no such command."),
        }
    }

    /// Cancels an open command; `None` if there is none of that id.
    pub(super) fn cancel(&mut self, id: &str, out: &mut Outputs) -> Option<bool> {
        let command = self.commands.get_mut(id)?;
        let open = !command.status.is_terminal();
        if open {
            command.status = ItemStatus::Cancelled;
            out.changes.push(command.change());
            out.note("cancelled", json!({"id": id}));
        }
        Some(open)
    }

    fn refuse_operator(&mut self, device: &str, request: &Request) -> Option<Response> {
        if request.headers.bearer_token() != Some(self.settings.admin_token.as_str()) {
            let refusal = self.error(401, "unauthorized", "An operator's bearer token is needed.");
            return Some(refusal.header("WWW-Authenticate", "Bearer realm=\"admin\""));
        }
        (device != self.settings.unit_id)
            .then(|| self.error(404, "unknown_device", "There is no such device."))
    }
}
