//! Faults on connections change what the cloud sees of the unit, and what the unit sees of the cloud: what a monitor
//! concludes from bytes they may have changed, delayed or lost is not held against the unit.

use hil_trace::{Blame, FaultPhase, Finding, Record, RecordBody, Verdict};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which connections faults acted on, and when.
#[derive(Default)]
pub(super) struct Disturbed {
    /// The connection of each record; 0 = none.
    connections: Vec<u32>,
    /// The connection of each exchange.
    exchanges: BTreeMap<u32, u32>,
    /// The first fault that acted on a connection.
    struck: BTreeMap<u32, String>,
    /// Records of faults that acted on connections.
    acted: Vec<(u64, String)>,
}

impl Disturbed {
    /// Takes in the next record.
    pub(super) fn observe(&mut self, record: &Record) {
        let connection = match &record.what {
            RecordBody::Fault {
                name,
                phase: FaultPhase::Acted,
                facts,
                ..
            } if name.starts_with(FAMILY) => {
                let connection = facts.get("connection").and_then(Value::as_u64);
                if let Some(connection) = connection.and_then(|number| u32::try_from(number).ok()) {
                    self.struck.entry(connection).or_insert_with(|| name.clone());
                }
                self.acted.push((record.seq, name.clone()));
                0
            }
            RecordBody::HttpRequest {
                connection, exchange, ..
            } => {
                self.exchanges.insert(*exchange, *connection);
                *connection
            }
            RecordBody::HttpResponse { exchange, .. } | RecordBody::HttpUnanswered { exchange, .. } => {
                self.exchanges.get(exchange).copied().unwrap_or_default()
            }
            RecordBody::ConnectionOpened { connection, .. }
            | RecordBody::ConnectionClosed { connection, .. }
            | RecordBody::TlsEstablished { connection, .. }
            | RecordBody::TlsRefused { connection, .. }
            | RecordBody::WebSocketOpened { connection, .. }
            | RecordBody::WebSocketFrame { connection, .. }
            | RecordBody::Bytes { connection, .. } => *connection,
            _ => 0,
        };
        self.connections.push(connection);
    }

    /// Takes back accusations that rest on a connection a fault acted on, or on a time in which one acted.
    pub(super) fn excuse(&self, findings: &mut [Finding]) {
        if self.acted.is_empty() {
            return;
        }
        for finding in findings
            .iter_mut()
            .filter(|finding| finding.verdict == Verdict::Fail)
        {
            if let Some(fault) = self.behind(&finding.evidence) {
                finding.verdict = Verdict::Inconclusive;
                finding.blame = Blame::Harness;
                finding.text = format!("{}, while {fault} disturbed a connection", finding.text);
            }
        }
    }

    fn behind(&self, evidence: &[u64]) -> Option<&str> {
        let of_record = |seq: &u64| {
            let connection = usize::try_from(*seq)
                .ok()
                .and_then(|index| self.connections.get(index))?;
            self.struck.get(connection).map(String::as_str)
        };
        let since = evidence.iter().min()?;
        let meanwhile = || self.acted.iter().find(|(seq, _)| seq >= since);
        let struck = evidence.iter().find_map(of_record);
        struck.or_else(|| meanwhile().map(|(_, name)| name.as_str()))
    }
}

/// What the names of faults on connections begin with.
const FAMILY: &str = "net.";

#[cfg(test)]
mod tests {
    use super::*;
    use hil_trace::{Ending, Party, Stamp};
    use serde_json::{Map, json};

    fn judged(records: Vec<RecordBody>, evidence: Vec<u64>) -> Verdict {
        let mut disturbed = Disturbed::default();
        for (seq, what) in (0..).zip(records) {
            let at = Stamp::ZERO;
            disturbed.observe(&Record { seq, at, what });
        }
        let mut findings = [Finding {
            requirement: None,
            level: hil_trace::Level::Must,
            verdict: Verdict::Fail,
            text: String::new(),
            evidence,
            blame: Blame::Unit,
            step: None,
            monitor: String::new(),
        }];
        disturbed.excuse(&mut findings);
        findings[0].verdict
    }

    fn closed(connection: u32) -> RecordBody {
        RecordBody::ConnectionClosed {
            connection,
            ending: Ending::Fin,
            by: Party::Unit,
        }
    }

    fn acted(name: &str, connection: u32) -> RecordBody {
        RecordBody::Fault {
            id: 1,
            name: name.to_owned(),
            phase: FaultPhase::Acted,
            facts: Map::from_iter([("connection".to_owned(), json!(connection))]),
        }
    }

    #[test]
    fn nothing_rests_on_what_a_fault_may_have_changed() {
        let trace = || vec![closed(1), acted("net.stall", 2), closed(2), closed(3)];
        assert_eq!(judged(trace(), vec![2]), Verdict::Inconclusive);
        assert_eq!(
            judged(trace(), vec![0, 3]),
            Verdict::Inconclusive,
            "it acted in between"
        );
        assert_eq!(judged(trace(), vec![3]), Verdict::Fail);
        assert_eq!(
            judged(vec![closed(1), acted("cloud.nack", 1), closed(1)], vec![2]),
            Verdict::Fail
        );
    }
}
