//! Messages of the unit whose data are not what their type demands. Which requirement that violates follows from the
//! type; what is wrong with the envelope is the matter of the neighbour `envelope`.

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp};
use std::collections::BTreeMap;

/// Looks for messages that cannot be read.
#[derive(Default)]
pub(super) struct FormMonitor {
    violated: BTreeMap<&'static str, Tally>,
}

impl Monitor for FormMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/form"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-ACK-003",
            "AOS7-ALERT-001",
            "AOS7-BLOB-002",
            "AOS7-CERT-002",
            "AOS7-CERT-003",
            "AOS7-CERT-007",
            "AOS7-ENVVAR-001",
            "AOS7-LOG-002",
            "AOS7-LOG-003",
            "AOS7-LOG-004",
            "AOS7-MON-001",
            "AOS7-PROV-002",
            "AOS7-PROV-003",
            "AOS7-PROV-004",
            "AOS7-STATE-002",
            "AOS7-STATE-004",
            "AOS7-STATE-006",
            "AOS7-STATUS-003",
            "AOS7-STATUS-009",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            let Some(message) = event.text("message") else {
                continue;
            };
            let reason = event.text("reason").unwrap_or_default();
            if event.full_name() != "unit.unreadable" || !reason.starts_with("/data/") {
                continue;
            }
            let Some(requirement) = requirement(message, reason) else {
                continue;
            };
            let tally = self
                .violated
                .entry(requirement)
                .or_insert_with(|| Tally::new(requirement));
            let text = format!("{message} is malformed: {reason}");
            tally.violated(text, vec![record.seq], judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, _: &mut Judge<'_>) {}
}

/// What a message of this type violates; `None` if another monitor says so, or nothing is known.
fn requirement(message: &str, reason: &str) -> Option<&'static str> {
    match message {
        "unitStatus" if reason.contains("/state") => None,
        "unitStatus" if reason.contains("odename") => Some("AOS7-STATUS-009"),
        "pushLog" if reason.contains("/content") => Some("AOS7-LOG-004"),
        "pushLog" if reason.contains("/correlationId") => Some("AOS7-LOG-002"),
        _ => REQUIREMENTS
            .iter()
            .find(|(name, _)| *name == message)
            .map(|(_, id)| *id),
    }
}

/// What demands the form of each type.
const REQUIREMENTS: [(&str, &str); 16] = [
    ("ack", "AOS7-ACK-003"),
    ("unitStatus", "AOS7-STATUS-003"),
    ("monitoringData", "AOS7-MON-001"),
    ("alerts", "AOS7-ALERT-001"),
    ("newState", "AOS7-STATE-006"),
    ("stateAcceptance", "AOS7-STATE-002"),
    ("stateRequest", "AOS7-STATE-004"),
    ("overrideEnvVarsStatus", "AOS7-ENVVAR-001"),
    ("issueUnitCertificates", "AOS7-CERT-002"),
    ("installUnitCertificatesConfirmation", "AOS7-CERT-003"),
    ("startProvisioningResponse", "AOS7-PROV-002"),
    ("finishProvisioningResponse", "AOS7-PROV-003"),
    ("deprovisioningResponse", "AOS7-PROV-004"),
    ("requestBlobUrls", "AOS7-BLOB-002"),
    ("pushLog", "AOS7-LOG-003"),
    ("renewCertificatesNotification", "AOS7-CERT-007"),
];
