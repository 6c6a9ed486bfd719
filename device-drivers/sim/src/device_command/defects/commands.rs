//! Defects in what a device makes of commands and their parameters.

use super::{
    IMAGE_UNVERIFIED, LIMITED_AFTER_BOOT, MARKED_BEFORE_COMPLETE, NO_UPDATE_LIMIT, PLAIN_IMAGES,
    SIGNATURES_UNCHECKED, commands_heard, parameter, set_parameter,
};
use crate::{
    Defect, Input,
    defect::{
        COUNTER_WRAPS,
        edits::{any_input, perform, stateful},
    },
    device_command::agent::WORK,
};
use serde_json::{Value, json};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "makes-up-what-is-missing",
        "DCMD-REQ-002",
        "Executes commands without id or type as cleanups.",
        || {
            commands_heard(|command| {
                for (name, value) in [("command_id", "made-up"), ("type", "storage_cleanup")] {
                    if !command[name].is_string() {
                        command[name] = json!(value);
                    }
                }
            })
        },
    ),
    Defect::tampering(
        "no-defaults",
        "DCMD-REQ-003",
        "Refuses commands without parameters.",
        || {
            commands_heard(|command| {
                if command.get("parameters").is_none_or(Value::is_null) {
                    command["parameters"] = json!("none");
                }
            })
        },
    ),
    Defect::tampering(
        "refuses-the-unknown",
        "DCMD-REQ-004",
        "Refuses commands with members it does not know.",
        || {
            commands_heard(|command| {
                let known = |name: &String| MEMBERS.contains(&name.as_str());
                if command
                    .as_object()
                    .is_some_and(|members| !members.keys().all(known))
                {
                    command["parameters"] = json!("none");
                }
            })
        },
    ),
    Defect::both(
        "long-ids-cut",
        SIGNATURES_UNCHECKED,
        "DCMD-REQ-008",
        "Cuts ids after 32 characters.",
        || {
            commands_heard(|command| {
                if let Some(id) = command["command_id"].as_str().filter(|id| id.len() > 32) {
                    command["command_id"] = json!(&id[..32]);
                }
            })
        },
    ),
    Defect::both(
        "any-reset-type",
        SIGNATURES_UNCHECKED,
        "DCMD-RESET-002",
        "Takes a reset type it does not know for `soft`.",
        || {
            commands_heard(|command| {
                parameter(command, "reset_type", |kind| {
                    if !["soft", "hard", "factory"].contains(&kind.as_str().unwrap_or_default()) {
                        *kind = json!("soft");
                    }
                });
            })
        },
    ),
    Defect::both(
        "calibration-not-preserved",
        SIGNATURES_UNCHECKED,
        "DCMD-RESET-004",
        "Erases the calibration with every factory reset.",
        || {
            commands_heard(|command| {
                if command["parameters"]["reset_type"] == "factory" {
                    set_parameter(command, "bcgmcu_reset", "preserve_calibration", json!(false));
                }
            })
        },
    ),
    Defect::both(
        "manual-mode-ignored",
        SIGNATURES_UNCHECKED,
        "DCMD-RESET-006",
        "Starts the module by itself though it was told not to.",
        || {
            commands_heard(|command| {
                parameter(command, "restart_mode", |mode| *mode = json!("auto"));
            })
        },
    ),
    Defect::both(
        "any-restart-delay",
        SIGNATURES_UNCHECKED,
        "DCMD-RESTART-005",
        "Takes a restart delay that is out of range for none.",
        || {
            commands_heard(|command| {
                parameter(command, "restart_delay", |delay| {
                    if !delay
                        .as_i64()
                        .is_some_and(|seconds| (0..=3600).contains(&seconds))
                    {
                        *delay = json!(0);
                    }
                });
            })
        },
    ),
    Defect::within(
        IMAGE_UNVERIFIED,
        "DCMD-FW-003",
        "Installs an image whatever its digest.",
    ),
    Defect::both(
        "checksum-form-unchecked",
        SIGNATURES_UNCHECKED,
        "DCMD-FW-004",
        "Downloads an image before it looks whether it can check it.",
        || {
            commands_heard(|command| {
                if command["type"] == "firmware_update" {
                    let text = command["parameters"]["checksum"].as_str().unwrap_or_default();
                    if hil_wire::digest::parse_sha256(text).is_err() {
                        let zeros = format!("sha256:{}", "0".repeat(64));
                        set_parameter(command, "firmware_update", "checksum", json!(zeros));
                    }
                }
            })
        },
    ),
    Defect::both(
        "short-image-installed",
        IMAGE_UNVERIFIED,
        "DCMD-FW-005",
        "Installs what came of an image, though the body ended early.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    edge.hear(match input {
                        Input::HttpHead {
                            request: WORK,
                            status,
                            mut headers,
                        } => {
                            crate::defect::edits::without(&mut headers, "Content-Length");
                            Input::HttpHead {
                                request: WORK,
                                status,
                                headers,
                            }
                        }
                        Input::HttpFailed { request: WORK, .. } => Input::HttpEnd { request: WORK },
                        other => other,
                    });
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "hangs-at-chunks",
        "DCMD-FW-006",
        "Waits for ever for an image whose length it was not told.",
        || {
            any_input(|input| match input {
                Input::HttpHead {
                    request: WORK,
                    headers,
                    ..
                } => headers.get("Content-Length").is_some(),
                _ => true,
            })
        },
    ),
    Defect::both(
        "older-images-installed",
        SIGNATURES_UNCHECKED,
        "DCMD-FW-007",
        "Installs an image that is not newer without being allowed to.",
        || {
            commands_heard(|command| {
                set_parameter(command, "firmware_update", "allow_downgrade", json!(true));
            })
        },
    ),
    Defect::switched(
        "image-version-unchecked",
        IMAGE_UNVERIFIED,
        "DCMD-FW-008",
        "Reports an update as completed whose image is of another version.",
    ),
    Defect::within(
        MARKED_BEFORE_COMPLETE,
        "DCMD-FW-014",
        "Marks a slot as the one to boot before the image in it is complete.",
    ),
    Defect::both(
        "restarts-unasked",
        SIGNATURES_UNCHECKED,
        "DCMD-FW-015",
        "Restarts after an update though it was told not to.",
        || {
            commands_heard(|command| {
                set_parameter(command, "firmware_update", "auto_restart", json!(true));
            })
        },
    ),
    Defect::tampering(
        "raw-data-always",
        "DCMD-EXPORT-006",
        "Exports raw data though it was told not to.",
        || commands_heard(|command| set_parameter(command, "data_export", "include_raw", json!(true))),
    ),
    Defect::tampering(
        "traceroute-unmentioned",
        "DCMD-DIAG-006",
        "Says nothing of a traceroute it was asked for and does not make.",
        || {
            commands_heard(|command| {
                set_parameter(command, "network_diagnostics", "include_traceroute", json!(false));
            })
        },
    ),
    Defect::tampering(
        "tests-names-unasked",
        "DCMD-DIAG-007",
        "Tests names though it was told not to.",
        || commands_heard(|command| set_parameter(command, "network_diagnostics", "dns_test", json!(true))),
    ),
    Defect::tampering(
        "temporary-files-kept",
        "DCMD-CLEAN-002",
        "Keeps temporary files it was told to remove.",
        || {
            commands_heard(|command| {
                set_parameter(command, "storage_cleanup", "clear_temp_files", json!(false));
            })
        },
    ),
    Defect::tampering(
        "any-number-of-days",
        "DCMD-CLEAN-003",
        "Takes a number of days that is out of range for none.",
        || {
            commands_heard(|command| {
                parameter(command, "days_to_keep", |days| {
                    if days.as_i64().is_some_and(|days| !(0..=3650).contains(&days)) {
                        *days = json!(0);
                    }
                });
            })
        },
    ),
    Defect::tampering(
        "cleans-without-a-clock",
        "DCMD-CLEAN-004",
        "Removes files by age though its clock was never set.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if edge.hardware.wall_offset_us < -86_400_000_000 {
                        edge.hardware.wall_offset_us = 0;
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::within(
        NO_UPDATE_LIMIT,
        "DCMD-RATE-001",
        "Takes any number of firmware updates in an hour.",
    ),
    Defect::within(
        LIMITED_AFTER_BOOT,
        "DCMD-RATE-002",
        "Takes no firmware update in the first hour after a boot.",
    ),
    Defect::switched(
        "signature-lifts-the-limit",
        NO_UPDATE_LIMIT,
        "DCMD-RATE-004",
        "Takes any number of signed firmware updates in an hour.",
    ),
    Defect::switched(
        "counter-wraps",
        COUNTER_WRAPS,
        "DCMD-RATE-006",
        "Takes its 32-bit counter of milliseconds for one that never wraps.",
    ),
    Defect::within(
        PLAIN_IMAGES,
        "DCMD-SEC-002",
        "Fetches images over plain `http` though it is not in lab mode.",
    ),
    Defect::both(
        "types-in-any-case",
        SIGNATURES_UNCHECKED,
        "DCMD-SEC-003",
        "Compares types without regard to case and spaces.",
        || {
            commands_heard(|command| {
                if let Some(kind) = command["type"].as_str() {
                    command["type"] = json!(kind.trim().to_lowercase());
                }
            })
        },
    ),
    Defect::within(
        SIGNATURES_UNCHECKED,
        "DCMD-SEC-004",
        "Neither demands nor checks signatures.",
    ),
    Defect::tampering(
        "any-export-format",
        "DCMD-SEC-005",
        "Takes an export format it does not know for `json`.",
        || {
            commands_heard(|command| {
                parameter(command, "export_format", |format| {
                    if !["json", "csv"].contains(&format.as_str().unwrap_or_default()) {
                        *format = json!("json");
                    }
                });
            })
        },
    ),
];

const MEMBERS: [&str; 10] = [
    "command_id",
    "type",
    "parameters",
    "execution_delay",
    "delay_remaining",
    "expires_at",
    "signature",
    "timestamp",
    "issued_at",
    "priority",
];
