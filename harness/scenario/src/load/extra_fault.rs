//! One fault on one line, in the words of a protocol.

use super::scenario::Loader;
use crate::{Template, Vocabulary, When};
use hil_diagnostic::{Collector, Diagnostics, MapReader, Node, Source, did_you_mean, one_of, parse_yaml};
use hil_trace::Catalogue;
use hil_wire::Protocol;
use std::sync::Arc;

/// A fault as it was read.
pub(crate) struct Read {
    pub(crate) name: String,
    pub(crate) with: Template,
    pub(crate) when: When,
    /// Capabilities it needs.
    pub(crate) needs: Vec<String>,
}

/// Reads `{NAME: {ARGUMENTS}, when: …}`.
pub(crate) fn extra_fault(
    source: Arc<Source>,
    vocabulary: &Vocabulary,
    protocol: Option<Protocol>,
) -> Result<Read, Diagnostics> {
    let collector = Collector::new(source);
    let catalogue = Catalogue::default();
    let read = parse_yaml(&collector).and_then(|node| {
        let mut loader = Loader::new(&collector, vocabulary, &catalogue, &node);
        match protocol {
            Some(protocol) => loader.speak(protocol),
            None => loader.words = Some(vocabulary.connections()),
        }
        loader.one_fault(&node)
    });
    let diagnostics = collector.into_diagnostics();
    match read {
        Some(read) if !diagnostics.has_errors() => Ok(read),
        _ => Err(diagnostics),
    }
}

impl<'a> Loader<'a> {
    fn one_fault(&mut self, node: &'a Node) -> Option<Read> {
        let mut map = MapReader::new(self.collector, node, "a fault")?;
        let when = map.optional("when");
        let rest = map.rest();
        map.finish();
        let known = || {
            self.words
                .iter()
                .flat_map(|words| words.faults.keys().map(String::as_str))
        };
        let [fault] = rest.as_slice() else {
            let title = match rest.len() {
                0 => "there is no fault here".to_owned(),
                count => format!("{count} faults in one"),
            };
            let span = rest.get(1).map_or(node.head(), |entry| entry.key_span.clone());
            let help = "write one like `cloud.status: {on: poll, status: 503}, when: 30s`".to_owned();
            let label = format!("expected a fault, {}", one_of(known()));
            self.collector.error(&span, title, label, Some(help));
            return None;
        };
        let Some(word) = self.words.and_then(|words| words.faults.get(&fault.key)) else {
            let title = format!("unknown fault `{}`", fault.key);
            let label = format!("expected {}", one_of(known()));
            let help = did_you_mean(&fault.key, known());
            self.collector.error(&fault.key_span, title, label, help);
            return None;
        };
        self.needs.extend(word.capability.clone());
        let with = Some(&fault.value).filter(|value| !value.is_null());
        let with = self.fault_arguments(&fault.key, word, with, node);
        let on_unit = word.site == Some(hil_fault::Site::Unit);
        let when = when.map(|node| self.when(node, on_unit)).unwrap_or_default();
        Some(Read {
            name: fault.key.clone(),
            with,
            when,
            needs: std::mem::take(&mut self.needs).into_iter().collect(),
        })
    }
}
