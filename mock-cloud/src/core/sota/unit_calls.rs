//! The calls of the client: list, download, report, packages, system information (reference sections 4.1 and 4.4).

use super::{SotaCloud, token::refusal};
use crate::core::{Now, Outputs};
use hil_wire::{
    http::{Request, Response},
    sota::core::{Call, decode_packages, decode_results, results_are_success},
};
use serde_json::json;

impl SotaCloud {
    /// C1 to C5, once the token allows it.
    pub(super) fn unit_call(
        &mut self,
        now: Now,
        call: &Call,
        request: &Request,
        out: &mut Outputs,
    ) -> Response {
        if let Err(refusal) = self.tokens.check(call, request) {
            return refusal;
        }
        if call.device() != Some(&self.device) {
            return refusal(404, "missing_device", "There is no such device.");
        }
        match call {
            Call::Updates { .. } => Response::json(200, &self.list()),
            Call::Download { update, .. } => self.download(now, update, out),
            Call::Report { update, .. } => self.report(now, update, request, out),
            Call::Installed { .. } => self.take_installed(request, out),
            Call::SystemInfo { .. } => {
                self.system_info = Some(request.body.clone());
                Response::new(200)
            }
            _ => refusal(404, "not_found", "There is nothing at this path."),
        }
    }

    /// The image of an update, without changing anything.
    pub(super) fn image(&self, update: &str) -> Response {
        let found = self.updates.iter().find(|known| known.id == update);
        let bytes = found
            .and_then(|update| update.image.as_ref())
            .and_then(|image| self.images.get(image));
        match bytes {
            Some(bytes) => {
                let mut response = Response::new(200).header("Content-Type", "application/octet-stream");
                response.body = bytes.clone();
                response
            }
            None => refusal(404, "missing_package", "There is no such package."),
        }
    }

    /// The image of an update, which is under way from then on, wherever it was fetched.
    pub(super) fn download(&mut self, now: Now, id: &str, out: &mut Outputs) -> Response {
        let response = self.image(id);
        if response.status == 200 {
            self.change_update(id, out, |update| {
                if update.status == "Pending" {
                    update.status = "InFlight".to_owned();
                    update.updated_ms = now.unix_ms;
                }
            });
        }
        response
    }

    fn report(&mut self, now: Now, id: &str, request: &Request, out: &mut Outputs) -> Response {
        let decoded = decode_results(&request.body);
        let Some(results) = decoded.value.as_ref().filter(|_| decoded.is_valid()) else {
            return refusal(400, "invalid_entity", "The body is not a list of results.");
        };
        let success = results_are_success(results);
        let status = if success { "Finished" } else { "Failed" };
        let changed = self.change_update(id, out, |update| {
            update.status = status.to_owned();
            update.updated_ms = now.unix_ms;
        });
        if changed.is_none() {
            return refusal(404, "missing_update", "There is no such update.");
        }
        if !success {
            self.set_blocked(true, out);
        }
        out.note("settled", json!({"id": id, "status": status}));
        Response::new(204)
    }

    fn take_installed(&mut self, request: &Request, out: &mut Outputs) -> Response {
        let decoded = decode_packages(&request.body);
        match decoded.value.as_ref().filter(|_| decoded.is_valid()) {
            Some(packages) => {
                self.set_installed(packages.clone(), out);
                Response::new(204)
            }
            None => refusal(400, "invalid_entity", "The body is not a list of packages."),
        }
    }
}
