//! The error codes of the edge poll API: those a unit acknowledges with, and those the cloud answers with.

/// The command type is not known to the unit.
pub const UNSUPPORTED_COMMAND: &str = "unsupported_command";
/// A payload member is missing or of the wrong type.
pub const INVALID_PAYLOAD: &str = "invalid_payload";
/// The subnet is malformed, too large or not local.
pub const INVALID_SUBNET: &str = "invalid_subnet";
/// A configuration key is unknown or its value not allowed.
pub const INVALID_CONFIG: &str = "invalid_config";
/// The service is not in the unit's list.
pub const UNKNOWN_SERVICE: &str = "unknown_service";
/// The service did not become active within 60 s.
pub const SERVICE_NOT_ACTIVE: &str = "service_not_active";
/// The commanded version is not what the cloud offers.
pub const VERSION_UNAVAILABLE: &str = "version_unavailable";
/// The commanded version is older than the running one.
pub const DOWNGRADE_REFUSED: &str = "downgrade_refused";
/// The snap could not be downloaded.
pub const DOWNLOAD_FAILED: &str = "download_failed";
/// The stored file has another size than announced.
pub const SIZE_MISMATCH: &str = "size_mismatch";
/// The stored file has another digest than announced.
pub const CHECKSUM_MISMATCH: &str = "checksum_mismatch";
/// No checksum, or one the unit cannot check.
pub const CHECKSUM_UNSUPPORTED: &str = "checksum_unsupported";
/// Not enough storage.
pub const NO_SPACE: &str = "no_space";
/// The snap could not be applied.
pub const INSTALL_FAILED: &str = "install_failed";
/// The new version was unhealthy and the old one was restored.
pub const ROLLED_BACK: &str = "rolled_back";
/// The command was past its `expires_at`.
pub const EXPIRED: &str = "expired";
/// Power or process was lost while the command ran.
pub const INTERRUPTED: &str = "interrupted";
/// Anything else.
pub const INTERNAL: &str = "internal";

/// Every reserved code of an acknowledgement (reference section 4).
pub const RESERVED: [&str; 18] = [
    UNSUPPORTED_COMMAND,
    INVALID_PAYLOAD,
    INVALID_SUBNET,
    INVALID_CONFIG,
    UNKNOWN_SERVICE,
    SERVICE_NOT_ACTIVE,
    VERSION_UNAVAILABLE,
    DOWNGRADE_REFUSED,
    DOWNLOAD_FAILED,
    SIZE_MISMATCH,
    CHECKSUM_MISMATCH,
    CHECKSUM_UNSUPPORTED,
    NO_SPACE,
    INSTALL_FAILED,
    ROLLED_BACK,
    EXPIRED,
    INTERRUPTED,
    INTERNAL,
];

/// The `code` member of the cloud's error bodies (reference sections 2 and 3).
pub mod answer {
    /// 401: no device key.
    pub const MISSING_DEVICE_KEY: &str = "missing_device_key";
    /// 401: the device key is unknown.
    pub const INVALID_DEVICE_KEY: &str = "invalid_device_key";
    /// 403: the device is disabled or revoked.
    pub const DEVICE_DISABLED: &str = "device_disabled";
    /// 400: a header that may occur once occurs twice.
    pub const DUPLICATE_HEADER: &str = "duplicate_header";
    /// 400: the body is not a JSON object, or names a member twice.
    pub const INVALID_JSON: &str = "invalid_json";
    /// 400: `status` is missing or not in the list.
    pub const INVALID_STATUS: &str = "invalid_status";
    /// 400: another field is missing or malformed; member `field`.
    pub const INVALID_FIELD: &str = "invalid_field";
    /// 400: two publish credentials that differ.
    pub const CONFLICTING_CREDENTIALS: &str = "conflicting_credentials";
    /// 401: no publish credential.
    pub const MISSING_PUBLISH_TOKEN: &str = "missing_publish_token";
    /// 401: the publish credential is wrong.
    pub const INVALID_PUBLISH_TOKEN: &str = "invalid_publish_token";
    /// 404: unknown path.
    pub const NOT_FOUND: &str = "not_found";
    /// 404: unknown command id, or one of another device.
    pub const UNKNOWN_COMMAND: &str = "unknown_command";
    /// 404: nothing is published.
    pub const NO_SNAP: &str = "no_snap";
    /// 404: unknown snap name.
    pub const UNKNOWN_SNAP: &str = "unknown_snap";
    /// 404: the version is not published or withdrawn.
    pub const VERSION_UNAVAILABLE: &str = "version_unavailable";
    /// 404: no such blob.
    pub const BLOB_NOT_FOUND: &str = "blob_not_found";
    /// 409: a different terminal status is stored.
    pub const TERMINAL_STATE: &str = "terminal_state";
    /// 409: the life cycle does not allow this step.
    pub const INVALID_TRANSITION: &str = "invalid_transition";
    /// 409: the version exists with other bytes.
    pub const VERSION_EXISTS: &str = "version_exists";
    /// 410: the command expired or was cancelled.
    pub const COMMAND_GONE: &str = "command_gone";
    /// 410: the snap was withdrawn.
    pub const SNAP_WITHDRAWN: &str = "snap_withdrawn";
    /// 413: the body is too large.
    pub const BODY_TOO_LARGE: &str = "body_too_large";
    /// 415: the body is not declared as JSON.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported_media_type";
    /// 422: the declared checksum differs from the bytes.
    pub const CHECKSUM_MISMATCH: &str = "checksum_mismatch";
    /// 429: too many requests.
    pub const RATE_LIMITED: &str = "rate_limited";
    /// 503: the server has no publish token configured.
    pub const PUBLISH_DISABLED: &str = "publish_disabled";
    /// 503: the blob store is down.
    pub const STORAGE_UNAVAILABLE: &str = "storage_unavailable";
}
