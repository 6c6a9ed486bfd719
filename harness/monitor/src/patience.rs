//! `Retry-After` (RFC 9110, section 10.2.3): when the next request may come.

use crate::{Judge, Tally};
use hil_trace::{Event, Record, Stamp, TraceHeader};
use hil_wire::timestamp::parse_http_date;
use serde_json::Value;
use std::time::Duration;

/// Remembers what one kind of answer asked of the next request.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    epoch_unix_us: i64,
    slack: Duration,
    /// A request this soon after the answer may have crossed it on another connection; none can on a virtual bench.
    crossing: Duration,
    asked: Option<Asked>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Stamp,
    until: Stamp,
    record: u64,
}

impl Patience {
    /// Nothing asked yet.
    pub(crate) fn new(header: &TraceHeader) -> Self {
        let slack = Duration::from_micros(header.tolerances.stamp_us);
        Patience {
            epoch_unix_us: header.epoch_unix_us,
            slack,
            crossing: if slack.is_zero() { slack } else { CROSSING },
            asked: None,
        }
    }

    /// Reads an answer: event fields `http_status` and `retry_after`, seconds or an HTTP date.
    pub(crate) fn learn(&mut self, answer: &Event, record: &Record) {
        let status = answer.field("http_status").and_then(Value::as_u64);
        if let (Some(429 | 503), Some(text)) = (status, answer.text("retry_after"))
            && let Some(until) = self.until(text.trim(), record.at)
        {
            self.asked = Some(Asked {
                at: record.at,
                until,
                record: record.seq,
            });
        }
    }

    /// Judges a request; `what` names it in a violation.
    pub(crate) fn check(&mut self, what: &str, record: &Record, tally: &mut Tally, judge: &mut Judge<'_>) {
        let Some(asked) = self.asked else {
            return;
        };
        if record.at + self.slack >= asked.until {
            self.asked = None;
            tally.met(record.seq);
        } else if record.at >= asked.at + self.crossing {
            self.asked = None;
            let early = asked.until.since(record.at).as_secs_f64();
            let text =
                format!("{what} came {early:.3} s before the Retry-After of the last answer had passed");
            tally.violated(text, vec![asked.record, record.seq], judge);
        }
    }

    /// The software that was told to wait is gone, and its wait with it.
    pub(crate) fn forget(&mut self) {
        self.asked = None;
    }

    fn until(&self, text: &str, told: Stamp) -> Option<Stamp> {
        if let Ok(seconds) = text.parse::<u64>() {
            return told.0.checked_add(seconds.checked_mul(1_000_000)?).map(Stamp);
        }
        let unix_us = parse_http_date(text)?.checked_mul(1000)?;
        u64::try_from(unix_us.checked_sub(self.epoch_unix_us)?)
            .ok()
            .map(Stamp)
    }
}

const CROSSING: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{monitors_for, testing::header};
    use hil_trace::{Catalogue, Finding, RecordBody, Verdict, Who};
    use hil_wire::Protocol;
    use serde_json::{Map, json};

    const REQUIREMENT: &str = "POLL-INTERVAL-005";
    /// 2026-01-01T00:00:00Z in microseconds.
    const NEW_YEAR_US: i64 = 1_767_225_600_000_000;

    fn record(milliseconds: u64) -> Record {
        Record {
            seq: milliseconds,
            at: Stamp(milliseconds * 1000),
            what: RecordBody::Cloud {
                name: "test".to_owned(),
                facts: Map::new(),
            },
        }
    }

    /// The verdict on requests at these milliseconds after an answer at 0 ms.
    fn verdicts(crossing: Duration, retry_after: &str, forget: bool, requests: &[u64]) -> Vec<Verdict> {
        let mut patience = Patience {
            epoch_unix_us: NEW_YEAR_US,
            slack: Duration::ZERO,
            crossing,
            asked: None,
        };
        let fields = json!({"http_status": 503, "retry_after": retry_after});
        let answer = Event {
            who: Who::Cloud,
            name: "answer".to_owned(),
            at: Stamp(0),
            records: vec![0],
            fields: fields.as_object().cloned().unwrap(),
        };
        patience.learn(&answer, &record(0));
        if forget {
            patience.forget();
        }
        let catalogue = Catalogue::default();
        let mut findings: Vec<Finding> = Vec::new();
        let monitors = monitors_for(&header(Protocol::EdgePoll));
        let monitor = monitors
            .iter()
            .find(|monitor| monitor.requirements().contains(&REQUIREMENT))
            .unwrap();
        let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
        let mut tally = Tally::new(REQUIREMENT);
        for milliseconds in requests {
            patience.check("a request", &record(*milliseconds), &mut tally, &mut judge);
        }
        tally.close(&mut judge);
        findings.into_iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn a_request_before_the_time_is_a_violation_and_one_after_it_is_none() {
        for retry_after in ["60", "Thu, 01 Jan 2026 00:01:00 GMT"] {
            assert_eq!(verdicts(CROSSING, retry_after, false, &[59_999]), [Verdict::Fail]);
            assert_eq!(
                verdicts(CROSSING, retry_after, false, &[60_000, 60_001]),
                [Verdict::Pass]
            );
        }
    }

    #[test]
    fn a_request_that_crossed_the_answer_proves_nothing() {
        assert_eq!(verdicts(CROSSING, "60", false, &[20]), []);
        assert_eq!(verdicts(CROSSING, "60", false, &[20, 60_000]), [Verdict::Pass]);
        assert_eq!(verdicts(CROSSING, "60", false, &[20, 300]), [Verdict::Fail]);
        assert_eq!(verdicts(Duration::ZERO, "60", false, &[20]), [Verdict::Fail]);
    }

    #[test]
    fn nonsense_asks_nothing_and_a_new_boot_knows_nothing() {
        for retry_after in ["", "soon", "-1", "99999999999999999999"] {
            assert_eq!(verdicts(CROSSING, retry_after, false, &[1000]), []);
        }
        assert_eq!(verdicts(CROSSING, "60", true, &[1000]), []);
    }
}
