//! Where a cloud keeps what it must not lose: documents in named collections.

mod memory;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::SqliteStore;

use async_trait::async_trait;
use serde_json::Value;

/// One change of a collection.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Inserts or replaces a document.
    Put {
        /// Collection, such as `edge_commands`.
        collection: &'static str,
        /// Key inside it.
        key: String,
        /// The document.
        document: Value,
    },
    /// Removes a document.
    Delete {
        /// Collection.
        collection: &'static str,
        /// Key inside it.
        key: String,
    },
}

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no: disk full, locked, corrupt.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The thread that owns the database is gone.
    #[error("the database thread has ended")]
    Gone,
    /// A stored document cannot be read.
    #[error("document `{key}` of `{collection}` is damaged: {reason}")]
    Damaged {
        /// Collection.
        collection: String,
        /// Key.
        key: String,
        /// Why.
        reason: String,
    },
}

/// Keeps documents. A change is safe once `commit` returns.
#[async_trait(?Send)]
pub trait Store {
    /// Commits changes, all or none.
    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError>;

    /// Every document of a collection, by key.
    async fn load(&self, collection: &str) -> Result<Vec<(String, Value)>, StoreError>;

    /// Forgets everything.
    async fn clear(&self) -> Result<(), StoreError>;
}
