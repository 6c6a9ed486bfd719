//! When uncommitted firmware falls back: not before its window is over, and not much later (OTA-TIME-001,
//! OTA-TIME-002, OTA-REVERT-001). Only what replies prove is used: a window begins after the answer to the update and
//! ends before the first answer of the old firmware.

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, RecordBody, Stamp, Standing, TraceHeader, UnitChange, Who};
use hil_wire::ota_rpc::argument;
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// Follows one update at a time.
pub(super) struct WindowMonitor {
    slack: Duration,
    running: Option<String>,
    /// Ids of updates called and not answered, with what they ask for.
    asked: Vec<(Value, i32)>,
    /// When Sys.GetInfo was called, by id.
    called: Vec<(Value, Stamp)>,
    window: Option<Window>,
    /// Paths whose images are meant to fail.
    bad: BTreeSet<String>,
    bad_download: bool,
    early: Tally,
    late: Tally,
    back: Tally,
}

struct Window {
    length: Duration,
    old: String,
    /// The answer to the update: the new firmware was not yet initialised then.
    applied: (Stamp, u64),
    /// The first answer of the new firmware, and its version.
    first: Option<(Stamp, u64, String)>,
    /// Something else could end or spoil the window: early falls back prove nothing.
    disturbed: bool,
    /// It may be committed.
    decided: bool,
}

impl WindowMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        WindowMonitor {
            slack: Duration::from_micros(header.slack_us()),
            running: None,
            asked: Vec::new(),
            called: Vec::new(),
            window: None,
            bad: BTreeSet::new(),
            bad_download: false,
            early: Tally::new("OTA-TIME-001"),
            late: Tally::new("OTA-TIME-002"),
            back: Tally::new("OTA-REVERT-001"),
        }
    }
}

impl Monitor for WindowMonitor {
    fn name(&self) -> &'static str {
        "ota-rpc/window"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["OTA-REVERT-001", "OTA-TIME-001", "OTA-TIME-002"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::Unit {
                change: UnitChange::PowerCut | UnitChange::Stopped | UnitChange::Started | UnitChange::Exited,
                ..
            } => self.disturb(),
            RecordBody::StepStarted { subject, .. }
                if matches!(
                    subject.as_str(),
                    "unit.reboot" | "unit.stop" | "unit.cut_power" | "unit.stimulate"
                ) =>
            {
                self.disturb();
            }
            _ => {}
        }
        for event in events {
            let method = event.text("method").unwrap_or_default();
            match (event.who, event.name.as_str(), method) {
                (Who::Cloud, "published", _) => {
                    let role = event.text("artifact").unwrap_or_default();
                    if let (Some(path), "crash" | "hang" | "mute") = (event.text("path"), role) {
                        self.bad.insert(path.to_owned());
                    }
                }
                (Who::Unit, "download", _) => {
                    self.bad_download = event.text("path").is_some_and(|path| self.bad.contains(path));
                }
                (Who::Cloud, "call", "OTA.Update") => {
                    let seconds = argument::integer(event.field("args"), "commit_timeout").unwrap_or(0);
                    self.asked
                        .push((event.field("id").cloned().unwrap_or_default(), seconds));
                }
                (Who::Cloud, "call", "Sys.GetInfo") => {
                    let id = event.field("id").cloned().unwrap_or_default();
                    self.called.push((id, record.at));
                }
                (Who::Cloud, "call", "OTA.Commit") => self.decide(),
                (Who::Cloud, "call", "OTA.SetBootState" | "OTA.CreateSnapshot") => {
                    // A boot state that was set may be committed; one with a timeout alone is not.
                    let only_timeout = event
                        .field("args")
                        .and_then(Value::as_object)
                        .is_some_and(|args| args.keys().all(|name| name == "commit_timeout"));
                    if !only_timeout {
                        self.decide();
                        self.disturb();
                    }
                }
                (Who::Cloud, "call", "OTA.Revert" | "Sys.Reboot") => self.disturb(),
                (Who::Unit, "reply", "OTA.Update") => self.updated(record, event),
                (Who::Unit, "reply", "Sys.GetInfo") => self.information(record, event, judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [&mut self.early, &mut self.late, &mut self.back] {
            tally.close(judge);
        }
    }
}

impl WindowMonitor {
    fn disturb(&mut self) {
        if let Some(window) = &mut self.window {
            window.disturbed = true;
        }
    }

    fn decide(&mut self) {
        if let Some(window) = &mut self.window {
            window.decided = true;
        }
    }

    fn updated(&mut self, record: &Record, event: &Event) {
        let id = event.field("id").cloned().unwrap_or_default();
        let Some(position) = self.asked.iter().position(|(asked, _)| *asked == id) else {
            return;
        };
        let (_, seconds) = self.asked.remove(position);
        let applied =
            event.field("ok") == Some(&Value::Bool(true)) && event.text("message") != Some("Not Modified");
        let length = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
        if let (true, Some(seconds), Some(old), false) =
            (applied, length, self.running.clone(), self.bad_download)
        {
            self.window = Some(Window {
                length: Duration::from_secs(seconds),
                old,
                applied: (record.at, record.seq),
                first: None,
                disturbed: false,
                decided: false,
            });
        } else if applied {
            self.window = None;
        }
    }

    fn information(&mut self, record: &Record, event: &Event, judge: &mut Judge<'_>) {
        let Some(version) = event.text("version").map(str::to_owned) else {
            return;
        };
        self.running = Some(version.clone());
        // What answers ran at some moment after the call.
        let id = event.field("id").cloned().unwrap_or_default();
        let position = self.called.iter().rposition(|(called, _)| *called == id);
        let Some((_, called)) = position.map(|position| self.called.swap_remove(position)) else {
            return;
        };
        let Some(window) = &mut self.window else {
            return;
        };
        let slack = self.slack;
        match &window.first {
            None if version != window.old => window.first = Some((record.at, record.seq, version)),
            None => {}
            Some((first, seq, new)) if *new == version => {
                let tolerance = Duration::from_secs(1).max(window.length / 100);
                let limit = *first + window.length + tolerance + slack;
                if called > limit && !window.decided {
                    let text = format!(
                        "the new firmware still answers a call made {:.3} s after its first answer, its window was {} s",
                        called.since(*first).as_secs_f64(),
                        window.length.as_secs()
                    );
                    let evidence = vec![window.applied.1, *seq, record.seq];
                    self.late.violated(text.clone(), evidence.clone(), judge);
                    self.back.violated(text, evidence, judge);
                    self.window = None;
                }
            }
            Some((_, seq, _)) if version == window.old => {
                let passed = record.at.since(window.applied.0);
                let evidence = vec![window.applied.1, *seq, record.seq];
                if !window.disturbed && !window.decided {
                    let text = format!(
                        "the old firmware is back {:.3} s after the update was answered, its window is {} s",
                        passed.as_secs_f64(),
                        window.length.as_secs()
                    );
                    let short = window.length.as_secs_f64() - passed.as_secs_f64();
                    match Standing::of(short, short, slack.as_secs_f64()) {
                        Standing::Outside => self.early.violated(text, evidence, judge),
                        Standing::Unclear => {
                            let text = format!(
                                "{text}; the margin lies inside the tolerance of {:.3} s",
                                slack.as_secs_f64()
                            );
                            judge.inconclusive("OTA-TIME-001", text, evidence);
                            self.back.met(record.seq);
                        }
                        Standing::Inside => {
                            self.early.met(record.seq);
                            self.back.met(record.seq);
                        }
                    }
                }
                self.window = None;
            }
            Some(_) => self.window = None,
        }
    }
}
