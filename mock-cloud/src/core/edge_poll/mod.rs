//! The cloud of the edge poll API (reference sections 2 to 5): a queue of commands, published snaps, reports.

mod act;
mod answer;
mod command;
mod operator;
mod snap;
mod unit_calls;

use super::{ActError, Core, HttpCall, Now, Operation, Outputs, RedirectPlaces, Security};
use crate::settings::CloudSettings;
use command::StoredCommand;
use hil_fault::Artifact;
use hil_wire::{
    digest::sha256_hex,
    edge_poll::{Ack, Call, StatusReport},
    http::Response,
};
use serde_json::{Map, Value, json};
use snap::Snap;
use std::collections::{BTreeMap, BTreeSet};

/// The face units call.
pub const API: &str = "edge-api";
/// The origin of redirected downloads.
pub const BLOB_ORIGIN: &str = "blob-origin";
/// An origin of blobs that never speaks TLS; units whose API does must not go there.
pub const PLAIN_ORIGIN: &str = "blob-plain";
/// The HTTP faces.
pub(crate) const FACES: &[&str] = &[API, BLOB_ORIGIN, PLAIN_ORIGIN];

/// Where the faces are, as units are told; `http://host:port` or `https://host:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Urls {
    /// Of the API.
    pub api: String,
    /// Of the second origin.
    pub blob_origin: String,
    /// Of the plain origin.
    pub plain_origin: String,
}

/// State of the cloud; everything but knobs is in the store as well.
#[derive(Debug)]
pub struct EdgePollCloud {
    settings: CloudSettings,
    urls: Urls,
    key_sha256: String,
    previous_key_sha256: Option<String>,
    interval_hint: Option<String>,
    commands: BTreeMap<String, StoredCommand>,
    snaps: Vec<Snap>,
    blobs: BTreeMap<String, Vec<u8>>,
    /// Blobs served instead of the right ones.
    altered: BTreeMap<String, Vec<u8>>,
    reports: BTreeMap<String, BTreeSet<String>>,
    next_id: u64,
    next_request: u64,
}

impl EdgePollCloud {
    /// An empty cloud. The public URL of the settings replaces that of the API.
    pub fn new(settings: CloudSettings, mut urls: Urls) -> Self {
        if let Some(public_url) = &settings.public_url {
            urls.api = public_url.trim_end_matches('/').to_owned();
        }
        EdgePollCloud {
            urls,
            key_sha256: sha256_hex(settings.unit_key.as_bytes()),
            previous_key_sha256: None,
            interval_hint: None,
            commands: BTreeMap::new(),
            snaps: Vec::new(),
            blobs: BTreeMap::new(),
            altered: BTreeMap::new(),
            reports: BTreeMap::new(),
            next_id: 1,
            next_request: 1,
            settings,
        }
    }

    fn load_document(&mut self, collection: &str, key: String, document: Value) {
        match collection {
            command::COLLECTION => {
                if let Ok(command) = serde_json::from_value(document) {
                    self.commands.insert(key, command);
                }
            }
            snap::COLLECTION => {
                if let Ok(snap) = serde_json::from_value(document) {
                    self.snaps.push(snap);
                }
            }
            snap::BLOBS => {
                if let Some(bytes) = snap::blob_from_document(&document) {
                    self.blobs.insert(key, bytes);
                }
            }
            _ => {
                if let Some((attempt, status)) = key.rsplit_once('/') {
                    self.reports
                        .entry(attempt.to_owned())
                        .or_default()
                        .insert(status.to_owned());
                }
            }
        }
    }

    fn error(&mut self, status: u16, code: &str, text: &str) -> Response {
        self.error_with(status, code, text, &[])
    }

    fn error_with(&mut self, status: u16, code: &str, text: &str, members: &[(&str, Value)]) -> Response {
        let request_id = format!("req-{}", self.next_request);
        self.next_request += 1;
        answer::error(status, code, text, &request_id, members)
    }
}

