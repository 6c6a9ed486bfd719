//! Names for the places links lead to.

use std::collections::{BTreeMap, BTreeSet};

/// Instance names to fragment ids: letters, digits and dashes, unique in the file.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    by_instance: BTreeMap<String, String>,
}

impl Anchors {
    pub(super) fn of<'a>(instances: impl Iterator<Item = &'a str>) -> Self {
        let mut taken = BTreeSet::new();
        let mut by_instance = BTreeMap::new();
        for instance in instances {
            let base = slug(instance);
            let mut name = base.clone();
            let mut number = 2;
            while !taken.insert(name.clone()) {
                name = format!("{base}.{number}");
                number += 1;
            }
            by_instance.insert(instance.to_owned(), name);
        }
        Anchors { by_instance }
    }

    /// The fragment of an instance, if it is in the file.
    pub(super) fn get(&self, instance: &str) -> Option<&str> {
        self.by_instance.get(instance).map(String::as_str)
    }
}

/// The fragment of a requirement.
pub(super) fn requirement(id: &str) -> String {
    format!("r.{}", slug(id))
}

/// The fragment of a record.
pub(super) fn record(instance: &str, seq: u64) -> String {
    format!("{instance}-{seq}")
}

fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => out.push(c),
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    match out.trim_matches('-') {
        "" => "instance".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_plain_and_unique() {
        let anchors = Anchors::of(["a/b@sim", "a-b@sim", "\"<x>"].into_iter());
        assert_eq!(anchors.get("a/b@sim"), Some("a-b-sim"));
        assert_eq!(anchors.get("a-b@sim"), Some("a-b-sim.2"));
        assert_eq!(anchors.get("\"<x>"), Some("x"));
    }
}
