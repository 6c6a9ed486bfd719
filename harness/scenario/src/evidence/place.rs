//! Where an id stands in the files that name it.

use hil_diagnostic::{Collector, Node, Source, Span, parse_yaml};
use std::sync::Arc;

/// Where a scenario says that it verifies a requirement; the beginning of the file if it cannot be found.
pub(super) fn verified_at(source: &Arc<Source>, id: &str) -> Span {
    let collector = Collector::new(Arc::clone(source));
    parse_yaml(&collector)
        .and_then(|file| verified_in(&file, id))
        .unwrap_or(0..0)
}

fn verified_in(node: &Node, id: &str) -> Option<Span> {
    let listed = node.get("verifies").and_then(Node::elements);
    let is_id = |node: &&Node| node.scalar().is_some_and(|scalar| scalar.text == id);
    if let Some(found) = listed.unwrap_or_default().iter().find(is_id) {
        return Some(found.span.clone());
    }
    let entries = node.entries().unwrap_or_default().iter();
    let values = entries.map(|entry| &entry.value);
    let mut inside = values.chain(node.elements().unwrap_or_default());
    inside.find_map(|node| verified_in(node, id))
}
