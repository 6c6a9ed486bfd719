//! The D-Bus gateway: the software manager hears of every finished download (SOTA-DBUS-001), arguments of other types are
//! refused (SOTA-DBUS-004), results go to Core as they are (SOTA-DBUS-003), and one without a code is never a success
//! (SOTA-DBUS-005).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use hil_wire::sota::bus::{
    CLIENT, DOWNLOAD_COMPLETE, INITIATE_DOWNLOAD, UPDATE_REPORT, UPDATE_REPORT_SIGNATURE,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Follows downloads to the call of the software manager, and calls of the client to their answers.
pub(super) struct BusMonitor {
    told: Tally,
    unchanged: Tally,
    refused: Tally,
    codeless: Tally,
    /// The client has its name on the bus.
    named: bool,
    manager: bool,
    /// A fault came upon connections or the unit: what is not said may have been lost.
    disturbed: bool,
    /// Updates the manager was told of since their last download began.
    heard: BTreeSet<String>,
    /// Finished downloads it was not told of: since which record, until when.
    awaited: BTreeMap<String, (u64, Stamp)>,
    /// Calls that were not answered.
    calls: BTreeMap<u64, Wrong>,
    /// Updates results without a code were sent for, with the record of the call.
    without_code: BTreeMap<String, u64>,
    /// Results that were sent, by update, and the record of the first call.
    sent: BTreeMap<String, (u64, Vec<Vec<Outcome>>)>,
    /// Updates somebody may report for another reason.
    reportable: BTreeSet<String>,
}

/// What is wrong with a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Types,
    NoCode,
}

/// Id, code and text of a result.
type Outcome = (String, u64, String);

impl Default for BusMonitor {
    fn default() -> Self {
        BusMonitor {
            told: Tally::new("SOTA-DBUS-001"),
            unchanged: Tally::new("SOTA-DBUS-003"),
            refused: Tally::new("SOTA-DBUS-004"),
            codeless: Tally::new("SOTA-DBUS-005"),
            named: false,
            manager: false,
            disturbed: false,
            heard: BTreeSet::new(),
            awaited: BTreeMap::new(),
            calls: BTreeMap::new(),
            without_code: BTreeMap::new(),
            sent: BTreeMap::new(),
            reportable: BTreeSet::new(),
        }
    }
}

impl Monitor for BusMonitor {
    fn name(&self) -> &'static str {
        "sota/bus"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["SOTA-DBUS-001", "SOTA-DBUS-003", "SOTA-DBUS-004", "SOTA-DBUS-005"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match event.who {
                Who::Unit => self.unit(record, event, judge),
                Who::Cloud => self.cloud(record, event),
                Who::Fault if event.name == "acted" => {
                    let name = event.text("fault").unwrap_or_default();
                    self.disturbed |= ["net.", "unit.", "line."]
                        .iter()
                        .any(|site| name.starts_with(site));
                    self.awaited.clear();
                }
                _ => {}
            }
        }
    }

    fn next_deadline(&self) -> Option<Stamp> {
        self.awaited.values().map(|(_, deadline)| *deadline).min()
    }

    fn expire(&mut self, now: Stamp, judge: &mut Judge<'_>) {
        let told = &mut self.told;
        self.awaited.retain(|id, (seq, deadline)| {
            let late = *deadline <= now;
            if late {
                let text = format!("the software manager was not called for the finished download `{id}`");
                told.violated(text, vec![*seq], judge);
            }
            !late
        });
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.told.close(judge);
        self.unchanged.close(judge);
        self.refused.close(judge);
        self.codeless.close(judge);
    }
}

impl BusMonitor {
    fn unit(&mut self, record: &Record, event: &Event, judge: &mut Judge<'_>) {
        let id = event.text("id").unwrap_or_default();
        match event.name.as_str() {
            "bus_name" => self.named |= event.text("name") == Some(CLIENT),
            "bus_name_lost" if event.text("name") == Some(CLIENT) => self.leave(),
            "power_cut" | "rebooted" | "stopped" | "exited" => self.leave(),
            "download" => {
                self.heard.remove(id);
                self.reportable.insert(id.to_owned());
            }
            "event" | "reply" | "installer_event" if event.text("event") == Some("DownloadComplete") => {
                let expected = self.named && self.manager && !self.disturbed && !self.heard.contains(id);
                if expected && !id.is_empty() {
                    let awaited = self.awaited.entry(id.to_owned());
                    awaited.or_insert((record.seq, record.at + PATIENCE));
                }
            }
            "manager_call" if event.text("method") == Some(DOWNLOAD_COMPLETE) => {
                self.heard.insert(id.to_owned());
                self.awaited.remove(id);
                let text = || {
                    "downloadComplete is called on another object or with other types of arguments".to_owned()
                };
                let valid = event.field("valid") == Some(&Value::Bool(true));
                self.told.check(valid, text, record.seq, judge);
            }
            "bus_reply" => self.answered(record.seq, event, judge),
            "report" => self.reported(record.seq, id, event, judge),
            _ => {}
        }
    }

