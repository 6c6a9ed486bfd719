//! What an appliance can do wrong over the edge poll API.

mod acknowledgements;
mod commands;
mod lists;
mod polling;
mod security;
mod updates;

use crate::{Defect, HttpCall, Input, RequestId};
use serde_json::Value;

/// Switch: acknowledgements go to the path of another id.
pub(super) const ACK_WRONG_ID: &str = "ack-wrong-id";
/// Switch: a snap is installed whatever its digest.
pub(super) const CHECKSUM_UNVERIFIED: &str = "checksum-unverified";
/// Switch: without a usable checksum there is nothing to check.
pub(super) const CHECKSUM_OPTIONAL: &str = "checksum-optional";
/// Switch: whatever was stored is installed.
pub(super) const NOTHING_VERIFIED: &str = "short-body-installed";
/// Switch: a command delivered again is executed again.
pub(super) const NO_DUPLICATE_DETECTION: &str = "no-duplicate-detection";
/// Switch: acknowledgements not yet delivered are lost with power.
pub(super) const ACKS_NOT_PERSISTED: &str = "acks-not-persisted";
/// Switch: an unhealthy version stays.
pub(super) const NO_ROLLBACK: &str = "no-rollback";
/// Switch: the version that runs is installed once more.
pub(super) const INSTALLS_AGAIN: &str = "installs-again";
/// Switch: versions are compared as texts.
pub(super) const VERSIONS_AS_TEXT: &str = "versions-as-text";
/// Switch: whatever version the cloud offers is installed.
pub(super) const TAKES_ANY_VERSION: &str = "takes-another-version";
/// Switch: plain `http` download URLs are good enough.
pub(super) const PLAIN_DOWNLOADS: &str = "plain-downloads";

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[
    polling::DEFECTS,
    lists::DEFECTS,
    acknowledgements::DEFECTS,
    commands::DEFECTS,
    updates::DEFECTS,
    security::DEFECTS,
];

fn is_report(call: &HttpCall) -> bool {
    call.url.ends_with("/snaps/status")
}

fn is_ack(call: &HttpCall) -> bool {
    call.url.ends_with("/ack")
}

fn is_poll(call: &HttpCall) -> bool {
    call.url.ends_with("/api/v1/commands")
}

/// The answer to a request, whole or failed, belongs to it.
fn answers(input: &Input, request: RequestId) -> bool {
    match input {
        Input::HttpAnswer { request: own, .. } | Input::HttpFailed { request: own, .. } => *own == request,
        _ => false,
    }
}

/// A member of a JSON object, as text.
fn member<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}
