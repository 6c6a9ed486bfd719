//! What the unit sends by itself: monitoringData and alerts (MON, ALERT).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, TraceHeader, Who};
use hil_wire::timestamp::parse;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// Follows periods and timestamps.
pub(super) struct ReportMonitor {
    period: Duration,
    slack: Duration,
    last: Option<(Stamp, u64)>,
    /// Monitoring before this may have waited for the connection.
    settled: Stamp,
    samples: BTreeMap<String, (i64, u64)>,
    /// Since when there is no connection, and what came of monitoring in the first seconds of the next one.
    gone: Option<Stamp>,
    back: Option<(Stamp, Vec<u64>)>,
    periodic: Tally,
    backlog: Tally,
    increasing: Tally,
    filled: Tally,
    small: Tally,
}

impl ReportMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        let period = header.timing_seconds("monitoring_period").unwrap_or(60.0);
        ReportMonitor {
            period: Duration::try_from_secs_f64(period).unwrap_or(Duration::from_secs(60)),
            slack: Duration::from_micros(header.tolerances.stamp_us),
            last: None,
            settled: Stamp::ZERO,
            samples: BTreeMap::new(),
            gone: None,
            back: None,
            backlog: Tally::new("AOS7-MON-004"),
            periodic: Tally::new("AOS7-MON-001"),
            increasing: Tally::new("AOS7-MON-002"),
            filled: Tally::new("AOS7-ALERT-001"),
            small: Tally::new("AOS7-ALERT-002"),
        }
    }
}

impl Monitor for ReportMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/report"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-ALERT-001",
            "AOS7-ALERT-002",
            "AOS7-MON-001",
            "AOS7-MON-002",
            "AOS7-MON-004",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        self.settle_backlog(record.at, judge);
        for event in events {
            match event.full_name().as_str() {
                "unit.disconnected" => self.gone = Some(record.at),
                "unit.connected"
                    if self
                        .gone
                        .take()
                        .is_some_and(|gone| record.at.since(gone) > self.period * 3) =>
                {
                    self.back = Some((record.at, Vec::new()));
                }
                "unit.monitoringData" => {
                    if let Some((_, records)) = &mut self.back {
                        records.push(record.seq);
                    }
                }
                _ => {}
            }
            match (event.who, event.name.as_str()) {
                // Only an undisturbed stretch of one connection shows the period; what waited for the connection
                // comes first.
                (Who::Unit, "connected") => {
                    self.last = None;
                    self.settled = record.at + self.period / 2;
                }
                (Who::Unit, "disconnected" | "started" | "booted") | (Who::Fault, "acted") => {
                    self.last = None;
                }
                (Who::Unit, "monitoringData") if event.field("copy").and_then(Value::as_u64) == Some(1) => {
                    self.monitoring(event, record, judge);
                    if record.at < self.settled {
                        self.last = None;
                    }
                }
                (Who::Unit, "alerts") => {
                    let count = event.field("items").and_then(Value::as_array).map_or(0, Vec::len);
                    let text = || "alerts without an item".to_owned();
                    self.filled.check(count > 0, text, record.seq, judge);
                    let text = || format!("{count} alerts in one message");
                    self.small.check(count <= 16, text, record.seq, judge);
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.periodic,
            &mut self.backlog,
            &mut self.increasing,
            &mut self.filled,
            &mut self.small,
        ] {
            tally.close(judge);
        }
    }
}

impl ReportMonitor {
    /// Judges the first ten seconds after a long time without a connection.
    fn settle_backlog(&mut self, now: Stamp, judge: &mut Judge<'_>) {
        let Some((_, records)) = self
            .back
            .take_if(|(at, _)| now.since(*at) > Duration::from_secs(10))
        else {
            return;
        };
        if records.len() > BACKLOG {
            let text = format!(
                "{} monitoringData in the first 10 s after a long outage",
                records.len()
            );
            self.backlog.violated(text, records, judge);
        } else {
            self.backlog.met(records.first().copied().unwrap_or_default());
        }
    }

    fn monitoring(&mut self, event: &Event, record: &Record, judge: &mut Judge<'_>) {
        if let Some((at, seq)) = self.last.replace((record.at, record.seq)) {
            let took = record.at.since(at);
            let off = took.abs_diff(self.period);
            if off <= self.period / 5 + self.slack {
                self.periodic.met(record.seq);
            } else {
                let text = format!(
                    "monitoringData after {:.3} s instead of {:.3} s",
                    took.as_secs_f64(),
                    self.period.as_secs_f64()
                );
                self.periodic.violated(text, vec![seq, record.seq], judge);
            }
        }
        let nodes = event.field("nodes").and_then(Value::as_array);
        for node in nodes.into_iter().flatten() {
            let name = node["node"]["codename"].as_str().unwrap_or_default().to_owned();
            for sample in node["items"].as_array().into_iter().flatten() {
                let Some(time) = sample["timestamp"].as_str().and_then(parse) else {
                    continue;
                };
                match self.samples.insert(name.clone(), (time.unix_micros, record.seq)) {
                    Some((before, seq)) if before >= time.unix_micros => {
                        let text = format!("a sample of {name} is not later than the one before");
                        self.increasing.violated(text, vec![seq, record.seq], judge);
                    }
                    _ => self.increasing.met(record.seq),
                }
            }
        }
    }
}

/// More monitoringData than this at once is a storm.
const BACKLOG: usize = 5;
