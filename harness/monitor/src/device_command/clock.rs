//! The time in status reports (DCMD-STATUS-006).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, RecordBody, Stamp, TraceHeader, Who};
use hil_wire::timestamp::parse_millis;

/// Compares the time a report tells with the time it came. A report that waited for its delivery tells of the past, so
/// only the first attempt of an undisturbed unit is held to both bounds; none may tell of the future.
pub(super) struct ClockMonitor {
    epoch_ms: i64,
    slack_ms: i64,
    /// Something was done to the unit's clock.
    touched: bool,
    /// Reports may have waited.
    disturbed: bool,
    right: Tally,
}

impl ClockMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        ClockMonitor {
            epoch_ms: header.epoch_unix_us / 1000,
            slack_ms: i64::try_from(header.tolerances.stamp_us / 1000).unwrap_or_default(),
            touched: header.epoch_unix_us == 0,
            disturbed: false,
            right: Tally::new("DCMD-STATUS-006"),
        }
    }
}

impl Monitor for ClockMonitor {
    fn name(&self) -> &'static str {
        "device-command/clock"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["DCMD-STATUS-006"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        if let RecordBody::Stimulus { name, .. } = &record.what {
            self.touched |= name.starts_with("clock");
        }
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "status") => self.status(record, event, judge),
                (Who::Cloud, "status_answer") => {
                    let taken = event.field("http_status").and_then(|status| status.as_u64());
                    self.disturbed |= !matches!(taken, Some(200..=299 | 404 | 409));
                }
                (Who::Cloud, "stopped" | "tls_presented")
                | (Who::Fault, _)
                // Reports of an earlier run stand before those of this one.
                | (Who::Unit, "earlier_status" | "power_cut" | "rebooted" | "stopped" | "exited") => {
                    self.disturbed = true;
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.right.close(judge);
    }
}

impl ClockMonitor {
    fn status(&mut self, record: &Record, event: &Event, judge: &mut Judge<'_>) {
        // What is no time at all breaks the rules of the body, which are judged apart.
        let told = event.text("timestamp").and_then(parse_millis);
        let Some(told) = told.filter(|told| !self.touched && *told >= FIRST_PLAUSIBLE_MS) else {
            return;
        };
        let now = self.epoch_ms + i64::try_from(record.at.0 / 1000).unwrap_or(i64::MAX / 2);
        let ahead = told - now;
        let limit = LIMIT_MS + self.slack_ms;
        if ahead > limit || (!self.disturbed && ahead < -(limit + TRANSPORT_MS)) {
            let seconds = ahead as f64 / 1000.0;
            let text = format!("the time of a report is {seconds:+.3} s from the time it came");
            self.right.violated(text, vec![record.seq], judge);
        } else if !self.disturbed {
            self.right.met(record.seq);
        }
    }
}

const LIMIT_MS: i64 = 5_000;
/// What may pass between making and receiving a report when nothing disturbs: reports go one after the other.
const TRANSPORT_MS: i64 = 5_000;
/// 2020-01-01: a clock that says less is not set.
const FIRST_PLAUSIBLE_MS: i64 = 1_577_836_800_000;
