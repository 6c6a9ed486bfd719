//! proptest strategies for the types of the edge poll API: everything they make is valid.

use super::*;
use proptest::{collection, option, prelude::*, sample};
use serde_json::{Map, Value};

/// A legal command id.
pub fn command_id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{1,64}"
}

/// A legal device id.
pub fn device_id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9:_-]{1,128}"
}

/// A legal snap name.
pub fn snap_name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,6}){0,4}"
}

/// A legal version; half of them SemVer.
pub fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..200_u32, 0..200_u32, 0..200_u32).prop_map(|(a, b, c)| format!("{a}.{b}.{c}")),
        "[A-Za-z0-9]([A-Za-z0-9.+~:-]{0,30}[A-Za-z0-9])?",
    ]
}

/// An RFC 3339 timestamp with milliseconds between 2001 and 2100.
pub fn timestamp() -> impl Strategy<Value = String> {
    (978_307_200_000_i64..4_102_444_800_000).prop_map(crate::timestamp::format_millis)
}

/// A `sha256:<64 hex>` checksum.
pub fn checksum() -> impl Strategy<Value = String> {
    "sha256:[0-9a-f]{64}"
}

/// Any JSON value of at most a few levels.
pub fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::vec(("[a-z_]{1,8}", inner), 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// Any JSON object of at most a few levels.
pub fn json_object() -> impl Strategy<Value = Map<String, Value>> {
    collection::vec(("[a-z_]{1,8}", json_value()), 0..5).prop_map(|members| members.into_iter().collect())
}

/// A subnet a unit may scan.
pub fn subnet() -> impl Strategy<Value = Subnet> {
    let texts = prop_oneof![
        (any::<[u8; 3]>(), 16..=32_u8).prop_map(|([b, c, d], p)| format!("10.{b}.{c}.{d}/{p}")),
        (any::<[u8; 2]>(), 16..=32_u8).prop_map(|([c, d], p)| format!("192.168.{c}.{d}/{p}")),
        (any::<u16>(), 112..=128_u8).prop_map(|(d, p)| format!("fd00::{d:x}/{p}")),
    ];
    texts.prop_filter_map("a legal subnet", |text| text.parse().ok())
}

/// A command of one of the four known types, or of an unknown one.
pub fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (snap_name(), version(), option::of(checksum()), any::<bool>()).prop_map(
            |(snap_name, version, checksum, allow_downgrade)| Command::UpdateSnap {
                snap_name,
                version,
                checksum,
                allow_downgrade,
            }
        ),
        "[A-Za-z0-9@._-]{1,64}".prop_map(|service| Command::RestartService { service }),
        subnet().prop_map(|subnet| Command::RunDiscovery { subnet }),
        json_object().prop_map(Command::ConfigUpdate),
        ("x_[a-z]{1,10}", json_object()).prop_map(|(name, payload)| Command::Unknown {
            name,
            payload: Value::Object(payload),
        }),
    ]
}

/// One item of a poll answer.
pub fn command_item() -> impl Strategy<Value = CommandItem> {
    (
        command_id(),
        command(),
        sample::select(ItemStatus::ALL.to_vec()),
        timestamp(),
        option::of(timestamp()),
        0..1000_u64,
    )
        .prop_map(
            |(id, command, status, created_at, expires_at, delivery_count)| CommandItem {
                id,
                command: command.name().to_owned(),
                payload: command.payload().as_object().cloned().unwrap_or_default(),
                status,
                created_at,
                expires_at,
                delivery_count,
            },
        )
}

/// An acknowledgement; failed and rejected ones carry an error code.
pub fn ack() -> impl Strategy<Value = Ack> {
    (
        sample::select(AckStatus::ALL.to_vec()),
        sample::select(error_code::RESERVED.to_vec()),
        option::of("\\PC{0,40}"),
        option::of(json_object()),
        option::of(timestamp()),
    )
        .prop_map(|(status, code, message, details, timestamp)| Ack {
            status,
            error_code: matches!(status, AckStatus::Failed | AckStatus::Rejected).then(|| code.to_owned()),
            message,
            details,
            timestamp,
        })
}

