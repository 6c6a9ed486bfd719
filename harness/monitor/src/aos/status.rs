//! `unitStatus` (STATUS): when it comes, and what is in it.

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, TraceHeader, Who};
use serde_json::Value;
use std::time::Duration;

/// Waits for the full report after each connect.
pub(super) struct StatusMonitor {
    slack: Duration,
    connected: Option<(Stamp, u64)>,
    first_new: Option<bool>,
    /// The unit ran before the trace began, and has not connected since.
    ran_before: bool,
    /// The unit took leave of the connection there was last.
    took_leave: bool,
    /// A connection broke, or the cloud was the first to close it: what the unit sent on it may never have come, and
    /// comes again before anything new.
    broke: bool,
    prompt: Tally,
    first: Tally,
    complete: Tally,
    reports: Tally,
    named: Tally,
    explained: Tally,
    named_nodes: Tally,
}

impl StatusMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        StatusMonitor {
            slack: Duration::from_micros(header.tolerances.stamp_us),
            connected: None,
            first_new: None,
            ran_before: false,
            took_leave: false,
            broke: false,
            prompt: Tally::new("AOS7-STATUS-001"),
            first: Tally::new("AOS7-STATUS-002"),
            complete: Tally::new("AOS7-STATUS-003"),
            reports: Tally::new("AOS7-STATUS-004"),
            named: Tally::new("AOS7-STATUS-005"),
            explained: Tally::new("AOS7-STATUS-006"),
            named_nodes: Tally::new("AOS7-STATUS-009"),
        }
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(5) + self.slack
    }
}

impl Monitor for StatusMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/status"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-STATUS-001",
            "AOS7-STATUS-002",
            "AOS7-STATUS-003",
            "AOS7-STATUS-004",
            "AOS7-STATUS-005",
            "AOS7-STATUS-006",
            "AOS7-STATUS-009",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "started") => {
                    self.ran_before = event.field("remote") == Some(&Value::Bool(true));
                }
                (Who::Unit, "connected") => {
                    self.connected = Some((record.at, record.seq));
                    self.took_leave = false;
                    // What looks new here may have been sent before the trace began.
                    self.first_new = (!std::mem::take(&mut self.ran_before)).then_some(true);
                }
                (Who::Unit, "disconnected" | "power_cut" | "rebooted" | "stopped" | "exited" | "close")
                | (Who::Cloud, "stopped" | "close") => {
                    self.connected = None;
                    self.first_new = None;
                    match (event.who, event.name.as_str()) {
                        (Who::Unit, "close") => self.took_leave = true,
                        // What the unit sent behind the cloud's back was not read any more, or never left the unit.
                        (Who::Cloud, "close") => self.broke |= !self.took_leave,
                        (Who::Unit, "disconnected") => self.broke |= !self.took_leave,
                        _ => {}
                    }
                }
                (Who::Unit, "ack") => {}
                (Who::Unit, name) if event.field("copy").is_some() => {
                    let new = event.field("copy").and_then(Value::as_u64) == Some(1);
                    let full =
                        name == "unitStatus" && event.field("isDeltaInfo") == Some(&Value::Bool(false));
                    let again = self.broke && !full;
                    self.broke &= !(new && full);
                    if new && !again && self.first_new.take().is_some() {
                        let text = || {
                            format!(
                                "the first new message of the connection is {name}, not a full unitStatus"
                            )
                        };
                        self.first.check(full, text, record.seq, judge);
                    }
                    if full && let Some((_, _)) = self.connected.take() {
                        self.prompt.met(record.seq);
                    }
                    if name == "unitStatus" {
                        self.status(event, full, record.seq, judge);
                    }
                }
                (Who::Unit, "unreadable") => {
                    let reason = event.text("reason").unwrap_or_default();
                    // It came; that it is no whole report is another requirement's matter.
                    if event.text("message") == Some("unitStatus") {
                        self.connected = None;
                        self.first_new = None;
                    }
                    if reason.contains("/state") {
                        let text = format!("a state that is none: {reason}");
                        self.named.violated(text, vec![record.seq], judge);
                    }
                }
                _ => {}
            }
        }
    }

    fn next_deadline(&self) -> Option<Stamp> {
        self.connected.map(|(at, _)| at + self.limit())
    }

    fn expire(&mut self, now: Stamp, judge: &mut Judge<'_>) {
        if let Some((at, seq)) = self.connected
            && at + self.limit() <= now
        {
            self.connected = None;
            let text = "no full unitStatus within 5 s of the connect";
            self.prompt.violated(text, vec![seq], judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.prompt,
            &mut self.first,
            &mut self.complete,
            &mut self.reports,
            &mut self.named,
            &mut self.explained,
            &mut self.named_nodes,
        ] {
            tally.close(judge);
        }
    }
}

impl StatusMonitor {
    fn status(&mut self, event: &Event, full: bool, seq: u64, judge: &mut Judge<'_>) {
        self.named.met(seq);
        let list = |name: &str| event.field(name).and_then(Value::as_array);
        if full {
            let missing: Vec<&str> = LISTS.into_iter().filter(|name| list(name).is_none()).collect();
            let text = || format!("the full report lacks {}", missing.join(", "));
            self.complete.check(missing.is_empty(), text, seq, judge);
            let reported = list("nodes").is_some_and(|nodes| !nodes.is_empty()) && list("items").is_some();
            let text = || "the full report names no node or no items".to_owned();
            self.reports.check(reported, text, seq, judge);
        }
        let mut failed = Vec::new();
        for name in ["items", "unitConfig"] {
            failed.extend(list(name).into_iter().flatten());
        }
        for node in list("nodes").into_iter().flatten() {
            let name = |member: &str| node[member]["codename"].as_str().unwrap_or_default();
            let text = || "a node without the code name of itself or of its type".to_owned();
            let named = !name("identity").is_empty() && !name("nodeGroupSubject").is_empty();
            self.named_nodes.check(named, text, seq, judge);
        }
        for group in list("instances").into_iter().flatten() {
            failed.extend(group["instances"].as_array().into_iter().flatten());
        }
        for part in failed {
            if matches!(part["state"].as_str(), Some("failed" | "error")) {
                let text = || format!("failed without errorInfo: {part}");
                self.explained
                    .check(part["errorInfo"].is_object(), text, seq, judge);
            }
        }
    }
}

const LISTS: [&str; 5] = ["unitConfig", "nodes", "items", "instances", "subjects"];
