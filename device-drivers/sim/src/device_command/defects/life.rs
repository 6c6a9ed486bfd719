//! Defects in what happens to the device and its module: resets, restarts, boots, what survives them.

use super::{is_status, status_of};
use crate::{
    Defect, Hardware, Output,
    defect::{
        Edge, Tamper,
        edits::{boots, edit_json, forget, hear, requests, restarts_once_more, set_header, stateful, timers},
    },
    device_command::{
        agent::WORK_TIMER,
        export::EXPORT_FILE,
        files::Class,
        module::Module,
        store::{self, BOOT, BootRecord, CONFIGURATION, LAST_UPDATE, STATUSES, TELEMETRY},
    },
};
use hil_wire::device_command::{header, status_text};
use serde_json::json;
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "resets-twice",
        "DCMD-RESET-001",
        "Resets the module twice.",
        || {
            at_resets(|edge| {
                with_module(edge.hardware, |module| {
                    for count in module.resets.values_mut() {
                        *count += 1;
                    }
                });
            })
        },
    ),
    Defect::tampering(
        "calibration-lost",
        "DCMD-RESET-003",
        "Loses the calibration with every reset.",
        || at_resets(|edge| with_module(edge.hardware, |module| module.calibrated = false)),
    ),
    Defect::tampering(
        "verdict-too-soon",
        "DCMD-RESET-007",
        "Decides a second after a reset whether the module is back.",
        || {
            timers((), |(), timer, after| match timer {
                WORK_TIMER if is_reset(after) => Duration::from_secs(2),
                _ => after,
            })
        },
    ),
    Defect::tampering(
        "restarts-with-the-module",
        "DCMD-RESET-008",
        "Restarts itself some seconds after it reset the module.",
        || at_resets(|edge| edge.perform_later(Duration::from_secs(12), Output::Reboot(Duration::ZERO))),
    ),
    Defect::tampering(
        "restarts-too-late",
        "DCMD-RESTART-002",
        "Restarts a minute later than it said.",
        || restarts_later(Duration::from_secs(60)),
    ),
    Defect::tampering(
        "boots-twice",
        "DCMD-RESTART-003",
        "Restarts once more after a restart.",
        || restarts_once_more(Duration::from_secs(10)),
    ),
    Defect::tampering(
        "configuration-reset",
        "DCMD-RESTART-004",
        "Resets its configuration with every boot.",
        || boots(forget_configuration),
    ),
    Defect::tampering(
        "telemetry-lost",
        "DCMD-RESTART-006",
        "Loses its telemetry with every boot.",
        || {
            boots(|hardware| {
                let _ = hardware.flash.remove(TELEMETRY);
            })
        },
    ),
    Defect::tampering(
        "restarts-before-it-is-heard",
        "DCMD-RESTART-007",
        "Restarts while its last status is still on its way.",
        || {
            stateful::<bool>(hear, |done, output, edge| {
                let announced = matches!(&output, Output::Http(_, call) if is_status(call)
                    && status_of(call).1.starts_with("Restarting in"));
                edge.perform(output);
                if announced && !std::mem::replace(done, true) {
                    edge.perform(Output::Reboot(Duration::ZERO));
                }
            })
        },
    ),
    Defect::tampering(
        "says-an-old-version",
        "DCMD-FW-001",
        "Always says that version 1.0.0 runs.",
        || {
            requests(|call| {
                if call.request.headers.get(header::FIRMWARE_VERSION).is_some() {
                    set_header(&mut call.request.headers, header::FIRMWARE_VERSION, "1.0.0");
                }
            })
        },
    ),
    Defect::tampering(
        "image-not-rolled-back",
        "DCMD-FW-010",
        "Keeps an image that crashes.",
        || {
            boots(|hardware| {
                if let Some(mut record) = store::load::<BootRecord>(&hardware.flash, BOOT)
                    && record.trial.is_some()
                {
                    record.trial = None;
                    store::save(&mut hardware.flash, BOOT, &record);
                }
            })
        },
    ),
    Defect::tampering(
        "updates-restart-too-late",
        "DCMD-FW-016",
        "Says that an update is completed, and restarts into it a minute later.",
        || {
            stateful::<()>(hear, |(), output, edge| match output {
                Output::Http(_, call)
                    if is_status(&call) && status_of(&call).1 == status_text::INSTALLING_FIRMWARE =>
                {
                    let mut promise = *call;
                    edit_json(&mut promise.request.body, |body| {
                        body["status"] = json!("completed");
                        body["details"] = json!(status_text::firmware_updated_to("1.1.0"));
                    });
                    edge.request(promise);
                }
                Output::Reboot(after) => {
                    edge.perform_later(Duration::from_secs(60), Output::Reboot(after));
                }
                other => edge.perform(other),
            })
        },
    ),
    Defect::tampering(
        "update-resets-configuration",
        "DCMD-FW-017",
        "Resets its configuration with an update.",
        || boots(forget_configuration),
    ),
    Defect::tampering(
        "export-left-behind",
        "DCMD-EXPORT-004",
        "Leaves the file of an export whose upload failed.",
        || {
            at_status(|details, edge| {
                if details == status_text::EXPORT_UPLOAD_FAILED {
                    let _ = edge
                        .hardware
                        .flash
                        .write(&format!("{EXPORT_FILE}-left"), b"left".to_vec());
                }
            })
        },
    ),
    Defect::tampering(
        "removes-more",
        "DCMD-CLEAN-001",
        "Removes batches and logs with every cleanup.",
        || {
            at_status(|details, edge| {
                if status_text::read_cleaned(details).is_some() {
                    for class in [Class::Logs, Class::Batches] {
                        forget(edge.hardware, class.folder());
                    }
                }
            })
        },
    ),
    Defect::tampering(
        "removes-what-it-needs",
        "DCMD-CLEAN-006",
        "Removes its configuration and unsent statuses with every cleanup.",
        || {
            at_status(|details, edge| {
                if status_text::read_cleaned(details).is_some() {
                    forget_configuration(edge.hardware);
                    forget(edge.hardware, STATUSES);
                }
            })
        },
    ),
    Defect::tampering(
        "limit-lost-at-boot",
        "DCMD-RATE-003",
        "Forgets when it boots that it was updated within the hour.",
        || {
            boots(|hardware| {
                let _ = hardware.flash.remove(LAST_UPDATE);
            })
        },
    ),
    Defect::tampering(
        "refusal-extends-the-limit",
        "DCMD-RATE-005",
        "Counts the hour from the last update it refused.",
        || {
            at_status(|details, edge| {
                if details == status_text::RATE_LIMITED {
                    let now = edge.hardware.counter.extended(edge.now);
                    store::save(&mut edge.hardware.flash, LAST_UPDATE, &now);
                }
            })
        },
    ),
];

