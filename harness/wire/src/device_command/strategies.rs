//! proptest strategies for the types of the device command API: everything they make is valid.

use super::*;
use crate::edge_poll::strategies::{checksum, json_object, json_value};
use proptest::{collection, option, prelude::*, sample};
use serde_json::{Map, Value};

pub use crate::edge_poll::strategies::{command_id, timestamp};

/// A legal device id.
pub fn device_id() -> impl Strategy<Value = String> {
    "[A-Z][A-Za-z0-9:_-]{0,40}"
}

/// Parameters of any of the six types.
pub fn parameters() -> impl Strategy<Value = Parameters> {
    prop_oneof![
        reset(),
        (0..=3600_u64, any::<[bool; 2]>()).prop_map(|(restart_delay, [preserve_config, clear_queues])| {
            Parameters::SystemRestart {
                restart_delay,
                preserve_config,
                clear_queues,
            }
        }),
        (
            "https://[a-z]{1,9}/[a-z0-9./]{0,20}",
            semver(),
            checksum(),
            any::<[bool; 2]>()
        )
            .prop_map(
                |(firmware_url, version, checksum, [auto_restart, allow_downgrade])| {
                    Parameters::FirmwareUpdate {
                        firmware_url,
                        version,
                        checksum,
                        auto_restart,
                        allow_downgrade,
                    }
                }
            ),
        export(),
        (
            collection::vec("https?://[a-z]{1,9}/[a-z?\u{e4}]{0,20}", 0..=8),
            any::<[bool; 2]>()
        )
            .prop_map(|(test_endpoints, [include_traceroute, dns_test])| {
                Parameters::NetworkDiagnostics {
                    test_endpoints,
                    include_traceroute,
                    dns_test,
                }
            }),
        (any::<[bool; 3]>(), 0..=3650_u64).prop_map(
            |([clear_logs, clear_temp_files, clear_old_batches], days)| {
                Parameters::StorageCleanup {
                    clear_logs,
                    clear_temp_files,
                    clear_old_batches,
                    days_to_keep: days,
                }
            }
        ),
    ]
}

/// A command of one of the six types with its parameters, complete or left to their defaults.
pub fn command_object() -> impl Strategy<Value = CommandObject> {
    (
        command_id(),
        parameters(),
        option::of(0..=header::EXECUTION_DELAY_LIMIT_S),
        option::of(timestamp()),
        option::of(signature()),
    )
        .prop_map(
            |(command_id, parameters, execution_delay, expires_at, signature)| CommandObject {
                type_name: parameters.command_type().name().to_owned(),
                command_id,
                execution_delay,
                parameters: to_object(&parameters),
                expires_at,
                signature: signature.map(|s| s.to_string()),
                members: Map::new(),
            },
        )
}

/// An issue request.
pub fn issue_request() -> impl Strategy<Value = IssueRequest> {
    (device_id(), command_object(), timestamp()).prop_map(|(device_id, command, timestamp)| IssueRequest {
        device_id,
        command,
        timestamp,
    })
}

/// The answer to an issue request.
pub fn issue_answer() -> impl Strategy<Value = IssueAnswer> {
    (
        sample::select(CommandStatus::ALL.to_vec()),
        command_id(),
        parameters(),
        0..4_000_000_000_000_i64,
        0..=header::EXECUTION_DELAY_LIMIT_S,
    )
        .prop_map(|(status, id, parameters, at, delay)| {
            IssueAnswer::estimate(status, id, at, delay, &parameters)
        })
}

/// The answer to a fetch.
pub fn fetch_answer() -> impl Strategy<Value = FetchAnswer> {
    let fetched = (
        command_object(),
        timestamp(),
        0..1000_u64,
        option::of(device_id()),
    )
        .prop_map(
            |(command, issued_at, delay_remaining, device_id)| FetchedCommand {
                command,
                issued_at,
                delay_remaining,
                device_id,
            },
        );
    (
        collection::vec(
            fetched.prop_map(|fetched| Entry::Command(Box::new(fetched))),
            0..4,
        ),
        timestamp(),
    )
        .prop_map(|(commands, server_time)| FetchAnswer {
            commands,
            server_time,
        })
}

/// A status report.
pub fn status_body() -> impl Strategy<Value = StatusBody> {
    let reported = vec![
        CommandStatus::Executing,
        CommandStatus::Completed,
        CommandStatus::Failed,
    ];
    (
        command_id(),
        sample::select(reported),
        timestamp(),
        option::of("\\PC{1,60}"),
    )
        .prop_map(|(command_id, status, timestamp, details)| StatusBody {
            command_id,
            status,
            timestamp,
            details,
        })
}

