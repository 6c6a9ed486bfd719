//! Uploads: their bodies, and that they are confirmed only after Core took them (SOTA-REPORT-007, SOTA-EVT-007).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, Who};
use hil_wire::sota::core::{Call, decode_results};
use serde_json::Value;
use std::collections::BTreeMap;

/// Counts uploads Core took, and confirmations in each place they are given.
pub(super) struct ConfirmationMonitor {
    body: Tally,
    confirmed: Tally,
    taken: BTreeMap<&'static str, u64>,
    given: BTreeMap<(String, &'static str), u64>,
    commanded: bool,
}

impl Default for ConfirmationMonitor {
    fn default() -> Self {
        ConfirmationMonitor {
            body: Tally::new("SOTA-REPORT-007"),
            confirmed: Tally::new("SOTA-EVT-007"),
            taken: BTreeMap::new(),
            given: BTreeMap::new(),
            commanded: false,
        }
    }
}

impl Monitor for ConfirmationMonitor {
    fn name(&self) -> &'static str {
        "sota/confirmation"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["SOTA-EVT-007", "SOTA-REPORT-007"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        if let RecordBody::HttpRequest {
            face,
            from: Party::Unit,
            method,
            target,
            body,
            ..
        } = &record.what
            && face == "sota-core"
            && matches!(Call::parse(method, target), Ok(Call::Report { .. }))
        {
            let decoded = decode_results(body.bytes());
            let why = decoded.first_invalid().map(ToString::to_string);
            let text = || format!("the report is no list of results: {}", why.unwrap_or_default());
            self.body.check(decoded.is_valid(), text, record.seq, judge);
        }
        for event in events {
            self.count(record.seq, event, judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.body.close(judge);
        self.confirmed.close(judge);
    }
}

impl ConfirmationMonitor {
    fn count(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        match (event.who, event.name.as_str()) {
            (Who::Cloud, "command") if event.text("gateway") == Some("websocket") => self.commanded = true,
            (Who::Cloud, answer @ ("report_answer" | "installed_answer" | "system_info_answer")) => {
                let status = event.field("http_status").and_then(Value::as_u64);
                if status.is_some_and(|status| (200..300).contains(&status)) {
                    *self.taken.entry(upload(answer)).or_default() += 1;
                }
            }
            (Who::Unit, place @ ("event" | "reply")) => {
                let Some(upload) = event.text("event").and_then(confirms) else {
                    return;
                };
                // Its commander hears a command over WebSocket twice.
                if place == "event" && self.commanded {
                    return;
                }
                let place = event.text("connection").unwrap_or("").to_owned();
                let given = self.given.entry((place, upload)).or_default();
                *given += 1;
                let taken = self.taken.get(upload).copied().unwrap_or_default();
                let (given, name) = (*given, event.text("event").unwrap_or_default());
                let text = || format!("{name} came {given} times, but Core took {taken} such uploads");
                self.confirmed.check(given <= taken, text, seq, judge);
            }
            _ => {}
        }
    }
}

fn upload(answer: &str) -> &'static str {
    match answer {
        "report_answer" => "report",
        "installed_answer" => "packages",
        _ => "system info",
    }
}

fn confirms(event: &str) -> Option<&'static str> {
    match event {
        "UpdateReportSent" | "InstallReportSent" => Some("report"),
        "InstalledPackagesSent" => Some("packages"),
        "SystemInfoSent" => Some("system info"),
        _ => None,
    }
}