impl Core for EdgePollCloud {
    fn faces(&self) -> &'static [&'static str] {
        FACES
    }

    fn face_security(&self, face: &str) -> Option<Security> {
        (face == PLAIN_ORIGIN).then_some(Security::Plain)
    }

    fn collections(&self) -> &'static [&'static str] {
        &[command::COLLECTION, snap::COLLECTION, snap::BLOBS, REPORTS]
    }

    fn load(&mut self, documents: BTreeMap<&'static str, Vec<(String, Value)>>) {
        for (collection, documents) in documents {
            for (key, document) in documents {
                self.load_document(collection, key, document);
            }
        }
        self.snaps.sort_by_key(|snap| snap.revision);
        self.next_id = self.commands.len() as u64 + 1;
    }

    fn operation(&self, call: HttpCall<'_>) -> Operation {
        let operation = |name: &str, facts: Value| Operation {
            name: name.to_owned(),
            facts: facts.as_object().cloned().unwrap_or_default(),
        };
        match call.face {
            BLOB_ORIGIN => return operation("download", json!({"origin": "second"})),
            PLAIN_ORIGIN => return operation("download", json!({"origin": "plain"})),
            _ => {}
        }
        match Call::of(call.request) {
            Call::Poll { .. } => operation("poll", json!({})),
            Call::Ack { id } => {
                let status = Ack::decode(&call.request.body).value.map(|ack| ack.status.name());
                operation("ack", json!({"id": id, "status": status}))
            }
            Call::Latest {
                snap_name, version, ..
            } => operation("latest", json!({"snap_name": snap_name, "version": version})),
            Call::Blob { .. } => operation("download", json!({"origin": "api"})),
            Call::Report => {
                let status = StatusReport::decode(&call.request.body)
                    .value
                    .map(|report| report.status.name());
                operation("report", json!({"status": status}))
            }
            _ => operation("other", json!({})),
        }
    }

    fn http(&mut self, now: Now, call: HttpCall<'_>, out: &mut Outputs) -> Response {
        let request = call.request;
        match call.face {
            BLOB_ORIGIN => return self.second_origin(now, request),
            PLAIN_ORIGIN => return self.plain_origin(request),
            _ => {}
        }
        let parsed = Call::of(request);
        if parsed.needs_device_key()
            && let Err(refusal) = self.authenticate(request)
        {
            return refusal;
        }
        match parsed {
            Call::Poll { limit } => self.poll(now, request, limit, out),
            Call::Ack { id } => self.ack(now, &id, request, out),
            Call::Latest {
                snap_name, version, ..
            } => self.latest(request, snap_name, version),
            Call::Blob {
                snap_name,
                version,
                file,
            } => self.download(now, request, &format!("{snap_name}/{version}/{file}")),
            Call::Report => self.report(now, request, out),
            Call::Publish => self.publish_form(now, request, out),
            Call::OperatorQueue { device } => self.operator_queue(now, &device, request, out),
            Call::OperatorList { device } => self.operator_list(now, &device, request, out),
            Call::OperatorCancel { device, id } => self.operator_cancel(&device, &id, request, out),
            Call::MethodNotAllowed { allow } => self
                .error(405, "method_not_allowed", "This path has other methods.")
                .header("Allow", allow),
            Call::NotFound => self.error(404, "not_found", "There is nothing at this path."),
        }
    }

    fn act(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError> {
        self.do_action(now, action, with, artifacts, out)
    }

    fn endpoints(&self, _: &dyn Fn(&str) -> String) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("base_url".to_owned(), self.urls.api.clone()),
            ("device_id".to_owned(), self.settings.unit_id.clone()),
            ("device_key".to_owned(), self.settings.unit_key.clone()),
        ])
    }

    fn redirect_places(&self, now: Now, call: HttpCall<'_>) -> RedirectPlaces {
        let key = call.request.path().trim_start_matches("/api/v1/snaps/blobs/");
        RedirectPlaces {
            second: Some(self.place(now, "second-origin", key)),
            plain: Some(self.place(now, "plain-http", key)),
            ..RedirectPlaces::of(&self.urls.api, call.request)
        }
    }

    fn is_operator(&self, call: HttpCall<'_>) -> bool {
        matches!(
            Call::of(call.request),
            Call::Publish
                | Call::OperatorQueue { .. }
                | Call::OperatorList { .. }
                | Call::OperatorCancel { .. }
        )
    }
}

const REPORTS: &str = "edge_snap_reports";
