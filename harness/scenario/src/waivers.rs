//! A file of waivers: which violations are tolerated, why, and until when.

use hil_diagnostic::{Collector, Diagnostics, MapReader, Node, Source, did_you_mean, parse_yaml};
use hil_trace::{Catalogue, Waiver};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};
use time::{Date, macros::format_description};

/// Reads `waivers: [{requirement, reason, expires}]`. Every requirement is in the catalogue and waived once; a reason says
/// something; `expires` is the last day, such as `2027-01-31`. All mistakes at once.
pub fn read_waivers(source: Arc<Source>, catalogue: &Catalogue) -> Result<Vec<Waiver>, Diagnostics> {
    let collector = Collector::new(source);
    let waivers = parse_yaml(&collector).map(|node| file(&collector, &node, catalogue));
    let diagnostics = collector.into_diagnostics();
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(waivers.unwrap_or_default())
}

fn file(collector: &Collector, node: &Node, catalogue: &Catalogue) -> Vec<Waiver> {
    let Some(mut map) = MapReader::new(collector, node, "a file of waivers") else {
        return Vec::new();
    };
    let mut seen = BTreeSet::new();
    let list = map.required("waivers");
    let list = list.and_then(|node| collector.list(node, "`waivers`"));
    let waivers = list
        .unwrap_or_default()
        .iter()
        .filter_map(|node| waiver(collector, node, catalogue, &mut seen));
    let waivers = waivers.collect();
    map.finish();
    waivers
}

fn waiver(
    collector: &Collector,
    node: &Node,
    catalogue: &Catalogue,
    seen: &mut BTreeSet<String>,
) -> Option<Waiver> {
    let mut map = MapReader::new(collector, node, "a waiver")?;
    let requirement = map.required("requirement");
    let requirement = requirement.and_then(|node| known(collector, node, catalogue, seen));
    let reason = map.required("reason").and_then(|node| reason(collector, node));
    let expires = map.required("expires").and_then(|node| day(collector, node));
    map.finish();
    Some(Waiver {
        requirement: requirement?,
        reason: reason?,
        expires: expires?,
    })
}

fn known(
    collector: &Collector,
    node: &Node,
    catalogue: &Catalogue,
    seen: &mut BTreeSet<String>,
) -> Option<String> {
    let id = collector.string(node, "`requirement`")?.to_owned();
    if catalogue.get(&id).is_none() {
        let title = format!("unknown requirement `{id}`");
        let help = did_you_mean(&id, catalogue.requirements.keys().map(String::as_str));
        collector.error(&node.span, title, "not in the catalogue", help);
        return None;
    }
    if !seen.insert(id.clone()) {
        let title = format!("requirement `{id}` is waived twice");
        collector.error(&node.span, title, "again here", None);
        return None;
    }
    Some(id)
}

fn reason(collector: &Collector, node: &Node) -> Option<String> {
    let reason = collector.string(node, "`reason`")?;
    if reason.trim().is_empty() {
        let help = "say why the violation is tolerated, and where its repair is followed".to_owned();
        collector.error(&node.span, "a waiver needs a reason", "says nothing", Some(help));
        return None;
    }
    Some(reason.to_owned())
}

fn day(collector: &Collector, node: &Node) -> Option<Date> {
    let text = collector.string(node, "`expires`")?;
    match Date::parse(text, format_description!("[year]-[month]-[day]")) {
        Ok(day) => Some(day),
        Err(error) => {
            let title = format!("`{text}` is no day: {error}");
            let help = "the last day the waiver holds, such as 2027-01-31".to_owned();
            collector.error(&node.span, title, "expected YEAR-MONTH-DAY", Some(help));
            None
        }
    }
}

/// The JSON Schema (draft 2020-12) of a file of waivers.
pub fn waivers_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Waivers",
        "description": "Violations that do not fail a run: which, why, until when.",
        "type": "object",
        "properties": {
            "waivers": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "requirement": {"type": "string", "description": "Id of the requirement, such as POLL-ACK-001."},
                        "reason": {"type": "string", "minLength": 1, "description": "Why its violation is tolerated."},
                        "expires": {"type": "string", "format": "date", "description": "The last day it holds, UTC."}
                    },
                    "required": ["requirement", "reason", "expires"],
                    "additionalProperties": false
                }
            }
        },
        "required": ["waivers"],
        "additionalProperties": false
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded_catalogue;

    fn read(text: &str) -> Result<Vec<Waiver>, Diagnostics> {
        let (catalogue, _) = embedded_catalogue().unwrap_or_else(|d| panic!("{d}"));
        read_waivers(Source::new("waivers.yaml", text), &catalogue)
    }

    #[test]
    fn a_waiver_says_what_why_and_until_when() {
        let text =
            "waivers:\n  - requirement: POLL-ACK-001\n    reason: 'fixed in 2.4'\n    expires: 2027-01-31\n";
        let waivers = read(text).unwrap_or_else(|d| panic!("{d}"));
        assert_eq!(waivers.len(), 1);
        assert_eq!(waivers[0].expires.to_string(), "2027-01-31");
    }

    #[test]
    fn mistakes_in_waivers_are_shown_all_at_once() {
        let text = "waivers:\n  - requirement: POLL-AKC-001\n    reason: ''\n    expires: 2027-02-30\n  - requirement: POLL-ACK-001\n    expires: tomorrow\n    until: x\n  - requirement: POLL-ACK-001\n    reason: again\n    expires: 2027-01-01\nwaiver: []\n";
        let mistakes = read(text).expect_err("these are mistakes");
        insta::assert_snapshot!(mistakes.render(false));
    }
}
