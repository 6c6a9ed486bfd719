//! The calls of units: polls, acks, latest, downloads, reports.

use super::{
    EdgePollCloud, REPORTS,
    answer::{is_json, not_modified},
    command::Settled,
    snap::Snap,
};
use crate::core::range::{Range, parse_range};
use crate::{
    core::{Now, Outputs},
    store::Change,
};
use hil_wire::{
    digest::sha256_hex,
    edge_poll::{
        Ack, AckStatus, DeviceKeyError, InvalidLimit, StatusReport, device_key, header, is_device_key,
    },
    http::{Request, Response},
    oddity::{Oddity, OddityKind},
    timestamp::format_millis,
};
use serde_json::{Value, json};

impl EdgePollCloud {
    /// Checks the device key (reference section 2.1).
    pub(super) fn authenticate(&mut self, request: &Request) -> Result<(), Response> {
        const REALM: &str = "DeviceKey realm=\"edge\"";
        let key = match device_key(&request.headers) {
            Ok(key) => key.to_owned(),
            Err(DeviceKeyError::Duplicate) => {
                return Err(self.error(400, "duplicate_header", "X-Device-Key was given more than once."));
            }
            Err(DeviceKeyError::Missing) => {
                let refusal = self.error(401, "missing_device_key", "X-Device-Key is missing.");
                return Err(refusal.header("WWW-Authenticate", REALM));
            }
        };
        let given = sha256_hex(key.as_bytes());
        // Digests are compared, so the time taken says nothing about the key.
        let known = given == self.key_sha256 || self.previous_key_sha256.as_ref() == Some(&given);
        if known && is_device_key(&key) {
            return Ok(());
        }
        let refusal = self.error(401, "invalid_device_key", "X-Device-Key is not known.");
        Err(refusal.header("WWW-Authenticate", REALM))
    }

    /// `GET /commands` (reference section 3.1).
    pub(super) fn poll(
        &mut self,
        now: Now,
        request: &Request,
        limit: Result<u32, InvalidLimit>,
        out: &mut Outputs,
    ) -> Response {
        let Ok(limit) = limit else {
            return self.error(400, "invalid_field", "`limit` is a number from 1 to 50.");
        };
        self.expire(now, out);
        let mut open: Vec<(i64, String)> = self
            .commands
            .values()
            .filter(|command| command.is_open())
            .map(|command| (command.created_ms, command.id.clone()))
            .collect();
        open.sort();
        let pending = open.len();
        open.truncate(limit as usize);
        let tag_source: Vec<Value> = open
            .iter()
            .filter_map(|(_, id)| self.commands.get(id))
            .map(|command| json!([command.id, command.payload, command.redeliver]))
            .collect();
        let etag = format!(
            "W/\"{}\"",
            &sha256_hex(Value::Array(tag_source).to_string().as_bytes())[..16]
        );
        let hint = self.interval_hint.clone();
        let with_hint = |mut response: Response| {
            if let Some(hint) = hint {
                response.headers.push(header::POLL_INTERVAL, hint);
            }
            response
                .header("ETag", etag.clone())
                .header("Cache-Control", "no-store")
        };
        if not_modified(request, &etag) {
            return with_hint(Response::new(304)).header(header::PENDING_COUNT, pending.to_string());
        }
        let mut items = Vec::new();
        for (_, id) in &open {
            if let Some(command) = self.commands.get_mut(id) {
                command.deliver();
                out.changes.push(command.change());
                items.push(command.item());
            }
        }
        let answer = Response::json(200, &Value::Array(items));
        with_hint(answer).header(header::PENDING_COUNT, pending.to_string())
    }

    fn expire(&mut self, now: Now, out: &mut Outputs) {
        for command in self.commands.values_mut() {
            if command.expire(now.unix_ms) {
                out.changes.push(command.change());
                out.note("expired", json!({"id": command.id}));
            }
        }
    }

    /// `POST /commands/{id}/ack` (reference section 3.2).
    pub(super) fn ack(&mut self, now: Now, id: &str, request: &Request, out: &mut Outputs) -> Response {
        if let Some(refusal) = self.refuse_body(request) {
            return refusal;
        }
        self.expire(now, out);
        let decoded = Ack::decode(&request.body);
        let ambiguous = has_duplicate_members(&decoded.oddities);
        let usable = decoded
            .value
            .as_ref()
            .filter(|_| decoded.is_valid() && !ambiguous);
        let Some(ack) = usable else {
            let about_status = decoded
                .first_invalid()
                .is_some_and(|oddity| oddity.path == "/status");
            if about_status && !ambiguous {
                let allowed = AckStatus::ALL.map(AckStatus::name);
                let members = [("allowed", json!(allowed))];
                return self.error_with(400, "invalid_status", "`status` is missing or unknown.", &members);
            }
            return self.error(400, "invalid_json", "The body is not the JSON object of an ack.");
        };
        let Some(command) = self.commands.get_mut(id) else {
            return self.error(404, "unknown_command", "There is no such command.");
        };
        let body = serde_json::to_value(ack).unwrap_or_default();
        let settled = command.settle(ack.status, body, now.unix_ms);
        let (change, acked_ms, current) = (command.change(), command.acked_ms, command.status.name());
        let answer = json!({
            "id": id,
            "status": ack.status.name(),
            "acked_at": format_millis(acked_ms.unwrap_or(now.unix_ms)),
        });
        let members = [("current_status", json!(current))];
        match settled {
            Settled::Stored => {
                out.changes.push(change);
                Response::json(200, &answer)
            }
            Settled::Duplicate => Response::json(200, &answer).header(header::DUPLICATE_ACK, "true"),
            Settled::Terminal => self.error_with(
                409,
                "terminal_state",
                "The command has another terminal status.",
                &members,
            ),
            Settled::InvalidTransition => self.error_with(
                409,
                "invalid_transition",
                "A started command cannot be rejected.",
                &members,
            ),
            Settled::Gone => self.error_with(410, "command_gone", "The command is no longer open.", &members),
        }
    }

