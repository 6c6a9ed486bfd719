//! What a monitor is, and where it states its findings.

use hil_trace::{Blame, Catalogue, Event, Finding, HowClosed, Record, Stamp, Verdict};

/// A passive oracle for one concern.
pub trait Monitor {
    /// Its name, such as `edge-poll/ack`.
    fn name(&self) -> &'static str;

    /// The requirements it judges, each once, in order: it states findings about no other.
    fn requirements(&self) -> &'static [&'static str];

    /// Takes in a record and the events read from it.
    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>);

    /// The earliest open deadline.
    fn next_deadline(&self) -> Option<Stamp> {
        None
    }

    /// Lets every deadline at or before `now` pass.
    fn expire(&mut self, now: Stamp, judge: &mut Judge<'_>) {
        let _ = (now, judge);
    }

    /// The trace ends.
    fn close(&mut self, at: Stamp, how: HowClosed, judge: &mut Judge<'_>);
}

/// Collects findings.
pub struct Judge<'a> {
    catalogue: &'a Catalogue,
    monitor: &'static str,
    requirements: &'static [&'static str],
    findings: &'a mut Vec<Finding>,
}

impl<'a> Judge<'a> {
    /// A judge for one monitor.
    pub fn new(catalogue: &'a Catalogue, monitor: &dyn Monitor, findings: &'a mut Vec<Finding>) -> Self {
        Judge {
            catalogue,
            monitor: monitor.name(),
            requirements: monitor.requirements(),
            findings,
        }
    }

    /// The unit met a requirement.
    pub fn pass(&mut self, requirement: &str, text: impl Into<String>, evidence: Vec<u64>) {
        self.state(requirement, Verdict::Pass, text.into(), evidence, Blame::Unit);
    }

    /// The unit violated a requirement.
    pub fn fail(&mut self, requirement: &str, text: impl Into<String>, evidence: Vec<u64>) {
        self.state(requirement, Verdict::Fail, text.into(), evidence, Blame::Unit);
    }

    /// The evidence does not decide about a requirement.
    pub fn inconclusive(&mut self, requirement: &str, text: impl Into<String>, evidence: Vec<u64>) {
        self.state(
            requirement,
            Verdict::Inconclusive,
            text.into(),
            evidence,
            Blame::Harness,
        );
    }

    fn state(&mut self, requirement: &str, verdict: Verdict, text: String, evidence: Vec<u64>, blame: Blame) {
        debug_assert!(
            self.requirements.contains(&requirement),
            "{} does not say that it judges {requirement}",
            self.monitor
        );
        self.findings.push(Finding {
            requirement: Some(requirement.to_owned()),
            level: self.catalogue.level(requirement),
            verdict,
            text,
            evidence,
            blame,
            step: None,
            monitor: self.monitor.to_owned(),
        });
    }
}
