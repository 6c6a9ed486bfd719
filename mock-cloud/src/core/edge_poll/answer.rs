//! Answers in the shapes of reference section 2.

use hil_wire::{
    edge_poll::ErrorBody,
    http::{Request, Response},
};
use serde_json::Value;

/// An error answer with its body and `X-Request-Id`.
pub(super) fn error(
    status: u16,
    code: &str,
    text: &str,
    request_id: &str,
    members: &[(&str, Value)],
) -> Response {
    let mut body = ErrorBody::new(text, code, request_id);
    for (name, value) in members {
        body = body.with(*name, value.clone());
    }
    let body = serde_json::to_value(&body).unwrap_or_default();
    Response::json(status, &body).header("X-Request-Id", request_id)
}

/// True if the request says it carries JSON.
pub(super) fn is_json(request: &Request) -> bool {
    request.headers.get("Content-Type").is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/json")
    })
}

/// True if `If-None-Match` names this entity tag (weak comparison).
pub(super) fn not_modified(request: &Request, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request.headers.get("If-None-Match").is_some_and(|value| {
        value
            .split(',')
            .any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
    })
}
