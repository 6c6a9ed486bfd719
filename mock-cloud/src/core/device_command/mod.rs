//! The cloud of the device command API (reference sections 2 to 4 and 6): it takes commands from issuers, hands them to
//! the unit or calls the unit itself, and keeps statuses, exports and firmware images.

mod act;
mod answer;
mod command;
mod direct;
mod export;
mod issue;
mod origin;
mod signing;
#[cfg(test)]
mod tests;
mod unit_calls;

use super::{ActError, Core, HttpCall, Now, Operation, Outputs, RedirectPlaces};
use crate::settings::CloudSettings;
use base64::{Engine, engine::general_purpose::STANDARD};
use command::StoredCommand;
use direct::PendingCall;
use export::StoredExport;
use hil_fault::Artifact;
use hil_wire::{
    device_command::{Call, SignaturePolicy, StatusBody, header},
    http::{Request, Response},
};
use serde_json::{Map, Value, json};
use signing::SigningKeys;
use std::collections::BTreeMap;

/// The face units and issuers call.
pub const API: &str = "device-api";
/// The origin of firmware images.
pub const FIRMWARE_HOST: &str = "firmware-host";
/// The origin of every second test endpoint, from the first.
pub const DIAGNOSTICS_HOST: &str = "diagnostics-host";
/// The origin of every second test endpoint, from the second.
pub const SECOND_DIAGNOSTICS_HOST: &str = "second-diagnostics-host";
/// The face of a unit that takes commands itself.
pub const UNIT_DIRECT: &str = "device-direct";
/// The HTTP faces.
pub(crate) const FACES: &[&str] = &[API, FIRMWARE_HOST, DIAGNOSTICS_HOST, SECOND_DIAGNOSTICS_HOST];

/// Where units reach the origins that are not the API, without trailing slash.
#[derive(Clone, Debug)]
pub struct Origins {
    /// Of firmware images.
    pub firmware: String,
    /// Of test endpoints, in turn.
    pub diagnostics: [String; 2],
}

/// State of the cloud; commands, statuses, exports and images are in the store as well.
#[derive(Debug)]
pub struct DeviceCommandCloud {
    settings: CloudSettings,
    origins: Origins,
    keys: SigningKeys,
    policy: SignaturePolicy,
    direct: bool,
    commands: BTreeMap<String, StoredCommand>,
    exports: BTreeMap<String, StoredExport>,
    images: BTreeMap<String, Vec<u8>>,
    endpoints: Vec<u16>,
    calls: BTreeMap<u64, PendingCall>,
    next_call: u64,
    next_id: u64,
    next_request: u64,
}

/// Who a bearer token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Issuer,
    Unit,
}

impl DeviceCommandCloud {
    /// An empty cloud. The URL is where units reach the firmware host, without trailing slash. Options: `mode`,
    /// `signature_policy`, `hmac_key`, `ed25519_public_key`, `device_token_issues` (flag).
    pub fn new(settings: CloudSettings, origins: Origins) -> Self {
        let policy = match settings.text("signature_policy") {
            Some("required") => SignaturePolicy::Required,
            Some("if_present") => SignaturePolicy::IfPresent,
            Some("off") => SignaturePolicy::Off,
            _ => SignaturePolicy::Destructive,
        };
        DeviceCommandCloud {
            origins,
            keys: SigningKeys::new(&settings),
            policy,
            direct: settings.text("mode") == Some("direct"),
            commands: BTreeMap::new(),
            exports: BTreeMap::new(),
            images: BTreeMap::new(),
            endpoints: Vec::new(),
            calls: BTreeMap::new(),
            next_call: 1,
            next_id: 1,
            next_request: 1,
            settings,
        }
    }

    /// Whose token a request carries; a refusal if nobody's.
    fn caller(&mut self, request: &Request) -> Result<Caller, Response> {
        let token = request.headers.bearer_token();
        if token == Some(self.settings.admin_token.as_str()) {
            return Ok(Caller::Issuer);
        }
        if token == Some(self.settings.unit_key.as_str()) {
            return Ok(Caller::Unit);
        }
        Err(self.refuse_token())
    }

    /// The unit's own calls: its token, and its own id in the path. One token may serve both ways.
    fn authenticate_unit(&mut self, request: &Request, device: Option<&str>) -> Result<(), Response> {
        let caller = self.caller(request)?;
        let own = request.headers.bearer_token() == Some(self.settings.unit_key.as_str());
        if (caller == Caller::Unit || own) && device.is_none_or(|device| device == self.settings.unit_id) {
            Ok(())
        } else {
            Err(self.refuse_device())
        }
    }

    fn open(&self) -> impl Iterator<Item = &StoredCommand> {
        self.commands
            .values()
            .filter(|command| !command.status.is_terminal())
    }

    fn pending(&self) -> usize {
        if self.direct {
            return 0;
        }
        self.commands
            .values()
            .filter(|command| command.is_listed())
            .count()
    }
}

