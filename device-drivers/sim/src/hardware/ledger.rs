//! JSON in flash: single documents, and a ledger of commands by id in the order of their acceptance.

use super::Flash;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// A record that a [`Ledger`] keeps.
pub(crate) trait Entry: Clone + Serialize + DeserializeOwned {
    /// Its id, unique in the ledger.
    fn id(&self) -> &str;
    /// Whether nobody needs it any more.
    fn is_settled(&self) -> bool;
}

/// Records by id, mirrored in flash. The oldest settled one is forgotten whenever there are more than [`KEPT`].
#[derive(Debug)]
pub(crate) struct Ledger<R> {
    by_id: BTreeMap<String, (u64, R)>,
    ids: BTreeMap<u64, String>,
}

impl<R: Entry> Ledger<R> {
    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Reads all records.
    pub(crate) fn load(flash: &Flash) -> Self {
        let mut ledger = Ledger {
            by_id: BTreeMap::new(),
            ids: BTreeMap::new(),
        };
        for name in flash.names(FOLDER) {
            let number = name[FOLDER.len()..].parse();
            if let (Ok(number), Some(record)) = (number, load::<R>(flash, name)) {
                ledger.remember(number, record);
            }
        }
        ledger
    }

    /// A record by id.
    pub(crate) fn get(&self, id: &str) -> Option<&R> {
        self.by_id.get(id).map(|(_, record)| record)
    }

    /// Every record in the order of acceptance.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &R> {
        self.ids.values().filter_map(|id| self.get(id))
    }

    /// Adds or replaces a record, in flash first.
    pub(crate) fn put(&mut self, flash: &mut Flash, record: R) {
        let next = self.ids.last_key_value().map_or(0, |(last, _)| last + 1);
        let number = self.by_id.get(record.id()).map_or(next, |(number, _)| *number);
        save(flash, &file(number), &record);
        self.remember(number, record);
        if self.ids.len() > KEPT {
            self.forget_oldest(flash);
        }
    }

    /// Changes a record that is known.
    pub(crate) fn change(&mut self, flash: &mut Flash, id: &str, change: impl FnOnce(&mut R)) {
        if let Some(mut record) = self.get(id).cloned() {
            change(&mut record);
            self.put(flash, record);
        }
    }

    fn remember(&mut self, number: u64, record: R) {
        self.ids.insert(number, record.id().to_owned());
        self.by_id.insert(record.id().to_owned(), (number, record));
    }

    fn forget_oldest(&mut self, flash: &mut Flash) {
        let oldest = self
            .ids
            .iter()
            .find(|(_, id)| self.get(id).is_some_and(Entry::is_settled))
            .map(|(number, id)| (*number, id.clone()));
        if let Some((number, id)) = oldest {
            let _ = flash.remove(&file(number));
            self.ids.remove(&number);
            self.by_id.remove(&id);
        }
    }
}

/// Reads a file as JSON.
pub(crate) fn load<T: DeserializeOwned>(flash: &Flash, name: &str) -> Option<T> {
    serde_json::from_slice(flash.read(name)?).ok()
}

/// Replaces a file by JSON. A write that does not happen means that power is gone, and the agent with it.
pub(crate) fn save(flash: &mut Flash, name: &str, value: &impl Serialize) {
    if let Ok(bytes) = serde_json::to_vec(value) {
        let _ = flash.replace(name, bytes);
    }
}

fn file(number: u64) -> String {
    format!("{FOLDER}{number:010}")
}

/// The folder of the records.
pub(crate) const FOLDER: &str = "state/command/";
const KEPT: usize = 1000;
