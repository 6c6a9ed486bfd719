//! Header names and size limits of the edge poll API (reference sections 2 and 3).

/// The unit's credential.
pub const DEVICE_KEY: &str = "X-Device-Key";
/// Version of the agent, recommended on polls.
pub const AGENT_VERSION: &str = "X-Agent-Version";
/// Changes at each boot of the unit, recommended on polls.
pub const BOOT_ID: &str = "X-Boot-Id";
/// How many commands are pending in all, on answers to polls.
pub const PENDING_COUNT: &str = "X-Pending-Count";
/// Seconds until the next poll, as the cloud wishes.
pub const POLL_INTERVAL: &str = "X-Poll-Interval";
/// `true` on the answer to an acknowledgement that was stored before.
pub const DUPLICATE_ACK: &str = "X-Duplicate-Ack";
/// The request id, also in error bodies.
pub const REQUEST_ID: &str = "X-Request-Id";
/// Older form of the publish credential.
pub const PUBLISH_TOKEN: &str = "X-Snap-Publish-Token";

/// Largest answer to a poll in bytes.
pub const POLL_ANSWER_LIMIT: usize = 1024 * 1024;
/// Most items in one answer to a poll, and the default `limit`.
pub const POLL_ITEM_LIMIT: u32 = 50;
/// Largest `payload` in bytes.
pub const PAYLOAD_LIMIT: usize = 64 * 1024;
/// Largest acknowledgement or status report in bytes.
pub const REQUEST_BODY_LIMIT: usize = 64 * 1024;
/// Longest `message` of an acknowledgement in characters.
pub const MESSAGE_LIMIT: usize = 1024;