impl Core for DeviceCommandCloud {
    fn faces(&self) -> &'static [&'static str] {
        FACES
    }

    fn collections(&self) -> &'static [&'static str] {
        &[
            command::COLLECTION,
            command::STATUSES,
            export::COLLECTION,
            origin::IMAGES,
        ]
    }

    fn load(&mut self, documents: BTreeMap<&'static str, Vec<(String, Value)>>) {
        for (collection, documents) in documents {
            for (key, document) in documents {
                match collection {
                    command::COLLECTION => {
                        if let Ok(command) = serde_json::from_value::<StoredCommand>(document) {
                            self.commands.insert(key, command.restored());
                        }
                    }
                    export::COLLECTION => {
                        if let Ok(export) = serde_json::from_value(document) {
                            self.exports.insert(key, export);
                        }
                    }
                    origin::IMAGES => {
                        if let Some(bytes) = document.as_str().and_then(|text| STANDARD.decode(text).ok()) {
                            self.images.insert(key, bytes);
                        }
                    }
                    _ => {}
                }
            }
        }
        self.next_id = self.commands.len() as u64 + 1;
    }

    fn operation(&self, call: HttpCall<'_>) -> Operation {
        let operation = |name: &str, facts: Value| Operation {
            name: name.to_owned(),
            facts: facts.as_object().cloned().unwrap_or_default(),
        };
        if call.face != API {
            return match origin::endpoint_number(call.request.path()) {
                Some(number) => operation("endpoint", json!({"number": number})),
                None => operation("download", json!({})),
            };
        }
        match Call::of(call.request) {
            Call::Issue { device_id } => operation("issue", json!({"device_id": device_id})),
            Call::Fetch { .. } => operation("fetch", json!({})),
            Call::Status => {
                let status = StatusBody::decode(&call.request.body).value;
                let facts = status.and_then(|status| serde_json::to_value(status).ok());
                operation("status", facts.unwrap_or_else(|| json!({})))
            }
            Call::Export { command_id, .. } => operation("export", json!({"command_id": command_id})),
            Call::MethodNotAllowed { .. } | Call::NotFound => operation("other", json!({})),
        }
    }

    fn http(&mut self, now: Now, call: HttpCall<'_>, out: &mut Outputs) -> Response {
        let request = call.request;
        if call.face != API {
            return self.origin(call.face, request);
        }
        let response = match Call::of(request) {
            Call::Issue { device_id } => self.issue(now, &device_id, request, out),
            Call::Fetch { device_id } => self.fetch(now, &device_id, request, out),
            Call::Status => self.status(now, request, out),
            Call::Export {
                device_id,
                command_id,
            } => self.export(now, &device_id, &command_id, request, out),
            Call::MethodNotAllowed { allow } => self
                .error(405, "Method not allowed", "method_not_allowed")
                .header("Allow", allow),
            Call::NotFound => self.error(404, "Not found", "not_found"),
        };
        response.header(header::COMMANDS_PENDING, self.pending().to_string())
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

    fn endpoints(&self, url: &dyn Fn(&str) -> String) -> BTreeMap<String, String> {
        let base_url = self.settings.public_url.clone().unwrap_or_else(|| url(API));
        let api_base_url = format!("{}/api/v1", base_url.trim_end_matches('/'));
        let mode = if self.direct { "direct" } else { "relay" };
        let policy = self.settings.text("signature_policy").unwrap_or("destructive");
        let pairs = [
            ("base_url", base_url.as_str()),
            ("api_base_url", &api_base_url),
            ("device_id", &self.settings.unit_id),
            ("device_token", &self.settings.unit_key),
            ("issuer_token", &self.settings.admin_token),
            ("hmac_key", &self.keys.hmac),
            ("ed25519_public_key", &self.keys.ed25519_public()),
            ("ed25519_private_key", &self.keys.ed25519_private()),
            ("mode", mode),
            ("signature_policy", policy),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn redirect_places(&self, _: Now, call: HttpCall<'_>) -> RedirectPlaces {
        let second = match call.face {
            API => Some(format!("{}{}", self.origins.firmware, call.request.target)),
            _ => None,
        };
        let places = RedirectPlaces::of(&self.origins.firmware, call.request);
        // Whoever goes there speaks without TLS to a port that demands it, which is seen.
        let asked = places.own.strip_prefix("https://");
        let plain = asked.map(|authority| format!("http://{authority}{}", call.request.target));
        RedirectPlaces {
            second,
            plain,
            ..places
        }
    }

    fn answered(&mut self, now: Now, call: u64, result: Result<Response, String>, out: &mut Outputs) {
        self.direct_answered(now, call, result, out);
    }

    fn is_operator(&self, call: HttpCall<'_>) -> bool {
        call.face == API && matches!(Call::of(call.request), Call::Issue { .. })
    }
}
