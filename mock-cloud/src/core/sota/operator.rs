//! The calls of operators: queueing, blocking, registration (reference sections 4.4 and 4.5).

use super::{SotaCloud, token::refusal, update::StoredUpdate};
use crate::core::{Now, Outputs};
use hil_wire::{
    http::{Request, Response},
    sota::{
        Package,
        core::{ClientRegistration, DeviceRegistration, RouteError, decode_queued_package},
    },
};
use serde_json::{Map, json};

impl SotaCloud {
    /// `POST /api/v1/device_updates/{device}`. The image is that of an update of the same package.
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
        let decoded = decode_queued_package(&request.body);
        let Some(package) = decoded.value.as_ref().filter(|_| decoded.is_valid()) else {
            return refusal(400, "invalid_entity", "The body is no package.");
        };
        let known = self
            .updates
            .iter()
            .find(|update| (&update.name, &update.version) == (&package.name, &package.version));
        let image = known.and_then(|update| update.image.clone());
        let id = self.new_id();
        let update = self.new_update(now, id, package, image);
        let answer = update.listed(0);
        self.enqueue(update, out);
        Response::json(200, &answer)
    }

    /// `PUT` or `DELETE /api/v1/device_updates/{device}/blocked`.
    pub(super) fn operator_block(
        &mut self,
        device: &str,
        blocked: bool,
        request: &Request,
        out: &mut Outputs,
    ) -> Response {
        if let Some(refusal) = self.refuse_operator(device, request) {
            return refusal;
        }
        self.set_blocked(blocked, out);
        Response::new(204)
    }

    /// `POST /api/v1/devices`.
    pub(super) fn register_device(&self, request: &Request) -> Response {
        match DeviceRegistration::decode(&request.body).value {
            Some(_) => Response::json(201, &json!(self.device)),
            None => refusal(400, "invalid_entity", "The body is no device."),
        }
    }

    /// `POST /clients`.
    pub(super) fn register_client(&self, request: &Request) -> Response {
        match ClientRegistration::decode(&request.body).value {
            Some(_) => Response::json(201, &self.tokens.credentials.to_value()),
            None => refusal(400, "invalid_entity", "The body is no client."),
        }
    }

    /// An update that is pending.
    pub(super) fn new_update(
        &mut self,
        now: Now,
        id: String,
        package: &Package,
        image: Option<String>,
    ) -> StoredUpdate {
        let number = self.next_id;
        self.next_id += 1;
        StoredUpdate {
            number,
            id,
            name: package.name.clone(),
            version: package.version.clone(),
            status: "Pending".to_owned(),
            created_ms: now.unix_ms,
            updated_ms: now.unix_ms,
            image,
            cancelled: false,
            told_status: None,
            told_position: None,
            extra: Map::new(),
        }
    }

    fn refuse_operator(&self, device: &str, request: &Request) -> Option<Response> {
        if request.headers.bearer_token() != Some(self.settings.admin_token.as_str()) {
            return Some(refusal(
                401,
                "invalid_token",
                "An operator's bearer token is needed.",
            ));
        }
        (device != self.device).then(|| refusal(404, "missing_device", "There is no such device."))
    }
}

/// The answer to a request that is no call.
pub(super) fn misrouted(error: RouteError) -> Response {
    match error {
        RouteError::NotFound => refusal(404, "not_found", "There is nothing at this path."),
        RouteError::MethodNotAllowed { allowed } => {
            refusal(405, "method_not_allowed", "The path takes other methods.").header("Allow", allowed)
        }
    }
}
