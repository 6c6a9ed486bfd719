//! The other origins: firmware images, and endpoints that units are told to test. They ask for no token.

use super::{DIAGNOSTICS_HOST, DeviceCommandCloud, FIRMWARE_HOST, SECOND_DIAGNOSTICS_HOST};
use crate::store::Change;
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::http::{Request, Response};
use serde_json::json;

impl DeviceCommandCloud {
    /// An image or a test endpoint, each at its own origin only.
    pub(super) fn origin(&self, face: &str, request: &Request) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::new(405).header("Allow", "GET, HEAD");
        }
        if let Some(number) = endpoint_number(request.path()) {
            let status = usize::try_from(number)
                .ok()
                .map(|n| n.wrapping_sub(1))
                .filter(|index| face == HOSTS[index % HOSTS.len()])
                .and_then(|index| self.endpoints.get(index))
                .copied();
            let mut response = Response::new(status.unwrap_or(404)).header("Content-Type", "text/plain");
            response.body = b"endpoint\n".to_vec();
            return response;
        }
        let name = request.segments().last().cloned().unwrap_or_default();
        match self.images.get(&name).filter(|_| face == FIRMWARE_HOST) {
            None => Response::new(404),
            Some(bytes) => {
                let mut response = Response::new(200).header("Content-Type", "application/octet-stream");
                response.body = bytes.clone();
                response
            }
        }
    }

    /// Keeps an image; returns its URL.
    pub(super) fn host_image(&mut self, name: String, bytes: Vec<u8>) -> (String, Change) {
        let url = format!("{}/firmware/{name}", self.origins.firmware);
        let change = Change::Put {
            collection: IMAGES,
            key: name.clone(),
            document: json!(STANDARD.encode(&bytes)),
        };
        self.images.insert(name, bytes);
        (url, change)
    }

    /// Makes an endpoint that answers a status; returns its URL, padded to a length.
    pub(super) fn make_endpoint(&mut self, status: u16, length: usize) -> String {
        let host = &self.origins.diagnostics[self.endpoints.len() % HOSTS.len()];
        self.endpoints.push(status);
        let mut url = format!("{host}{ENDPOINTS}{}", self.endpoints.len());
        if url.len() < length {
            url.push('?');
        }
        while url.len() < length {
            url.push('x');
        }
        url
    }
}

/// The number of a test endpoint from its path.
pub(super) fn endpoint_number(path: &str) -> Option<u64> {
    path.strip_prefix(ENDPOINTS)?.parse().ok()
}

/// Images by name.
pub(super) const IMAGES: &str = "device_firmware_images";
const ENDPOINTS: &str = "/endpoint/";
/// Where the test endpoints are, in turn: a unit that asks for more than one reaches more than one origin.
const HOSTS: [&str; 2] = [DIAGNOSTICS_HOST, SECOND_DIAGNOSTICS_HOST];
