//! Which names steps can refer to, and where.

use hil_diagnostic::{Node, NodeValue, Span};
use serde_json::Value;
use std::collections::BTreeMap;

/// What can be referred to below a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Whatever it turns out to have.
    Anything,
    /// These fields.
    Fields(Vec<String>),
}

/// A name and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) span: Span,
    /// The verb of the step, or `for_each` for its variable.
    pub(super) verb: &'static str,
    pub(super) given: Given,
}

/// Names by frame; the branches of `one_of` and the body of `for_each` have frames of their own.
#[derive(Debug)]
pub(super) struct Scope {
    frames: Vec<BTreeMap<String, Named>>,
    /// Parameters by name, with their defaults as far as they could be read.
    params: BTreeMap<String, Option<Value>>,
    /// Every `as` of the file: to tell "not yet" from "never".
    anywhere: BTreeMap<String, Span>,
}

impl Scope {
    pub(super) fn new(root: &Node) -> Scope {
        let mut anywhere = BTreeMap::new();
        if let Some(steps) = root.get("steps") {
            collect_names(steps, &mut anywhere);
        }
        Scope {
            frames: vec![BTreeMap::new()],
            params: BTreeMap::new(),
            anywhere,
        }
    }

    pub(super) fn add_param(&mut self, name: &str, default: Option<Value>) {
        self.params.insert(name.to_owned(), default);
    }

    pub(super) fn params(&self) -> impl Iterator<Item = &str> {
        self.params.keys().map(String::as_str)
    }

    /// What a path such as `params.size` stands for unless it is set.
    pub(super) fn default_of(&self, path: &str) -> Option<&Value> {
        self.params.get(path.strip_prefix("params.")?)?.as_ref()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Named> {
        self.frames.iter().rev().find_map(|frame| frame.get(name))
    }

    /// Where a name is defined that is not known here.
    pub(super) fn elsewhere(&self, name: &str) -> Option<&Span> {
        self.anywhere.get(name)
    }

    /// Every name known here.
    pub(super) fn names(&self) -> Vec<&str> {
        self.frames
            .iter()
            .flat_map(|frame| frame.keys().map(String::as_str))
            .collect()
    }

    /// Adds a name; returns where it was first defined if it is taken.
    pub(super) fn define(
        &mut self,
        name: &str,
        span: Span,
        verb: &'static str,
        given: Given,
    ) -> Option<Span> {
        if let Some(first) = self.get(name) {
            return Some(first.span.clone());
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.insert(name.to_owned(), Named { span, verb, given });
        }
        None
    }

    pub(super) fn enter(&mut self) {
        self.frames.push(BTreeMap::new());
    }

    pub(super) fn leave(&mut self) -> BTreeMap<String, Named> {
        self.frames.pop().unwrap_or_default()
    }

    /// Makes known what every branch defines, whichever was taken.
    pub(super) fn join(&mut self, branches: Vec<BTreeMap<String, Named>>) {
        let Some((first, others)) = branches.split_first() else {
            return;
        };
        for (name, named) in first {
            let all: Option<Vec<&Named>> = others.iter().map(|frame| frame.get(name)).collect();
            let Some(all) = all else { continue };
            let same = all.iter().all(|other| other.given == named.given);
            let given = if same {
                named.given.clone()
            } else {
                Given::Anything
            };
            self.define(name, named.span.clone(), named.verb, given);
        }
    }
}

fn collect_names(node: &Node, names: &mut BTreeMap<String, Span>) {
    match &node.value {
        NodeValue::Scalar(_) => {}
        NodeValue::Seq(nodes) => nodes.iter().for_each(|node| collect_names(node, names)),
        NodeValue::Map(entries) => {
            for entry in entries {
                match (entry.key.as_str(), entry.value.scalar()) {
                    ("as", Some(scalar)) => {
                        names
                            .entry(scalar.text.clone())
                            .or_insert_with(|| entry.value.span.clone());
                    }
                    ("with" | "match", _) => {}
                    _ => collect_names(&entry.value, names),
                }
            }
        }
    }
}
