//! When polls come (POLL-INTERVAL).

use crate::{Judge, Monitor, Tally, patience::Patience, single::SingleRequest};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, TraceHeader, Who};
use std::time::Duration;

/// Follows polls and what they were answered.
pub(super) struct IntervalMonitor {
    interval: Duration,
    slack: Duration,
    quiet: Vec<(Stamp, u64)>,
    /// When power came back, until the poll that follows.
    powered: Option<Stamp>,
    /// How long after power came back polls began, and their records.
    first: Vec<(Duration, u64)>,
    patience: Patience,
    steady: Tally,
    varied: Tally,
    single: SingleRequest,
    patient: Tally,
}

impl IntervalMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        let interval = header.timing_seconds("poll_interval").unwrap_or(30.0);
        IntervalMonitor {
            interval: Duration::from_secs_f64(interval),
            slack: Duration::from_micros(header.tolerances.stamp_us),
            quiet: Vec::new(),
            powered: None,
            first: Vec::new(),
            patience: Patience::new(header),
            steady: Tally::new("POLL-INTERVAL-001"),
            varied: Tally::new("POLL-INTERVAL-002"),
            single: SingleRequest::new(
                "POLL-INTERVAL-007",
                "a poll was sent while another one was in flight",
            ),
            patient: Tally::new("POLL-INTERVAL-005"),
        }
    }
}

impl Monitor for IntervalMonitor {
    fn name(&self) -> &'static str {
        "edge-poll/interval"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "POLL-INTERVAL-001",
            "POLL-INTERVAL-002",
            "POLL-INTERVAL-005",
            "POLL-INTERVAL-007",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        if let RecordBody::HttpRequest {
            from: Party::Unit,
            face,
            ..
        } = &record.what
            && face == "edge-api"
        {
            self.patience.check("a request", record, &mut self.patient, judge);
        }
        self.single.observe(record, judge);
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "poll") => {
                    self.single.began(record);
                    if let Some(powered) = self.powered.take() {
                        self.first.push((record.at.since(powered), record.seq));
                    }
                    self.quiet.push((record.at, record.seq));
                    if self.quiet.len() > WINDOW {
                        self.check_rhythm(judge);
                        self.quiet.drain(..WINDOW);
                    }
                }
                (Who::Cloud, "commands") => {
                    let number = |name: &str| event.field(name).and_then(|value| value.as_u64());
                    let no_work = match number("http_status") {
                        Some(200) => number("count") == Some(0),
                        status => matches!(status, Some(204 | 304)),
                    };
                    let idle = no_work && event.field("interval").is_none();
                    if !idle {
                        self.quiet.clear();
                    }
                    self.patience.learn(event, record);
                }
                (Who::Cloud, "ack_answer" | "report_answer" | "latest_answer") => {
                    self.patience.learn(event, record);
                }
                (Who::Unit, "console") | (Who::Fault, "cleared") => {}
                // Anything else that happens means that the unit is not idle.
                (who, name) => {
                    self.quiet.clear();
                    if (who, name) == (Who::Unit, "power_restored") {
                        self.powered = Some(event.at);
                    }
                    if who == Who::Unit && ["booted", "power_cut", "stopped"].contains(&name) {
                        self.patience.forget();
                    }
                }
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.check_power_ups(judge);
        self.steady.close(judge);
        self.varied.close(judge);
        self.single.close(judge);
        self.patient.close(judge);
    }
}

impl IntervalMonitor {
    /// Units that are powered up together should not poll together. One unit that always begins after the same time may
    /// be another's neighbour that begins after another.
    fn check_power_ups(&mut self, judge: &mut Judge<'_>) {
        if self.first.len() < POWER_UPS {
            return;
        }
        let evidence: Vec<u64> = self.first.iter().map(|(_, seq)| *seq).collect();
        let times = self.first.iter().map(|(after, _)| *after);
        let spread = times.clone().max().unwrap_or_default() - times.min().unwrap_or_default();
        if spread > TOGETHER + self.slack {
            self.varied.met(evidence[0]);
        } else {
            let text = format!(
                "after {} power-ups first polls came within {:.3} s; whether those of other units come at the same time, one unit \
                 does not show",
                self.first.len(),
                spread.as_secs_f64()
            );
            judge.inconclusive("POLL-INTERVAL-002", text, evidence);
        }
    }

    fn check_rhythm(&mut self, judge: &mut Judge<'_>) {
        let gaps: Vec<f64> = self
            .quiet
            .windows(2)
            .map(|pair| pair[1].0.since(pair[0].0).as_secs_f64())
            .collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let expected = self.interval.as_secs_f64();
        let tolerance = (expected * 0.1).max(LEAST_TOLERANCE) + self.slack.as_secs_f64();
        let evidence: Vec<u64> = self.quiet.iter().map(|(_, seq)| *seq).collect();
        let last = evidence.last().copied().unwrap_or_default();
        if (mean - expected).abs() <= tolerance {
            self.steady.met(last);
        } else {
            let text =
                format!("{WINDOW} idle intervals are {mean:.3} s long on average instead of {expected:.3} s");
            self.steady.violated(text, evidence.clone(), judge);
        }
        let spread = gaps
            .iter()
            .fold(0.0_f64, |spread, gap| spread.max((gap - mean).abs()));
        if spread > self.slack.as_secs_f64() {
            self.varied.met(last);
        } else {
            self.varied.violated(
                format!("{WINDOW} idle intervals are all {mean:.3} s long"),
                evidence,
                judge,
            );
        }
    }
}

const WINDOW: usize = 20;
/// So many first polls are compared, and should lie further apart than this.
const POWER_UPS: usize = 5;
const TOGETHER: Duration = Duration::from_millis(100);
/// Seconds a mean may be off where a tenth of the interval is less: what a busy machine adds to each poll.
const LEAST_TOLERANCE: f64 = 0.25;