/// Whether a timer is the first look after a reset, the only one that is not of whole seconds.
fn is_reset(after: Duration) -> bool {
    after == Duration::from_millis(5200)
}

/// Does something more whenever the module was reset.
fn at_resets(act: fn(&mut Edge<'_>)) -> Box<dyn Tamper> {
    Box::new(AtResets(act))
}

struct AtResets(fn(&mut Edge<'_>));

impl Tamper for AtResets {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        let reset = matches!(output, Output::Timer(WORK_TIMER, after) if is_reset(after));
        edge.perform(output);
        if reset {
            self.0(edge);
        }
    }
}

/// Does something more whenever a status is sent; it is given the details.
fn at_status(act: fn(&str, &mut Edge<'_>)) -> Box<dyn Tamper> {
    Box::new(AtStatus(act))
}

struct AtStatus(fn(&str, &mut Edge<'_>));

impl Tamper for AtStatus {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        let details = match &output {
            Output::Http(_, call) if is_status(call) => Some(status_of(call).1),
            _ => None,
        };
        edge.perform(output);
        if let Some(details) = details {
            self.0(&details, edge);
        }
    }
}

/// Restarts on purpose come later.
fn restarts_later(by: Duration) -> Box<dyn Tamper> {
    Box::new(RestartsLater(by))
}

struct RestartsLater(Duration);

impl Tamper for RestartsLater {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        match output {
            Output::Reboot(after) => edge.perform_later(self.0, Output::Reboot(after)),
            other => edge.perform(other),
        }
    }
}

fn with_module(hardware: &mut Hardware, edit: impl FnOnce(&mut Module)) {
    let mut module = Module::load(&hardware.flash);
    edit(&mut module);
    module.save(&mut hardware.flash);
}

fn forget_configuration(hardware: &mut Hardware) {
    let _ = hardware.flash.remove(CONFIGURATION);
}
