//! Header names and limits of the device command API (reference sections 2 and 3).

/// New at each boot of the unit, recommended on fetches and reports.
pub const BOOT_ID: &str = "X-Boot-Id";
/// The firmware the unit runs, recommended on fetches and reports.
pub const FIRMWARE_VERSION: &str = "X-Firmware-Version";
/// How many commands wait for the unit, on every answer.
pub const COMMANDS_PENDING: &str = "X-Commands-Pending";
/// Lower-case hex SHA-256 of an export upload.
pub const CONTENT_SHA256: &str = "X-Content-SHA256";
/// The request id, also in error bodies.
pub const REQUEST_ID: &str = "X-Request-Id";

/// Largest request body in bytes.
pub const REQUEST_BODY_LIMIT: usize = 16 * 1024;
/// Largest fetch answer in bytes.
pub const FETCH_ANSWER_LIMIT: usize = 32 * 1024;
/// Longest `details` of a status in bytes.
pub const DETAILS_LIMIT: usize = 2048;
/// Most commands in one fetch answer, and most open commands of one device.
pub const OPEN_COMMAND_LIMIT: usize = 8;
/// Longest `execution_delay` in seconds.
pub const EXECUTION_DELAY_LIMIT_S: u64 = 604_800;
/// How far a `timestamp` of an issue request may be from the receiver's clock, in seconds.
pub const TIMESTAMP_WINDOW_S: u64 = 300;
/// Least seconds between two started firmware updates.
pub const FIRMWARE_UPDATE_INTERVAL_S: u64 = 3600;
