//! Requests of the cloud and the messages that answer them (LOG, STATE, ENVVAR, CERT, PROV).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// Waits for an answer to each request, as long as the connection lasts.
pub(super) struct AnswerMonitor {
    open: Vec<Open>,
    tallies: Vec<(&'static str, Tally)>,
    status_correlation: Tally,
    log_correlation: Tally,
    asked_logs: Vec<String>,
    /// Correlation ids of all overrideEnvVars; a late status may answer one of another connection.
    asked_variables: BTreeSet<String>,
    /// The unit ran before the trace began: it may answer requests nobody here knows.
    ran_before: bool,
}

struct Open {
    rule: &'static Rule,
    key: Value,
    at: Stamp,
    record: u64,
    txn: String,
}

/// Which message answers which, and what they have in common.
struct Rule {
    requirement: &'static str,
    request: &'static str,
    answer: &'static str,
    /// Members both have: name in the request, name in the answer.
    same: &'static [(&'static str, &'static str)],
}

impl Default for AnswerMonitor {
    fn default() -> Self {
        AnswerMonitor {
            open: Vec::new(),
            tallies: RULES
                .iter()
                .map(|rule| (rule.requirement, Tally::new(rule.requirement)))
                .collect(),
            status_correlation: Tally::new("AOS7-ENVVAR-005"),
            log_correlation: Tally::new("AOS7-LOG-002"),
            asked_logs: Vec::new(),
            asked_variables: BTreeSet::new(),
            ran_before: false,
        }
    }
}

impl Monitor for AnswerMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/answer"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-CERT-001",
            "AOS7-CERT-003",
            "AOS7-ENVVAR-001",
            "AOS7-ENVVAR-005",
            "AOS7-LOG-001",
            "AOS7-LOG-002",
            "AOS7-PROV-001",
            "AOS7-PROV-003",
            "AOS7-PROV-004",
            "AOS7-STATE-001",
            "AOS7-STATE-002",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            if event.full_name() == "unit.started" {
                self.ran_before = event.field("remote") == Some(&Value::Bool(true));
            }
            match (event.who, event.name.as_str()) {
                (
                    Who::Unit,
                    "disconnected" | "power_cut" | "rebooted" | "stopped" | "exited" | "started" | "close",
                )
                | (Who::Cloud, "stopped" | "close") => self.open.clear(),
                // A request of which no ack came was perhaps not understood; that is another requirement's matter.
                (Who::Unit, "ack") => {}
                (Who::Cloud, name) => self.request(name, event, record),
                (Who::Unit, name) => self.answer(name, event, record, judge),
                _ => {}
            }
        }
    }

    fn next_deadline(&self) -> Option<Stamp> {
        self.open.iter().map(|open| open.at + PATIENCE).min()
    }

    fn expire(&mut self, now: Stamp, judge: &mut Judge<'_>) {
        let (late, open): (Vec<Open>, Vec<Open>) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|open| open.at + PATIENCE <= now);
        self.open = open;
        for open in late {
            let text = format!(
                "no {} for {} (txn `{}`) within {} s",
                open.rule.answer,
                open.rule.request,
                open.txn,
                PATIENCE.as_secs()
            );
            self.tally(open.rule).violated(text, vec![open.record], judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for (_, tally) in &mut self.tallies {
            tally.close(judge);
        }
        self.status_correlation.close(judge);
        self.log_correlation.close(judge);
    }
}

impl AnswerMonitor {
    fn tally(&mut self, rule: &Rule) -> &mut Tally {
        let index = self.tallies.iter().position(|(id, _)| *id == rule.requirement);
        &mut self.tallies[index.unwrap_or_default()].1
    }

    fn request(&mut self, name: &str, event: &Event, record: &Record) {
        let Some(txn) = event.text("txn").filter(|_| event.field("copy").is_some()) else {
            return;
        };
        if name == "requestLog" {
            self.asked_logs
                .extend(event.text("correlationId").map(str::to_owned));
        }
        if name == "overrideEnvVars" {
            self.asked_variables
                .extend(event.text("correlationId").map(str::to_owned));
        }
        let empty = |member: &str| {
            let list = event.field(member).and_then(Value::as_array);
            list.is_some_and(Vec::is_empty)
        };
        let nobody = name == "requestLog"
            && event
                .field("filter")
                .and_then(|filter| filter.get("nodeIds"))
                .and_then(Value::as_array)
                .is_none_or(Vec::is_empty);
        // A duplicate asks for nothing new, an empty list for nothing at all.
        if event.field("copy").and_then(Value::as_u64) != Some(1) || empty("certificates") || nobody {
            return;
        }
        for rule in RULES.iter().filter(|rule| rule.request == name) {
            let key = key(event, rule.same.iter().map(|(request, _)| *request));
            self.open.push(Open {
                rule,
                key,
                at: record.at,
                record: record.seq,
                txn: txn.to_owned(),
            });
        }
    }

