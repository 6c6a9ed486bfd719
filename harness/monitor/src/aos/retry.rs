//! How a unit goes on trying while nothing lets it in (DISC-015, CONN-006). Discovery and the upgrade that follows are
//! one attempt (reference section 4.3).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, TraceHeader, Who};
use serde_json::Value;
use std::time::Duration;

/// Follows attempts in a row that all fail.
pub(super) struct RetryMonitor {
    slack: Duration,
    attempts: Vec<(Stamp, u64)>,
    discoveries: Vec<(Stamp, u64)>,
    /// The last answer let the unit go on with its attempt.
    going_on: bool,
    /// With several URLs the next one may be tried at once.
    one_url: bool,
    apart: Tally,
    rarer: Tally,
}

impl RetryMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        RetryMonitor {
            slack: Duration::from_micros(header.tolerances.stamp_us),
            attempts: Vec::new(),
            discoveries: Vec::new(),
            going_on: false,
            one_url: true,
            apart: Tally::new("AOS7-DISC-015"),
            rarer: Tally::new("AOS7-CONN-006"),
        }
    }
}

impl Monitor for RetryMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/retry"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["AOS7-CONN-006", "AOS7-DISC-015"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            let status = event.field("http_status").and_then(Value::as_u64);
            match (event.who, event.name.as_str()) {
                (Who::Unit, "discovery") => {
                    self.attempt(record);
                    self.discovery(record, judge);
                }
                (Who::Unit, "upgrade") if !self.going_on => self.attempt(record),
                (Who::Cloud, "discovery_answer") => {
                    let urls = event.field("connectionInfo").and_then(Value::as_array);
                    let urls = urls.map_or(0, Vec::len);
                    self.going_on = status == Some(200) && urls > 0;
                    self.one_url = urls <= 1;
                }
                (Who::Cloud, "upgrade_answer") => {
                    self.going_on = false;
                    // Without a token that counts the unit has to ask for another at once.
                    if status == Some(401) {
                        self.end(judge);
                    }
                }
                (
                    Who::Unit,
                    "connected" | "disconnected" | "tls_refused" | "power_cut" | "rebooted" | "stopped"
                    | "exited" | "started" | "booted",
                )
                | (Who::Cloud, "stopped" | "started" | "tls_presented") => self.end(judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.end(judge);
        self.apart.close(judge);
        self.rarer.close(judge);
    }
}

impl RetryMonitor {
    fn attempt(&mut self, record: &Record) {
        self.attempts.push((record.at, record.seq));
    }

    fn discovery(&mut self, record: &Record, judge: &mut Judge<'_>) {
        if let Some((before, seq)) = self.discoveries.last() {
            let gap = record.at.since(*before);
            if gap + self.slack < LEAST_GAP {
                let text = format!("service discovery again after {:.3} s", gap.as_secs_f64());
                self.apart.violated(text, vec![*seq, record.seq], judge);
            } else {
                self.apart.met(record.seq);
            }
        }
        self.discoveries.push((record.at, record.seq));
    }

    /// The row of failures is over: its first gaps, of which no unit starts anew, show whether they grow.
    fn end(&mut self, judge: &mut Judge<'_>) {
        let attempts = std::mem::take(&mut self.attempts);
        self.discoveries.clear();
        self.going_on = false;
        let gaps: Vec<Duration> = attempts
            .windows(2)
            .take(JUDGED_GAPS)
            .map(|pair| pair[1].0.since(pair[0].0))
            .collect();
        let (Some(first), true, true) = (gaps.first(), gaps.len() == JUDGED_GAPS, self.one_url) else {
            return;
        };
        let longest = gaps.iter().max().copied().unwrap_or_default();
        if *first >= LONG_ENOUGH {
            return;
        }
        if longest > *first + *first / 4 + self.slack {
            self.rarer.met(attempts[0].1);
        } else {
            let seconds: Vec<String> = gaps
                .iter()
                .map(|gap| format!("{:.3} s", gap.as_secs_f64()))
                .collect();
            let text = format!("attempts to connect come {} apart", seconds.join(", "));
            let evidence = attempts.iter().take(JUDGED_GAPS + 1).map(|(_, seq)| *seq);
            self.rarer.violated(text, evidence.collect(), judge);
        }
    }
}

/// Failing attempts shall not be closer than this.
const LEAST_GAP: Duration = Duration::from_millis(500);
/// Units of version 9.1.1 begin anew after five attempts.
const JUDGED_GAPS: usize = 4;
/// A unit that begins with this need not wait longer.
const LONG_ENOUGH: Duration = Duration::from_secs(60);