/// The answer to a status report.
pub fn status_answer() -> impl Strategy<Value = StatusAnswer> {
    (any::<bool>(), timestamp(), option::of(Just(true))).prop_map(
        |(commands_pending, server_time, duplicate)| StatusAnswer {
            accepted: true,
            commands_pending,
            server_time,
            duplicate,
        },
    )
}

/// A JSON export of a few records.
pub fn export_body() -> impl Strategy<Value = ExportBody> {
    let record = (timestamp(), json_object(), json_value());
    (
        device_id(),
        command_id(),
        timestamp(),
        timestamp(),
        any::<bool>(),
        collection::vec(record, 0..4),
    )
        .prop_map(
            |(device_id, command_id, start_time, end_time, include_raw, records)| ExportBody {
                device_id,
                command_id,
                start_time,
                end_time,
                include_raw,
                records: records
                    .into_iter()
                    .map(|(timestamp, values, raw)| ExportRecord {
                        timestamp,
                        values,
                        raw: include_raw.then_some(raw),
                    })
                    .collect(),
            },
        )
}

/// A CSV export of a few records.
pub fn csv_export() -> impl Strategy<Value = CsvExport> {
    (1..4_usize)
        .prop_flat_map(|columns| {
            let row = (timestamp(), collection::vec("[ -~\r\n]{0,8}", columns));
            (
                collection::vec("[a-z_,\"]{1,8}", columns),
                collection::vec(row, 0..4),
            )
        })
        .prop_map(|(names, rows)| CsvExport {
            header: std::iter::once("timestamp".to_owned()).chain(names).collect(),
            records: rows
                .into_iter()
                .map(|(time, fields)| std::iter::once(time).chain(fields).collect())
                .collect(),
        })
}

/// A diagnostics object with any endpoints.
pub fn diagnostics() -> impl Strategy<Value = Diagnostics> {
    let test = (
        "https?://\\PC{1,20}",
        option::of(100..=599_i64),
        option::of(0..10_000_u64),
    )
        .prop_map(|(url, code, latency_ms)| EndpointTest {
            url,
            http_code: code.unwrap_or(0),
            response_time: match code {
                Some(_) => EndpointTest::SUCCESS.to_owned(),
                None => EndpointTest::FAILED.to_owned(),
            },
            latency_ms,
        });
    (
        any::<bool>(),
        -120..0_i64,
        option::of(any::<bool>()),
        collection::vec(test, 0..=8),
    )
        .prop_map(
            |(wifi_connected, wifi_rssi, dns_working, endpoint_tests)| Diagnostics {
                wifi_connected,
                wifi_rssi,
                local_ip: "192.0.2.1".to_owned(),
                dns_working,
                dns_resolved_ip: dns_working.map(|_| "192.0.2.10".to_owned()),
                endpoint_tests,
                traceroute: None,
                truncated: None,
            },
        )
}

/// A signature of either format.
pub fn signature() -> impl Strategy<Value = Signature> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(Signature::HmacSha256),
        (any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(a, b)| {
            let mut bytes = [0; 64];
            bytes[..32].copy_from_slice(&a);
            bytes[32..].copy_from_slice(&b);
            Signature::Ed25519(bytes)
        }),
    ]
}

fn reset() -> impl Strategy<Value = Parameters> {
    let reset_type = sample::select(vec![ResetType::Soft, ResetType::Hard, ResetType::Factory]);
    let restart_mode = sample::select(vec![RestartMode::Auto, RestartMode::Manual]);
    (reset_type, any::<bool>(), restart_mode).prop_map(|(reset_type, preserve, restart_mode)| {
        Parameters::BcgmcuReset {
            reset_type,
            preserve_calibration: preserve && reset_type != ResetType::Factory,
            restart_mode,
        }
    })
}

fn export() -> impl Strategy<Value = Parameters> {
    let format = sample::select(vec![ExportFormat::Json, ExportFormat::Csv]);
    (
        978_307_200_000..4_000_000_000_000_i64,
        0..=31 * 86_400_000_i64,
        format,
        any::<bool>(),
    )
        .prop_map(
            |(start, length, export_format, include_raw)| Parameters::DataExport {
                start_time: crate::timestamp::format_millis(start),
                end_time: crate::timestamp::format_millis(start + length),
                export_format,
                include_raw,
            },
        )
}

fn semver() -> impl Strategy<Value = String> {
    "(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})(-rc\\.[1-9])?"
}

fn to_object(parameters: &Parameters) -> Option<Map<String, Value>> {
    serde_json::to_value(parameters).ok()?.as_object().cloned()
}
