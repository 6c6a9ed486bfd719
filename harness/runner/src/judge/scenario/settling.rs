//! How a step that waits ends: with what it waited for, too early, at the edge of its window, or without.

use super::{ScenarioJudge, Settled, Waiting};
use crate::judge::watch::{Answer, Watch};
use hil_scenario::NOTHING;
use hil_trace::{Catalogue, Event, Finding, StepOutcome, Verdict};
use serde_json::Value;
use std::rc::Rc;

impl ScenarioJudge {
    pub(super) fn settle(
        &mut self,
        branch: usize,
        answer: Answer,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let Some((name, watch)) = waiting.branches.get(branch) else {
            return;
        };
        let step = waiting.step.clone();
        let all = waiting.describe();
        let outcome = match answer {
            Answer::Open => return,
            Answer::Met(events) => {
                self.meet(&step, name.as_deref(), watch, &events, catalogue, findings);
                StepOutcome::Done
            }
            Answer::Early(event, after) => {
                let early = after.since(event.at).as_secs_f64();
                let text = format!(
                    "{all} came {early:.3} s too early, at {} instead of {after}",
                    event.at
                );
                self.violate(&step, &watch.verifies, text, event.records, catalogue, findings);
                StepOutcome::Unmet
            }
            Answer::NotHeld(event) => {
                let text = format!("another {all} came at {}, while none should", event.at);
                self.violate(&step, &watch.verifies, text, event.records, catalogue, findings);
                StepOutcome::Unmet
            }
            Answer::Marginal(event) => {
                let text = format!(
                    "{all} came at {}, within {:.3} s of its bound, which is the tolerance of the clock",
                    event.at,
                    self.tolerance_us as f64 / 1e6
                );
                self.undecided(&step, &watch.verifies, text, event.records, catalogue, findings);
                StepOutcome::Unmet
            }
            Answer::Missing => {
                self.miss(&step, &waiting, &all, catalogue, findings);
                StepOutcome::Unmet
            }
        };
        self.settled = Some(Settled {
            step,
            outcome,
            branch,
        });
    }

    fn meet(
        &mut self,
        step: &str,
        name: Option<&str>,
        watch: &Watch,
        events: &[Event],
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let evidence: Vec<u64> = events.iter().flat_map(|event| event.records.clone()).collect();
        for event in events {
            self.used.push((
                event.records.last().copied().unwrap_or_default(),
                event.full_name(),
            ));
        }
        if let Some(event) = events.last() {
            self.proof.push(event.records.last().copied().unwrap_or_default());
            if let Some(name) = name {
                let record = event.records.last().copied().unwrap_or_default();
                self.values
                    .insert(name.to_owned(), Value::Object(event.fields.clone()));
                self.moments.insert(name.to_owned(), (event.at, record));
            }
        }
        let text = format!("{} came as it should", watch.describe());
        self.show(step, watch.decided(), &text, &evidence, catalogue, findings);
    }

    fn miss(
        &mut self,
        step: &str,
        waiting: &Waiting,
        all: &str,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let names: Vec<&str> = waiting
            .branches
            .iter()
            .map(|(_, watch)| watch.event.as_str())
            .collect();
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
        let verifies = waiting
            .branches
            .first()
            .map(|(_, watch)| watch.verifies.clone())
            .unwrap_or_default();
        let named = waiting
            .branches
            .iter()
            .find_map(|(_, watch)| watch.stimulus.clone());
        let excuse = self.excuse(named.as_deref());
        let stimulus_missing = named
            .as_ref()
            .is_some_and(|name| !self.moments.contains_key(name));
        let lab = names.iter().all(|name| LAB_EVENTS.contains(name));
        let told_by_lab = names.iter().all(|name| *name == PROBED) && verifies == [NOTHING];
        if let Some(cut) = self.dark.filter(|_| !lab) {
            let text = format!("{text}; but the unit had no power then");
            evidence.push(cut);
            self.undecided(step, &verifies, text, evidence, catalogue, findings);
        } else if told_by_lab {
            let text =
                format!("{text}; it decides nothing, and shows that the lab did not do what was asked of it");
            self.undecided(step, &verifies, text, evidence, catalogue, findings);
        } else if stimulus_missing || lab {
            let what = match named.filter(|_| stimulus_missing) {
                Some(named) => self.fault_of(&named).unwrap_or(named),
                None => "it is for the lab to bring about".to_owned(),
            };
            let text = format!("{text}; but its stimulus never happened ({what})");
            self.undecided(step, &verifies, text, evidence, catalogue, findings);
        } else if let Some(excuse) = excuse {
            let text = format!("{text}; but {excuse}");
            self.undecided(step, &verifies, text, evidence, catalogue, findings);
        } else {
            self.state_all(
                Verdict::Fail,
                step,
                &verifies,
                &text,
                &evidence,
                catalogue,
                findings,
            );
        }
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
/// What a probe says: where that decides nothing it is the lab's word on what the lab did.
const PROBED: &str = "unit.probed";
const EVIDENCE_LIMIT: usize = 8;
const TEXT_LIMIT: usize = 200;
