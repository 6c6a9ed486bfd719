//! Reading a map key by key; what nobody asked for is reported at the end.

use crate::{Collector, Entry, Node, Span, did_you_mean, one_of};
use serde_json::{Map, Value};
use std::time::Duration;

/// Reads one map. Ask for every key it may have, then [`finish`](MapReader::finish).
#[derive(Debug)]
pub struct MapReader<'a> {
    collector: &'a Collector,
    what: String,
    head: Span,
    entries: Vec<&'a Entry>,
    known: Vec<&'static str>,
}

impl<'a> MapReader<'a> {
    /// A reader, or a reported mistake if the node is no map. `what` names the map for people: "a step".
    pub fn new(collector: &'a Collector, node: &'a Node, what: impl Into<String>) -> Option<MapReader<'a>> {
        let what = what.into();
        let Some(entries) = node.entries() else {
            collector.wrong_type(node, &what, "a map", None);
            return None;
        };
        Some(MapReader {
            collector,
            what,
            head: node.head(),
            entries: entries.iter().collect(),
            known: Vec::new(),
        })
    }

    /// Where mistakes go.
    pub fn collector(&self) -> &'a Collector {
        self.collector
    }

    /// The place of the map for mistakes about the whole of it.
    pub fn head(&self) -> &Span {
        &self.head
    }

    /// Names the map more exactly from here on.
    pub fn rename(&mut self, what: impl Into<String>) {
        self.what = what.into();
    }

    /// Key and value, if given.
    pub fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let at = self.entries.iter().position(|e| e.key == key)?;
        Some(self.entries.remove(at))
    }

    /// A value that is still to be read, if given.
    pub fn peek(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|e| e.key == key).map(|e| &e.value)
    }

    /// A value, if given.
    pub fn optional(&mut self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// A value that must be given.
    pub fn required(&mut self, key: &'static str) -> Option<&'a Node> {
        let found = self.optional(key);
        if found.is_none() {
            let title = format!("{} lacks `{key}`", self.what);
            self.collector
                .error(&self.head, title, format!("`{key}:` is missing"), None);
        }
        found
    }

    /// Text that must be given.
    pub fn required_string(&mut self, key: &'static str) -> Option<String> {
        let node = self.required(key)?;
        self.collector.string(node, &quoted(key)).map(str::to_owned)
    }

    /// Text, if given.
    pub fn optional_string(&mut self, key: &'static str) -> Option<String> {
        let node = self.optional(key)?;
        self.collector.string(node, &quoted(key)).map(str::to_owned)
    }

    /// A boolean, if given.
    pub fn optional_boolean(&mut self, key: &'static str) -> Option<bool> {
        let node = self.optional(key)?;
        self.collector.boolean(node, &quoted(key))
    }

    /// A whole number, if given.
    pub fn optional_integer(&mut self, key: &'static str) -> Option<i64> {
        let node = self.optional(key)?;
        self.collector.integer(node, &quoted(key))
    }

    /// A number, if given.
    pub fn optional_number(&mut self, key: &'static str) -> Option<f64> {
        let node = self.optional(key)?;
        self.collector.number(node, &quoted(key))
    }

    /// A duration that must be given.
    pub fn required_duration(&mut self, key: &'static str) -> Option<Duration> {
        let node = self.required(key)?;
        self.collector.duration(node, &quoted(key))
    }

    /// A duration, if given.
    pub fn optional_duration(&mut self, key: &'static str) -> Option<Duration> {
        let node = self.optional(key)?;
        self.collector.duration(node, &quoted(key))
    }

    /// One of the known words, if given.
    pub fn optional_word<'w>(
        &mut self,
        key: &'static str,
        known: impl IntoIterator<Item = &'w str> + Clone,
    ) -> Option<&'a str> {
        let node = self.optional(key)?;
        self.collector.word(node, &quoted(key), known)
    }

    /// One of the known words, which must be given.
    pub fn required_word<'w>(
        &mut self,
        key: &'static str,
        known: impl IntoIterator<Item = &'w str> + Clone,
    ) -> Option<&'a str> {
        let node = self.required(key)?;
        self.collector.word(node, &quoted(key), known)
    }

    /// A list of texts; empty if not given.
    pub fn strings(&mut self, key: &'static str) -> Vec<String> {
        self.optional(key)
            .map(|node| self.collector.strings(node, &quoted(key)))
            .unwrap_or_default()
    }

    /// A list whose elements `read` reads; elements it turns down are left out. Empty if not given.
    pub fn list_of<T>(&mut self, key: &'static str, mut read: impl FnMut(&'a Node) -> Option<T>) -> Vec<T> {
        self.optional(key)
            .filter(|node| !node.is_null())
            .and_then(|node| self.collector.list(node, &quoted(key)))
            .unwrap_or_default()
            .iter()
            .filter_map(&mut read)
            .collect()
    }

    /// A map with keys of the user's own; empty if not given.
    pub fn entries_of(&mut self, key: &'static str) -> &'a [Entry] {
        let Some(node) = self.optional(key).filter(|node| !node.is_null()) else {
            return &[];
        };
        if node.entries().is_none() {
            self.collector.wrong_type(node, &quoted(key), "a map", None);
        }
        node.entries().unwrap_or_default()
    }

    /// A nested map with keys of its own, if given.
    pub fn map(&mut self, key: &'static str) -> Option<MapReader<'a>> {
        let node = self.optional(key)?;
        MapReader::new(self.collector, node, quoted(key))
    }

    /// A map as JSON; empty if not given.
    pub fn object(&mut self, key: &'static str) -> Map<String, Value> {
        self.optional(key)
            .filter(|node| !node.is_null())
            .and_then(|node| self.collector.object(node, &quoted(key)))
            .unwrap_or_default()
    }

    /// What was not asked for yet, for maps that are open.
    pub fn rest(&mut self) -> Vec<&'a Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Reports every key nobody asked for, with the nearest known one.
    pub fn finish(self) {
        for entry in &self.entries {
            let known = self.known.iter().copied();
            let help = self
                .collector
                .cut_text(entry)
                .or_else(|| did_you_mean(&entry.key, known.clone()));
            let title = format!("unknown field `{}` in {}", entry.key, self.what);
            let label = format!("expected {}", one_of(known));
            self.collector.error(&entry.key_span, title, label, help);
        }
    }
}

fn quoted(key: &str) -> String {
    format!("`{key}`")
}