    /// `GET /snaps/latest` (reference section 3.3).
    pub(super) fn latest(
        &mut self,
        request: &Request,
        snap_name: Option<String>,
        version: Option<String>,
    ) -> Response {
        let name = snap_name.unwrap_or_else(|| self.primary_snap().to_owned());
        if self.snaps.is_empty() {
            return self.error(404, "no_snap", "Nothing is published.");
        }
        if !self.snaps.iter().any(|snap| snap.snap_name == name) {
            return self.error(404, "unknown_snap", "There is no such snap.");
        }
        let offered = self.snaps.iter().rfind(|snap| {
            snap.snap_name == name && !snap.withdrawn && version.as_ref().is_none_or(|v| *v == snap.version)
        });
        let Some(snap) = offered else {
            return match version {
                Some(_) => self.error(404, "version_unavailable", "That version is not published."),
                None => self.error(404, "no_snap", "Every version is withdrawn."),
            };
        };
        let etag = format!("\"{}\"", snap.revision);
        if not_modified(request, &etag) {
            return Response::new(304).header("ETag", etag);
        }
        let body = serde_json::to_value(snap.answer(&self.urls.api)).unwrap_or_default();
        Response::json(200, &body).header("ETag", etag)
    }

    /// The snap `latest` means without a name.
    pub(super) fn primary_snap(&self) -> &str {
        let newest = self.snaps.last().map(|snap| snap.snap_name.as_str());
        self.settings
            .text("primary_snap")
            .or(newest)
            .unwrap_or("hil-agent")
    }

    /// A blob of this origin, or a redirect to the second one (reference section 3.4).
    pub(super) fn download(&mut self, now: Now, request: &Request, key: &str) -> Response {
        let snap = self.snaps.iter().find(|snap| snap.blob_key() == key);
        match snap.map(|snap| snap.withdrawn) {
            Some(true) => return self.error(410, "snap_withdrawn", "This version was withdrawn."),
            None => return self.error(404, "blob_not_found", "There is no such blob."),
            Some(false) => {}
        }
        if self.settings.flag("redirect_downloads") {
            return Response::new(302).header("Location", self.signed_url(now, key));
        }
        self.blob(request, key)
    }

    /// A time-limited URL of the second origin.
    pub(super) fn signed_url(&self, now: Now, key: &str) -> String {
        let expires = now.unix_ms / 1000 + SIGNED_URL_SECONDS;
        let signature = self.signature(key, expires);
        format!("{}/{key}?se={expires}&sig={signature}", self.urls.blob_origin)
    }

    fn signature(&self, key: &str, expires: i64) -> String {
        sha256_hex(format!("{}/{key}/{expires}", self.settings.admin_token).as_bytes())[..32].to_owned()
    }

    /// The second origin: signed URLs only, no device key asked for.
    pub(super) fn second_origin(&mut self, now: Now, request: &Request) -> Response {
        let key = request.segments().join("/");
        let expires = request.query("se").and_then(|text| text.parse::<i64>().ok());
        let good = expires.is_some_and(|expires| {
            expires * 1000 >= now.unix_ms && request.query("sig") == Some(self.signature(&key, expires))
        });
        if good {
            self.blob(request, &key)
        } else {
            self.error(
                403,
                "url_expired",
                "The signature of this URL is wrong or has expired.",
            )
        }
    }

    /// The origin without TLS: whoever comes gets the blob.
    pub(super) fn plain_origin(&mut self, request: &Request) -> Response {
        let key = request.segments().join("/");
        self.blob(request, &key)
    }

    /// The URL of a blob at a named place: `second-origin`, `plain-http`, `unreachable` (a name that does not
    /// resolve), `refused` (a port nobody listens on), `gone-name`, `dead-name`, `mute-name` (names that the lab does not resolve, resolves to
    /// a dead host, or leaves without an answer); any other text stands for itself.
    pub(super) fn place(&self, now: Now, target: &str, key: &str) -> String {
        let scheme = self.urls.api.split("://").next().unwrap_or("http");
        match target {
            "second-origin" => self.signed_url(now, key),
            "plain-http" => format!("{}/{key}", self.urls.plain_origin),
            "unreachable" => format!("{scheme}://unreachable.invalid/{key}"),
            "refused" => format!("{scheme}://{}:1/{key}", self.settings.advertised_host),
            "gone-name" | "dead-name" | "mute-name" => {
                let first = target.trim_end_matches("-name");
                format!("{scheme}://{first}.hil.test/{key}")
            }
            url => url.to_owned(),
        }
    }

