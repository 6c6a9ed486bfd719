//! Error answers in the shapes of reference sections 2 and 3.1.

use super::DeviceCommandCloud;
use hil_wire::{
    device_command::{ErrorBody, error_code, header},
    http::{Request, Response},
    json::field_name,
    oddity::Oddity,
};
use serde_json::Value;

impl DeviceCommandCloud {
    /// An error with its code.
    pub(super) fn error(&mut self, status: u16, text: &str, code: &str) -> Response {
        self.refusal(status, ErrorBody::new(text, code))
    }

    /// An error with every member; the request id is added to body and headers.
    pub(super) fn refusal(&mut self, status: u16, mut body: ErrorBody) -> Response {
        let request_id = self.request_id();
        body.request_id = Some(request_id.clone());
        let body = serde_json::to_value(&body).unwrap_or_default();
        Response::json(status, &body).header(header::REQUEST_ID, request_id)
    }

    /// A body whose members the source fixes; the request id is a header only.
    pub(super) fn source_body(&mut self, status: u16, body: &Value) -> Response {
        let request_id = self.request_id();
        Response::json(status, body).header(header::REQUEST_ID, request_id)
    }

    /// 401 with its challenge.
    pub(super) fn refuse_token(&mut self) -> Response {
        self.error(401, "Unauthorized", error_code::UNAUTHORIZED)
            .header("WWW-Authenticate", "Bearer")
    }

    /// 403: the token is good for somebody else.
    pub(super) fn refuse_device(&mut self) -> Response {
        self.error(403, "Forbidden", error_code::FORBIDDEN_DEVICE)
    }

    /// 400 for a body that cannot be read: the first oddity decides.
    pub(super) fn refuse_oddity(&mut self, oddity: Option<&Oddity>) -> Response {
        let field = oddity.map(|oddity| field_name(&oddity.path)).unwrap_or_default();
        let duplicate = oddity.is_some_and(|o| o.kind == hil_wire::OddityKind::DuplicateMember);
        if field.is_empty() || duplicate {
            self.refusal(400, ErrorBody::invalid_json())
        } else {
            self.refusal(400, ErrorBody::invalid_field(field))
        }
    }

    /// Media type and size of a JSON body.
    pub(super) fn refuse_body(&mut self, request: &Request) -> Option<Response> {
        if media_type(request).as_deref() != Some("application/json") {
            let text = "The body must be application/json";
            return Some(self.error(415, text, error_code::UNSUPPORTED_MEDIA_TYPE));
        }
        (request.body.len() > header::REQUEST_BODY_LIMIT).then(|| {
            self.error(
                413,
                "The body has more than 16384 bytes",
                error_code::BODY_TOO_LARGE,
            )
        })
    }

    fn request_id(&mut self) -> String {
        let request_id = format!("req-{}", self.next_request);
        self.next_request += 1;
        request_id
    }
}

/// The media type a request declares, lower case, without parameters.
pub(super) fn media_type(request: &Request) -> Option<String> {
    let value = request.headers.get("Content-Type")?;
    Some(
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase(),
    )
}
