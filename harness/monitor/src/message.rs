//! HTTP messages as the codecs take them, from the parts of their records.

use hil_trace::Payload;
use hil_wire::http::{Headers, Request, Response};

/// The request of an `HttpRequest` record.
pub(crate) fn recorded_request(method: &str, target: &str, headers: &Headers, body: &Payload) -> Request {
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.clone(),
        body: body.bytes().to_vec(),
    }
}

/// The response of an `HttpResponse` record.
pub(crate) fn recorded_response(status: u16, headers: &Headers, body: &Payload) -> Response {
    Response {
        status,
        headers: headers.clone(),
        body: body.bytes().to_vec(),
    }
}