    fn answer(&mut self, name: &str, event: &Event, record: &Record, judge: &mut Judge<'_>) {
        if name == "pushLog" {
            let correlation = event.text("correlationId").unwrap_or_default();
            let known = self.asked_logs.iter().any(|asked| asked == correlation);
            let text = || format!("pushLog for `{correlation}`, which no requestLog named");
            if known || !self.ran_before {
                self.log_correlation.check(known, text, record.seq, judge);
            }
        }
        let index = self.open.iter().position(|open| {
            let names = open.rule.same.iter().map(|(_, answer)| *answer);
            open.rule.answer == name && open.key == key(event, names)
        });
        let Some(index) = index else {
            // An answer without its correlation id still answers the only request of its kind.
            let correlation = event.text("correlationId").unwrap_or_default();
            if name == "overrideEnvVarsStatus"
                && !self.ran_before
                && !self.asked_variables.contains(correlation)
                && let Some(index) = self.open.iter().position(|open| open.rule.answer == name)
            {
                let open = self.open.remove(index);
                let text = "the status does not repeat the correlationId of its request";
                self.status_correlation
                    .violated(text, vec![open.record, record.seq], judge);
                self.tally(open.rule).met(record.seq);
            }
            return;
        };
        let open = self.open.remove(index);
        if name == "overrideEnvVarsStatus" && open.key.get(0).is_some_and(|id| !id.is_null()) {
            self.status_correlation.met(record.seq);
        }
        self.tally(open.rule).met(record.seq);
    }
}

/// The members an answer must repeat; of identities only what names them.
fn key<'a>(event: &Event, names: impl Iterator<Item = &'a str>) -> Value {
    let value = |name: &str| match event.field(name) {
        Some(Value::Object(identity)) => {
            let name = identity.get("id").or_else(|| identity.get("codename"));
            name.cloned().unwrap_or_default()
        }
        Some(Value::String(text)) if name.to_ascii_lowercase().ends_with("checksum") => {
            Value::from(text.to_ascii_lowercase())
        }
        Some(other) => other.clone(),
        None => Value::Null,
    };
    names.map(value).collect()
}

const INSTANCE: &[(&str, &str)] = &[("item", "item"), ("subject", "subject"), ("instance", "instance")];
const NODE: &[(&str, &str)] = &[("correlationId", "correlationId"), ("node", "node")];
const RULES: &[Rule] = &[
    Rule {
        requirement: "AOS7-LOG-001",
        request: "requestLog",
        answer: "pushLog",
        same: &[("correlationId", "correlationId")],
    },
    Rule {
        requirement: "AOS7-STATE-001",
        request: "stateRequest",
        answer: "newState",
        same: INSTANCE,
    },
    Rule {
        requirement: "AOS7-STATE-002",
        request: "updateState",
        answer: "stateAcceptance",
        same: &[
            ("item", "item"),
            ("subject", "subject"),
            ("instance", "instance"),
            ("stateChecksum", "checksum"),
        ],
    },
    Rule {
        requirement: "AOS7-ENVVAR-001",
        request: "overrideEnvVars",
        answer: "overrideEnvVarsStatus",
        same: &[("correlationId", "correlationId")],
    },
    Rule {
        requirement: "AOS7-CERT-003",
        request: "issuedUnitCertificates",
        answer: "installUnitCertificatesConfirmation",
        same: &[],
    },
    Rule {
        requirement: "AOS7-CERT-001",
        request: "renewCertificatesNotification",
        answer: "issueUnitCertificates",
        same: &[],
    },
    Rule {
        requirement: "AOS7-PROV-001",
        request: "startProvisioningRequest",
        answer: "startProvisioningResponse",
        same: NODE,
    },
    Rule {
        requirement: "AOS7-PROV-003",
        request: "finishProvisioningRequest",
        answer: "finishProvisioningResponse",
        same: NODE,
    },
    Rule {
        requirement: "AOS7-PROV-004",
        request: "deprovisioningRequest",
        answer: "deprovisioningResponse",
        same: NODE,
    },
];

/// Longer than any unit should think.
const PATIENCE: Duration = Duration::from_secs(60);