/// The answer to an acknowledgement.
pub fn ack_answer() -> impl Strategy<Value = AckAnswer> {
    (command_id(), sample::select(AckStatus::ALL.to_vec()), timestamp())
        .prop_map(|(id, status, acked_at)| AckAnswer { id, status, acked_at })
}

/// An offered snap, complete or in the minimal form.
pub fn latest_answer() -> impl Strategy<Value = LatestAnswer> {
    (
        snap_name(),
        version(),
        "https://[a-z]{1,8}\\.example/[a-z0-9/]{0,20}",
        option::of((checksum(), any::<u32>(), any::<u32>(), timestamp(), any::<bool>())),
    )
        .prop_map(|(snap_name, version, download_url, rest)| {
            let minimal = LatestAnswer {
                snap_name: None,
                version,
                download_url,
                checksum: None,
                size: None,
                revision: None,
                published_at: None,
                allow_downgrade: None,
            };
            match rest {
                None => minimal,
                Some((checksum, size, revision, published_at, allow_downgrade)) => LatestAnswer {
                    snap_name: Some(snap_name),
                    checksum: Some(checksum),
                    size: Some(size.into()),
                    revision: Some(revision.into()),
                    published_at: Some(published_at),
                    allow_downgrade: Some(allow_downgrade),
                    ..minimal
                },
            }
        })
}

/// A status report.
pub fn status_report() -> impl Strategy<Value = StatusReport> {
    (
        snap_name(),
        version(),
        sample::select(ReportStatus::ALL.to_vec()),
        "[a-z0-9_]{1,20}",
        option::of(version()),
        option::of(command_id()),
        option::of(0..=100_u64),
        option::of(sample::select(error_code::RESERVED.to_vec())),
        option::of("\\PC{0,40}"),
        option::of(timestamp()),
    )
        .prop_map(
            |(
                snap_name,
                version,
                status,
                attempt_id,
                previous_version,
                command_id,
                progress,
                code,
                message,
                at,
            )| {
                StatusReport {
                    previous_version,
                    command_id,
                    progress,
                    error_code: code.map(str::to_owned),
                    message,
                    timestamp: at,
                    ..StatusReport::new(snap_name, version, status, attempt_id)
                }
            },
        )
}

/// An error body with further members.
pub fn error_body() -> impl Strategy<Value = ErrorBody> {
    (
        "\\PC{1,30}",
        "[a-z]{1,8}(_[a-z]{1,8}){0,2}",
        "req-[0-9]{4}",
        json_object(),
    )
        .prop_map(|(error, code, request_id, mut members)| {
            for taken in ["error", "code", "request_id"] {
                members.remove(taken);
            }
            ErrorBody {
                error,
                code,
                request_id,
                members,
            }
        })
}

/// What an operator queues.
pub fn queue_command() -> impl Strategy<Value = QueueCommand> {
    (command(), option::of(1..1_000_000_u64)).prop_map(|(command, expires_in_s)| QueueCommand {
        command: command.name().to_owned(),
        payload: command.payload().as_object().cloned().unwrap_or_default(),
        expires_in_s,
    })
}

/// A publish form.
pub fn publish_form() -> impl Strategy<Value = PublishForm> {
    (
        snap_name(),
        version(),
        any::<bool>(),
        any::<bool>(),
        option::of("[ -~]{0,20}"),
        "[a-z]{1,8}\\.snap",
        collection::vec(any::<u8>(), 1..64),
    )
        .prop_map(
            |(snap_name, version, sum, allow_downgrade, notes, filename, snap)| PublishForm {
                snap_name,
                version,
                checksum: sum.then(|| crate::digest::sha256_tagged(&snap)),
                allow_downgrade,
                notes,
                filename: Some(filename),
                snap,
            },
        )
}