    fn cloud(&mut self, record: &Record, event: &Event) {
        match event.name.as_str() {
            "bus_manager" => {
                self.manager = event.field("present") == Some(&Value::Bool(true));
                self.awaited.clear();
            }
            "bus_call" => {
                let (Some(call), Some(wrong)) = (event.field("call").and_then(Value::as_u64), wrong(event))
                else {
                    self.remember(record.seq, event);
                    return;
                };
                self.calls.insert(call, wrong);
                if let (Wrong::NoCode, Some(id)) = (wrong, event.text("id")) {
                    self.without_code.insert(id.to_owned(), record.seq);
                }
            }
            "command" => match event.text("id") {
                Some(id) => drop(self.reportable.insert(id.to_owned())),
                // Raw bytes may be a report of anything.
                None if event.text("command").is_none() => {
                    self.without_code.clear();
                    self.sent.clear();
                }
                None => {}
            },
            "updates_answer" => {
                let ids = event.field("ids").and_then(Value::as_array).into_iter().flatten();
                self.reportable
                    .extend(ids.filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }

    fn answered(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let call = event.field("call").and_then(Value::as_u64).unwrap_or_default();
        let rejected = event.field("rejected") == Some(&Value::Bool(true));
        match self.calls.remove(&call) {
            Some(Wrong::Types) => {
                let method = event.text("method").unwrap_or_default();
                let text = || format!("a call of {method} with arguments of other types is no error");
                self.refused.check(rejected, text, seq, judge);
            }
            Some(Wrong::NoCode) if rejected => self.codeless.met(seq),
            _ => {}
        }
    }

    fn remember(&mut self, seq: u64, event: &Event) {
        let Some(id) = event
            .text("id")
            .filter(|_| event.text("method") == Some(UPDATE_REPORT))
        else {
            return;
        };
        match outcomes(event) {
            Some(results) => {
                let (_, sent) = self.sent.entry(id.to_owned()).or_insert((seq, Vec::new()));
                sent.push(results);
            }
            // What a client makes of others is not known.
            None => drop(self.reportable.insert(id.to_owned())),
        }
    }

    fn reported(&mut self, seq: u64, id: &str, event: &Event, judge: &mut Judge<'_>) {
        let Some(results) = outcomes(event).filter(|_| !self.reportable.contains(id)) else {
            return;
        };
        let sent = self.sent.get(id);
        if sent.is_some_and(|(_, sent)| sent.contains(&results)) {
            self.unchanged.met(seq);
        } else if let Some(call) = self.without_code.get(id) {
            if results.iter().all(|(_, code, _)| *code <= 1) {
                let text = format!("results of `{id}` that lack a code are reported as a success");
                self.codeless.violated(text, vec![*call, seq], judge);
            }
        } else if let Some((call, _)) = sent {
            let text = format!("the results reported for `{id}` are not those that came over D-Bus");
            self.unchanged.violated(text, vec![*call, seq], judge);
        }
    }

    fn leave(&mut self) {
        self.named = false;
        self.awaited.clear();
        self.calls.clear();
    }
}

/// The results of a call or a report; `None` if one is not whole.
fn outcomes(event: &Event) -> Option<Vec<Outcome>> {
    let text = |result: &Value, name: &str| result[name].as_str().map(str::to_owned);
    let outcome = |result: &Value| {
        let code = result["result_code"].as_u64().filter(|code| *code <= 19)?;
        Some((text(result, "id")?, code, text(result, "result_text")?))
    };
    let results = event.field("results")?.as_array()?;
    results.iter().map(outcome).collect()
}

/// What is wrong with a call of the client. An argument too many is left to the client.
fn wrong(event: &Event) -> Option<Wrong> {
    let signature = event.text("signature").unwrap_or_default();
    match event.text("method") {
        Some(INITIATE_DOWNLOAD) if !signature.starts_with('s') => Some(Wrong::Types),
        Some(UPDATE_REPORT) if !signature.starts_with(UPDATE_REPORT_SIGNATURE) => Some(Wrong::Types),
        Some(UPDATE_REPORT) => {
            let mut results = event.field("results")?.as_array()?.iter();
            results
                .any(|result| result.get("result_code").is_none())
                .then_some(Wrong::NoCode)
        }
        _ => None,
    }
}

/// From the end of a download to the call.
const PATIENCE: Duration = Duration::from_secs(20);
