//! Faults of the scenario: which were armed, and when the first effect came.

use super::{Effect, Fault, ScenarioJudge};
use crate::sweep::POINT;
use hil_scenario::EXTRA_FAULT;
use hil_trace::{FaultPhase, Record};
use serde_json::{Map, Value};

impl ScenarioJudge {
    pub(super) fn fault(
        &mut self,
        record: &Record,
        id: u32,
        name: &str,
        phase: FaultPhase,
        facts: &Map<String, Value>,
    ) {
        match phase {
            FaultPhase::Armed => {
                let injecting = self.injecting.take();
                let fault = Fault {
                    step: None,
                    name: name.to_owned(),
                    armed: record.seq,
                    acted: None,
                    extra: injecting.is_some_and(|step| step.starts_with(EXTRA_FAULT)),
                };
                self.faults.insert(id, fault);
            }
            FaultPhase::Acted => {
                if let Some(fault) = self.faults.get_mut(&id)
                    && fault.acted.is_none()
                {
                    fault.acted = Some(Effect {
                        at: record.at,
                        record: record.seq,
                        facts: facts.clone(),
                    });
                    self.tell_fault(id);
                }
            }
            FaultPhase::Cleared => {}
        }
    }

    /// The step of a fault has a name.
    pub(super) fn name_fault(&mut self, id: u32, name: &str) {
        if let Some(fault) = self.faults.get_mut(&id) {
            fault.step = Some(name.to_owned());
            self.tell_fault(id);
        }
    }

    /// The moment of an injected fault is its first effect, not its arming.
    fn tell_fault(&mut self, id: u32) {
        if let Some(fault) = self.faults.get(&id)
            && let (Some(step), Some(effect)) = (&fault.step, &fault.acted)
        {
            self.values
                .insert(step.clone(), Value::Object(effect.facts.clone()));
            self.moments.insert(step.clone(), (effect.at, effect.record));
        }
    }

    /// The fault a step injected.
    pub(super) fn fault_of(&self, step: &str) -> Option<String> {
        let named = |fault: &&Fault| fault.step.as_deref() == Some(step);
        self.faults.values().find(named).map(|fault| fault.name.clone())
    }

    /// Why a step that was not met shows nothing of the unit: a fault of the scenario that has not acted, one from
    /// outside that has, or the cut of a sweep that came after what it cuts. A step that names the fault it needs, and
    /// that has acted, needs no other.
    pub(super) fn excuse(&self, stimulus: Option<&str>) -> Option<String> {
        let needs_no_other = stimulus.is_some_and(|name| {
            let mut faults = self.faults.values();
            faults.any(|fault| fault.step.as_deref() == Some(name) && fault.acted.is_some())
        });
        let idle = self.fault_names(|fault| !fault.extra && fault.acted.is_none());
        let idle = idle.filter(|_| !needs_no_other);
        let idle = idle.map(|names| format!("its stimulus never happened ({names})"));
        idle.or_else(|| {
            let extra = self.fault_names(|fault| fault.extra && fault.acted.is_some());
            extra.map(|names| format!("a fault that is none of the scenario's own had acted ({names})"))
        })
        .or_else(|| self.cut_too_late())
    }

    /// In real time a unit may write less before the end of a sweep than it did in the run without a cut.
    fn cut_too_late(&self) -> Option<String> {
        let to = self.swept_to.as_ref()?;
        let (end, _) = self.moments.get(to)?;
        let cuts = self.faults.values().filter_map(|fault| fault.acted.as_ref());
        let mut cuts = cuts.filter(|cut| cut.facts.contains_key(POINT));
        cuts.any(|cut| cut.at > *end)
            .then(|| format!("power was cut after `{to}`, where the sweep ends"))
    }

    fn fault_names(&self, wanted: impl Fn(&&Fault) -> bool) -> Option<String> {
        let faults = self.faults.values().filter(wanted);
        let names: Vec<&str> = faults.map(|fault| fault.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
