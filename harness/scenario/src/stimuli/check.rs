//! Whether each stimulus of the catalogue is provoked by the scenarios it names: they exist, verify the requirement, and
//! use a word that does what an F-name says.

use super::{code::Code, read::read_stimulus};
use crate::Plan;
use hil_diagnostic::{Collector, Diagnostics, Entry, Node, Source, parse_yaml};
use hil_wire::Protocol;
use std::{collections::BTreeMap, sync::Arc};

/// The embedded catalogue against these scenarios.
pub fn check_embedded_stimuli(plans: &[Arc<Plan>]) -> Diagnostics {
    check_stimuli(crate::embedded::requirements(), plans)
}

/// The stimuli in requirement files, each a path and a text, against scenarios. The files' other mistakes are
/// [`crate::read_catalogue`]'s.
pub fn check_stimuli(files: impl IntoIterator<Item = (String, String)>, plans: &[Arc<Plan>]) -> Diagnostics {
    let plans: BTreeMap<&str, &Plan> = plans
        .iter()
        .map(|plan| (plan.path.as_str(), plan.as_ref()))
        .collect();
    let mut diagnostics = Diagnostics::default();
    for (path, text) in files {
        let collector = Collector::new(Source::new(path, text));
        let unread = Collector::new(Arc::clone(collector.source()));
        if let Some(file) = parse_yaml(&unread) {
            let check = Check {
                collector: &collector,
                unread: &unread,
                plans: &plans,
            };
            check.file(&file);
        }
        diagnostics.extend(collector.into_diagnostics());
    }
    diagnostics
}

struct Check<'a> {
    collector: &'a Collector,
    /// Mistakes that somebody else reports.
    unread: &'a Collector,
    plans: &'a BTreeMap<&'a str, &'a Plan>,
}

impl Check<'_> {
    fn file(&self, file: &Node) {
        let protocol = file.get("protocol").and_then(Node::scalar);
        let Some(protocol) = protocol.and_then(|name| name.text.parse::<Protocol>().ok()) else {
            return;
        };
        let requirements = file.get("requirements").and_then(Node::elements);
        for requirement in requirements.unwrap_or_default() {
            let id = requirement.get("id").and_then(Node::scalar);
            let stimuli = requirement.get("stimuli").and_then(Node::entries);
            for entry in stimuli.unwrap_or_default() {
                self.stimulus(protocol, id.map_or("", |id| &id.text), entry);
            }
        }
    }

    fn stimulus(&self, protocol: Protocol, requirement: &str, entry: &Entry) {
        let Some(stimulus) = read_stimulus(self.unread, entry) else {
            return;
        };
        let named = entry.value.get("scenarios").unwrap_or(&entry.value).elements();
        for (node, name) in named.unwrap_or_default().iter().zip(&stimulus.scenarios) {
            self.scenario(protocol, requirement, node, name);
        }
        let plans: Vec<&Plan> = stimulus
            .scenarios
            .iter()
            .filter_map(|name| self.plan(protocol, name))
            .collect();
        for code in Code::all_in(&entry.key) {
            match code {
                Ok(code) if plans.is_empty() || plans.iter().any(|plan| code.provoked_by(plan)) => {}
                Ok(code) => {
                    let title = format!("no scenario of `{}` does what {} names", entry.key, code.name);
                    let help = match code.signs {
                        [] => "nothing in the vocabulary does it yet".to_owned(),
                        signs => format!("scenarios do it with {}", signs.join(", ")),
                    };
                    self.collector.error(&entry.key_span, title, "", Some(help));
                }
                Err(name) => {
                    let title = format!("`{name}` is no F-name that is known");
                    let help = "the F-names are in harness/scenario/src/stimuli/code.rs".to_owned();
                    self.collector.error(&entry.key_span, title, "", Some(help));
                }
            }
        }
    }

    fn scenario(&self, protocol: Protocol, requirement: &str, node: &Node, name: &str) {
        let Some(plan) = self.plan(protocol, name) else {
            let prefix = format!("{protocol}/");
            let own = self.plans.keys().filter_map(|path| path.strip_prefix(&prefix));
            let own: Vec<&str> = own.filter_map(|path| path.strip_suffix(".yaml")).collect();
            let title = format!("there is no scenario `{name}` in the suite of {protocol}");
            let help = hil_diagnostic::did_you_mean(name, own);
            return self.collector.error(&node.span, title, "", help);
        };
        if !plan.verifies.iter().any(|verified| verified == requirement) {
            let title = format!("scenario `{name}` does not verify {requirement}");
            let help = format!("it verifies {}", plan.verifies.join(", "));
            self.collector.error(&node.span, title, "", Some(help));
        }
    }

    fn plan(&self, protocol: Protocol, name: &str) -> Option<&Plan> {
        self.plans
            .get(format!("{protocol}/{name}.yaml").as_str())
            .copied()
    }
}
