//! The second origin: firmware images, and endpoints that units are told to test. It asks for no token.

use super::DeviceCommandCloud;
use crate::store::Change;
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::http::{Request, Response};
use serde_json::json;

impl DeviceCommandCloud {
    /// An image or a test endpoint.
    pub(super) fn origin(&mut self, request: &Request) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::new(405).header("Allow", "GET, HEAD");
        }
        if let Some(number) = endpoint_number(request.path()) {
            let status = usize::try_from(number)
                .ok()
                .and_then(|n| self.endpoints.get(n.wrapping_sub(1)))
                .copied();
            let mut response = Response::new(status.unwrap_or(404)).header("Content-Type", "text/plain");
            response.body = b"endpoint\n".to_vec();
            return response;
        }
        let name = request.segments().last().cloned().unwrap_or_default();
        match self.images.get(&name) {
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
        let url = format!("{}/firmware/{name}", self.firmware_host_url);
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
        self.endpoints.push(status);
        let mut url = format!("{}{ENDPOINTS}{}", self.firmware_host_url, self.endpoints.len());
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