    fn blob(&mut self, request: &Request, key: &str) -> Response {
        let Some(bytes) = self.altered.get(key).or_else(|| self.blobs.get(key)) else {
            return self.error(404, "blob_not_found", "There is no such blob.");
        };
        let etag = format!("\"sha256-{}\"", sha256_hex(bytes));
        if not_modified(request, &etag) {
            return Response::new(304).header("ETag", etag);
        }
        let whole = request
            .headers
            .get("If-Range")
            .is_some_and(|tag| tag.trim() != etag);
        let range = request
            .headers
            .get("Range")
            .filter(|_| !whole)
            .map(|text| parse_range(text, bytes.len()));
        let common = |response: Response| {
            response
                .header("Accept-Ranges", "bytes")
                .header("Content-Type", "application/octet-stream")
                .header("ETag", etag.clone())
                .header("Cache-Control", "private, immutable")
        };
        match range {
            Some(Range::Part(first, last)) => {
                let content_range = format!("bytes {first}-{last}/{}", bytes.len());
                let mut response = common(Response::new(206)).header("Content-Range", content_range);
                response.body = bytes[first..=last].to_vec();
                response
            }
            Some(Range::Unsatisfiable) => {
                common(Response::new(416)).header("Content-Range", format!("bytes */{}", bytes.len()))
            }
            Some(Range::Ignored) | None => {
                let mut response = common(Response::new(200));
                response.body = bytes.clone();
                response
            }
        }
    }

    /// `POST /snaps/status` (reference section 3.5).
    pub(super) fn report(&mut self, now: Now, request: &Request, out: &mut Outputs) -> Response {
        if let Some(refusal) = self.refuse_body(request) {
            return refusal;
        }
        let decoded = StatusReport::decode(&request.body);
        if has_duplicate_members(&decoded.oddities) {
            return self.error(400, "invalid_json", "A member of the body occurs twice.");
        }
        let Some(report) = decoded.value.as_ref().filter(|_| decoded.is_valid()) else {
            let oddity = decoded.first_invalid();
            let path = oddity
                .map_or("", |oddity| oddity.path.as_str())
                .trim_start_matches('/')
                .to_owned();
            return match path.as_str() {
                "" => self.error(
                    400,
                    "invalid_json",
                    "The body is not the JSON object of a report.",
                ),
                "status" => self.error(400, "invalid_status", "`status` is missing or unknown."),
                field => {
                    let members = [("field", json!(field))];
                    self.error_with(
                        400,
                        "invalid_field",
                        "A member is missing or malformed.",
                        &members,
                    )
                }
            };
        };
        if !self.snaps.iter().any(|snap| snap.snap_name == report.snap_name) {
            return self.error(404, "unknown_snap", "There is no such snap.");
        }
        let seen = self.reports.entry(report.attempt_id.clone()).or_default();
        if seen.contains(report.status.name()) {
            return Response::new(204);
        }
        let ended = ["success", "failure", "rolled_back", "already_installed"]
            .iter()
            .any(|s| seen.contains(*s));
        if ended {
            return self.error(409, "terminal_state", "This attempt has ended.");
        }
        seen.insert(report.status.name().to_owned());
        let mut document = serde_json::to_value(report).unwrap_or_default();
        document["received_at"] = json!(format_millis(now.unix_ms));
        let key = format!("{}/{}", report.attempt_id, report.status.name());
        out.changes.push(Change::Put {
            collection: REPORTS,
            key,
            document,
        });
        Response::new(204)
    }

    /// Media type and size of a JSON body.
    pub(super) fn refuse_body(&mut self, request: &Request) -> Option<Response> {
        if !is_json(request) {
            return Some(self.error(
                415,
                "unsupported_media_type",
                "The body must be application/json.",
            ));
        }
        (request.body.len() > header::REQUEST_BODY_LIMIT)
            .then(|| self.error(413, "body_too_large", "The body has more than 65536 bytes."))
    }

    /// Adds a published version as the newest revision.
    pub(super) fn insert_snap(&mut self, mut snap: Snap, out: &mut Outputs) -> Snap {
        snap.revision = self.snaps.iter().map(|s| s.revision).max().unwrap_or(0) + 1;
        self.snaps
            .retain(|s| (&s.snap_name, &s.version) != (&snap.snap_name, &snap.version));
        self.snaps.push(snap.clone());
        out.changes.push(snap.change());
        snap
    }
}

/// Whether a body says something twice (reference section 2).
fn has_duplicate_members(oddities: &[Oddity]) -> bool {
    oddities
        .iter()
        .any(|oddity| oddity.kind == OddityKind::DuplicateMember)
}

const SIGNED_URL_SECONDS: i64 = 300;
