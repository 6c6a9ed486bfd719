//! The `code` member of error bodies (reference section 3).

/// 400: the body is not a JSON object, or names a member twice.
pub const INVALID_JSON: &str = "invalid_json";
/// 400: a field is missing or of the wrong type; member `field`.
pub const INVALID_FIELD: &str = "invalid_field";
/// 400: a parameter value is not allowed; members `parameter` and `allowed`.
pub const INVALID_PARAMETER: &str = "invalid_parameter";
/// 400: body and path name different devices.
pub const DEVICE_MISMATCH: &str = "device_mismatch";
/// 400: the issue time is too far from the receiver's clock.
pub const STALE_TIMESTAMP: &str = "stale_timestamp";
/// 401: no or a wrong token.
pub const UNAUTHORIZED: &str = "unauthorized";
/// 403: the token belongs to another device.
pub const FORBIDDEN_DEVICE: &str = "forbidden_device";
/// 403: the policy asks for a signature and there is none.
pub const SIGNATURE_REQUIRED: &str = "signature_required";
/// 403: the signature does not fit.
pub const SIGNATURE_INVALID: &str = "signature_invalid";
/// 404: unknown device.
pub const UNKNOWN_DEVICE: &str = "unknown_device";
/// 404: unknown command id, or one of another device.
pub const UNKNOWN_COMMAND: &str = "unknown_command";
/// 404: unknown path.
pub const NOT_FOUND: &str = "not_found";
/// 409: the id was used for another command.
pub const COMMAND_ID_CONFLICT: &str = "command_id_conflict";
/// 409: the device executes an exclusive command, or its queue is full.
pub const DEVICE_BUSY: &str = "device_busy";
/// 409: a different terminal status is stored.
pub const TERMINAL_STATE: &str = "terminal_state";
/// 413: the body is too large.
pub const BODY_TOO_LARGE: &str = "body_too_large";
/// 415: the body is not declared as JSON.
pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported_media_type";
/// 422: the uploaded bytes have another digest than announced.
pub const CHECKSUM_MISMATCH: &str = "checksum_mismatch";
/// 429: a firmware update within the hour, or too many requests; member `retry_after` in seconds.
pub const RATE_LIMITED: &str = "rate_limited";
