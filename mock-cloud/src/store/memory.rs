//! A store without a disk, for virtual benches.

use super::{Change, Store, StoreError};
use async_trait::async_trait;
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeMap};

/// Documents in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    collections: RefCell<BTreeMap<String, BTreeMap<String, Value>>>,
}

#[async_trait(?Send)]
impl Store for MemoryStore {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut collections = self.collections.borrow_mut();
        for change in changes {
            match change {
                Change::Put {
                    collection,
                    key,
                    document,
                } => {
                    collections
                        .entry(collection.to_owned())
                        .or_default()
                        .insert(key, document);
                }
                Change::Delete { collection, key } => {
                    collections.entry(collection.to_owned()).or_default().remove(&key);
                }
            }
        }
        Ok(())
    }

    async fn load(&self, collection: &str) -> Result<Vec<(String, Value)>, StoreError> {
        let collections = self.collections.borrow();
        let documents = collections.get(collection).into_iter().flatten();
        Ok(documents
            .map(|(key, document)| (key.clone(), document.clone()))
            .collect())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.collections.borrow_mut().clear();
        Ok(())
    }
}
