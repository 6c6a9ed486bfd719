//! Faults a run adds to its scenarios: one line such as `cloud.status: {on: poll, status: 503}, when: 30s`.

use crate::{Plan, Step, Template, Verb, Vocabulary, When, load};
use hil_diagnostic::{Diagnostics, Source};
use hil_wire::Protocol;
use std::sync::Arc;

/// A fault that is none of a scenario's own.
#[derive(Clone, Debug)]
pub struct ExtraFault {
    text: String,
    name: String,
    with: Template,
    when: When,
    needs: Vec<String>,
}

impl ExtraFault {
    /// Reads a fault in the words of a protocol: `NAME`, or `NAME: {ARGUMENTS}`, either with `, when: …` as in an
    /// `inject` step.
    pub fn parse(text: &str, vocabulary: &Vocabulary, protocol: Protocol) -> Result<ExtraFault, Diagnostics> {
        ExtraFault::read(text, vocabulary, Some(protocol))
    }

    /// The same for faults on connections where no protocol is known.
    pub fn on_connections(text: &str, vocabulary: &Vocabulary) -> Result<ExtraFault, Diagnostics> {
        ExtraFault::read(text, vocabulary, None)
    }

    fn read(
        text: &str,
        vocabulary: &Vocabulary,
        protocol: Option<Protocol>,
    ) -> Result<ExtraFault, Diagnostics> {
        let line = text.trim();
        let line = line
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or(line);
        let source = Source::new("--fault", format!("{{{line}}}"));
        let read = load::extra_fault(source, vocabulary, protocol)?;
        Ok(ExtraFault {
            text: text.to_owned(),
            name: read.name,
            with: read.with,
            when: read.when,
            needs: read.needs,
        })
    }

    /// Its name, its arguments and its trigger.
    pub fn parts(&self) -> (&str, &Template, &When) {
        (&self.name, &self.with, &self.when)
    }

    fn step(&self, place: String) -> Step {
        Step {
            place,
            line: 1,
            column: 1,
            name: None,
            verifies: Vec::new(),
            verb: Verb::Inject {
                fault: self.name.clone(),
                with: self.with.clone(),
                when: self.when.clone(),
            },
        }
    }
}

impl Plan {
    /// The same scenario, with a fault injected before its first step.
    #[must_use]
    pub fn with_extra_fault(&self, fault: &ExtraFault) -> Plan {
        let mut plan = self.clone();
        let place = format!("{EXTRA_FAULT}{}", plan.extra_faults.len() + 1);
        plan.steps.insert(plan.extra_faults.len(), fault.step(place));
        plan.extra_faults.push(fault.text.clone());
        plan.needs.extend(fault.needs.clone());
        plan.needs.sort();
        plan.needs.dedup();
        plan
    }

    /// The same scenario with those faults its protocol has words for; nothing if it has none.
    pub fn disturbed(self: &Arc<Plan>, faults: &[(Protocol, ExtraFault)]) -> Option<Arc<Plan>> {
        let own = faults.iter().filter(|(protocol, _)| *protocol == self.protocol);
        let plan = own.fold(Plan::clone(self), |plan, (_, fault)| plan.with_extra_fault(fault));
        (!plan.extra_faults.is_empty()).then(|| Arc::new(plan))
    }
}

/// Places of `inject` steps that a run adds to its scenarios begin so.
pub const EXTRA_FAULT: &str = "fault ";
