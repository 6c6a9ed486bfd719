//! Defects of installations.

use super::{asks, authentication::configured, downloads::listed, events, is_report, variant};
use crate::{
    Defect, Output,
    defect::edits::{boots, hear, requests, stateful},
};
use hil_wire::sota::{Event, ResultCode, UpdateReport};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "installs-uninvited",
        "SOTA-INST-001",
        "Installs what it downloaded though its package manager is off.",
        || boots(|hardware| configured(hardware, "package_manager", true)),
    ),
    Defect::tampering(
        "installation-unannounced",
        "SOTA-INST-002",
        "Does not tell that an installation begins.",
        || events(|event, _| !matches!(event, Event::InstallingUpdate(_))),
    ),
    Defect::tampering(
        "installation-without-outcome",
        "SOTA-INST-002",
        "Does not tell how an installation ended.",
        || events(|event, _| !matches!(event, Event::InstallComplete(_) | Event::InstallFailed(_))),
    ),
    Defect::tampering(
        "installation-ends-twice",
        "SOTA-INST-002",
        "Tells twice how an installation ended.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if let Output::SendWs(_, frame) = &output
                    && let Ok(event) = serde_json::from_slice(&frame.payload)
                    && ["InstallComplete", "InstallFailed"].contains(&variant(&event))
                {
                    edge.perform_later(Duration::from_millis(300), output.clone());
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "downloads-never-installed",
        "SOTA-INST-002",
        "Does not install what it downloaded though it has a package manager.",
        || boots(|hardware| configured(hardware, "package_manager", false)),
    ),
    Defect::tampering(
        "report-for-another-update",
        "SOTA-INST-003",
        "Reports an installation as that of another update.",
        || {
            requests(|call| {
                if let Some((before, _)) = call.url.rsplit_once('/')
                    && asks(call, is_report)
                {
                    call.url = format!("{before}/00000000-0000-4000-8000-000000000000");
                }
            })
        },
    ),
    Defect::tampering(
        "installed-yet-downloaded",
        "SOTA-INST-004",
        "Downloads an update in flight that is installed already.",
        || listed("InFlight"),
    ),
    Defect::tampering(
        "installs-without-manager",
        "SOTA-INST-005",
        "Tells of a successful installation though its package manager is off.",
        || {
            events(|event, _| {
                if *event == Event::Error("the package manager is off".to_owned()) {
                    *event = Event::InstallComplete(UpdateReport::single("0", ResultCode::OK, ""));
                }
                true
            })
        },
    ),
    Defect::tampering(
        "manager-needed",
        "SOTA-INST-005",
        "Ends when it is told to install with its package manager off.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                let off = matches!(&output, Output::Answer(_, response)
                    if String::from_utf8_lossy(&response.body).contains("package manager is off"));
                edge.perform(output);
                if off {
                    edge.perform_later(Duration::from_millis(200), Output::Exit(101));
                }
            })
        },
    ),
    Defect::tampering(
        "installs-the-unknown",
        "SOTA-INST-006",
        "Tells of a successful installation of what was never downloaded.",
        || {
            events(|event, _| {
                if let Event::InstallFailed(report) = event {
                    *event =
                        Event::InstallComplete(UpdateReport::single(&report.update_id, ResultCode::OK, ""));
                }
                true
            })
        },
    ),
];
