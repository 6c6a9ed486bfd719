//! A step whose time is over without what it waited for: what is told of that, and whether it says anything of the unit.

use super::{ScenarioJudge, Waiting};
use hil_scenario::NOTHING;
use hil_trace::{Catalogue, Event, Finding, Verdict};
use serde_json::Value;
use std::rc::Rc;

impl ScenarioJudge {
    /// What a step waited for did not come; `all` names it.
    pub(super) fn miss(
        &mut self,
        step: &str,
        waiting: &Waiting,
        all: &str,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let (mut text, mut evidence) = self.told_of(waiting, all);
        let first = waiting.branches.first();
        let verifies = first.map(|(_, watch)| watch.verifies.clone()).unwrap_or_default();
        let verdict = match self.shows_nothing(waiting, &verifies, &mut evidence) {
            Some(why) => {
                text = format!("{text}; {why}");
                Verdict::Inconclusive
            }
            None => Verdict::Fail,
        };
        self.state_all(verdict, step, &verifies, &text, &evidence, catalogue, findings);
    }

    /// What came instead, in words and records.
    fn told_of(&self, waiting: &Waiting, all: &str) -> (String, Vec<u64>) {
        let names = waiting.names();
        let others: Vec<&Rc<Event>> = self
            .recent
            .iter()
            .filter(|event| names.contains(&event.full_name().as_str()))
            .collect();
        let mut evidence: Vec<u64> = others
            .iter()
            .filter_map(|event| event.records.last().copied())
            .collect();
        let skipped = evidence.len().saturating_sub(EVIDENCE_LIMIT);
        evidence.drain(..skipped);
        let before = waiting
            .branches
            .iter()
            .filter_map(|(_, watch)| watch.before)
            .max();
        let until = before.map_or_else(String::new, |before| format!(" until {before}"));
        let mut text = format!("{all} did not come{until}");
        if let Some((seen, times)) = waiting.branches.iter().find_map(|(_, watch)| watch.progress()) {
            text = format!("{text}; {seen} of {times} came");
        }
        if let Some(last) = others.last() {
            let fields = Value::Object(last.fields.clone());
            text = format!(
                "{text}; the last {} was {}",
                last.full_name(),
                shorten(&fields.to_string())
            );
        }
        if names.contains(&"unit.reply")
            && let Some(reason) = self.unanswered(&mut evidence)
        {
            text = format!("{text}; the last call was not answered: {reason}");
        }
        if let Some((exit, how)) = &self.exited {
            text = format!("{text}; the unit's process had ended by itself {how}");
            evidence.push(*exit);
        }
        (text, evidence)
    }

    /// Why that shows nothing of the unit; none if it does.
    fn shows_nothing(
        &self,
        waiting: &Waiting,
        verifies: &[String],
        evidence: &mut Vec<u64>,
    ) -> Option<String> {
        let names = waiting.names();
        let mut named = waiting.branches.iter().map(|(_, watch)| watch.stimulus.as_ref());
        let stimulus = named.find_map(|stimulus| stimulus);
        let lab = names.iter().all(|name| LAB_EVENTS.contains(name));
        if let Some(cut) = self.dark.filter(|_| !lab) {
            evidence.push(cut);
            return Some("but the unit had no power then".to_owned());
        }
        if verifies == [NOTHING]
            && let Some((_, why)) = DECIDE_NOTHING
                .iter()
                .find(|(event, _)| names.iter().all(|name| name == event))
        {
            return Some((*why).to_owned());
        }
        if let Some(name) = stimulus.filter(|name| !self.moments.contains_key(*name)) {
            let what = self.fault_of(name).unwrap_or_else(|| name.clone());
            return Some(format!("but its stimulus never happened ({what})"));
        }
        if lab {
            return Some("but its stimulus never happened (it is for the lab to bring about)".to_owned());
        }
        let excuse = self.excuse(stimulus.map(String::as_str));
        excuse.map(|excuse| format!("but {excuse}"))
    }

    /// Why the call after the last reply stayed without an answer, as far as is known.
    fn unanswered(&self, evidence: &mut Vec<u64>) -> Option<String> {
        let ends = ["unit.reply", "cloud.unanswered"];
        let mut recent = self.recent.iter().rev();
        let event = recent.find(|event| ends.contains(&event.full_name().as_str()))?;
        let reason = event.fields.get("reason")?.as_str()?.to_owned();
        evidence.extend(event.records.last());
        Some(reason)
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What the lab does to a unit: that it did not come is no fault of the unit.
const LAB_EVENTS: [&str; 2] = ["unit.power_cut", "unit.power_restored"];
/// What shows nothing of the unit by not coming, where it decides nothing: what a probe says is the lab's word on what the
/// lab did, a unit that knows its certificate to be bad need not try it, and what is not on a bus cannot be asked there.
const DECIDE_NOTHING: [(&str, &str); 5] = [
    (
        "unit.probed",
        "it decides nothing, and shows that the lab did not do what was asked of it",
    ),
    (
        "unit.tls_refused",
        "it decides nothing: the unit did not try what would have been refused",
    ),
    (
        "unit.packet",
        "it decides nothing: a unit that asks for no address shows nothing to a tap",
    ),
    (
        "unit.name_asked",
        "it decides nothing: a unit that asks the lab for no name has its names from elsewhere",
    ),
    (
        "unit.bus_name",
        "it decides nothing: a unit that is not on the bus cannot be judged there",
    ),
];
const EVIDENCE_LIMIT: usize = 8;
const TEXT_LIMIT: usize = 200;
