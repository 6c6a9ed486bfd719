//! The promise of a restart (DCMD-RESTART-002).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, TraceHeader, Who};
use hil_wire::device_command::status_text::read_restarting_in;
use std::{collections::BTreeSet, time::Duration};

/// Waits for the boot that "Restarting in n seconds" promises.
pub(super) struct RestartMonitor {
    slack: Duration,
    promises: BTreeSet<String>,
    open: Option<Promise>,
    kept: Tally,
}

struct Promise {
    id: String,
    seq: u64,
    earliest: Stamp,
    delay: Duration,
    /// Known once the cloud has taken the promise.
    latest: Option<Stamp>,
}

impl RestartMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        RestartMonitor {
            slack: header.tolerances.across_taps(),
            promises: BTreeSet::new(),
            open: None,
            kept: Tally::new("DCMD-RESTART-002"),
        }
    }
}

impl Monitor for RestartMonitor {
    fn name(&self) -> &'static str {
        "device-command/restart"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["DCMD-RESTART-002"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "status") => {
                    let delay = event.text("details").and_then(read_restarting_in);
                    let id = event.text("command_id").unwrap_or_default();
                    if let Some(seconds) = delay.filter(|_| self.promises.insert(id.to_owned())) {
                        let delay = Duration::from_secs(seconds);
                        self.open = Some(Promise {
                            id: id.to_owned(),
                            seq: record.seq,
                            earliest: record.at + delay,
                            delay,
                            latest: None,
                        });
                    }
                }
                (Who::Cloud, "status_answer") => {
                    let taken = event.field("http_status").and_then(|status| status.as_u64()) == Some(200);
                    let id = event.text("command_id");
                    let ended = event.text("status") == Some("completed");
                    if let Some(promise) = self
                        .open
                        .as_mut()
                        .filter(|promise| Some(promise.id.as_str()) == id)
                        && taken
                        && ended
                        && promise.latest.is_none()
                    {
                        promise.latest = Some(record.at + promise.delay + LATITUDE + self.slack);
                    }
                }
                // Somebody else's restart says nothing about the promise.
                (Who::Unit, "power_cut" | "stopped" | "power_restored" | "started") => self.open = None,
                (Who::Unit, "booted") => {
                    if let Some(promise) = self.open.take() {
                        let early = record.at + self.slack < promise.earliest;
                        let text = || format!("the boot promised by `{}` came too early", promise.id);
                        self.kept.check(!early, text, record.seq, judge);
                    }
                }
                _ => {}
            }
        }
    }

    fn next_deadline(&self) -> Option<Stamp> {
        self.open.as_ref().and_then(|promise| promise.latest)
    }

    fn expire(&mut self, now: Stamp, judge: &mut Judge<'_>) {
        let late = |promise: &mut Promise| promise.latest.is_some_and(|latest| latest <= now);
        if let Some(promise) = self.open.take_if(late) {
            let text = format!(
                "`{}` promised a restart, and no boot came within 30 s",
                promise.id
            );
            self.kept.violated(text, vec![promise.seq], judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.kept.close(judge);
    }
}

const LATITUDE: Duration = Duration::from_secs(30);
