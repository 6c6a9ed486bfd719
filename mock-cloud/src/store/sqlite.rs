//! SQLite on a thread of its own: one table for each collection, one JSON document for each row.

use super::{Change, Store, StoreError};
use async_trait::async_trait;
use rusqlite::{Connection, params};
use serde_json::Value;
use std::{path::Path, sync::mpsc, thread};
use tokio::sync::oneshot;

/// A database file, or one in memory. The thread ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    jobs: mpsc::Sender<Job>,
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

#[derive(Debug)]
enum Job {
    Commit(Vec<Change>, Answer<()>),
    Load(String, Answer<Vec<(String, Value)>>),
    Clear(Answer<()>),
}

impl SqliteStore {
    /// Opens or creates a database file with a write-ahead log.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        Ok(Self::over(connection))
    }

    /// A database without a file.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self::over(Connection::open_in_memory()?))
    }

    fn over(mut connection: Connection) -> Self {
        let (jobs, todo) = mpsc::channel();
        thread::spawn(move || {
            for job in todo {
                // An answer nobody waits for any more is not an error.
                match job {
                    Job::Commit(changes, answer) => drop(answer.send(commit(&mut connection, &changes))),
                    Job::Load(collection, answer) => drop(answer.send(load(&connection, &collection))),
                    Job::Clear(answer) => drop(answer.send(clear(&connection))),
                }
            }
        });
        SqliteStore { jobs }
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, StoreError> {
        let (answer, result) = oneshot::channel();
        self.jobs.send(job(answer)).map_err(|_| StoreError::Gone)?;
        result.await.map_err(|_| StoreError::Gone)?
    }
}

#[async_trait(?Send)]
impl Store for SqliteStore {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.ask(|answer| Job::Commit(changes, answer)).await
    }

    async fn load(&self, collection: &str) -> Result<Vec<(String, Value)>, StoreError> {
        self.ask(|answer| Job::Load(collection.to_owned(), answer)).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.ask(Job::Clear).await
    }
}

fn commit(connection: &mut Connection, changes: &[Change]) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    for change in changes {
        match change {
            Change::Put {
                collection,
                key,
                document,
            } => {
                create(&transaction, collection)?;
                let sql = format!("INSERT OR REPLACE INTO {collection} (key, document) VALUES (?1, ?2)");
                transaction
                    .prepare_cached(&sql)?
                    .execute(params![key, document.to_string()])?;
            }
            Change::Delete { collection, key } => {
                create(&transaction, collection)?;
                let sql = format!("DELETE FROM {collection} WHERE key = ?1");
                transaction.prepare_cached(&sql)?.execute(params![key])?;
            }
        }
    }
    Ok(transaction.commit()?)
}

// Collection names are constants of this crate, never input.
fn create(connection: &Connection, collection: &str) -> Result<(), StoreError> {
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {collection} \
         (key TEXT PRIMARY KEY, document TEXT NOT NULL CHECK (json_valid(document)))"
    );
    connection.prepare_cached(&sql)?.execute([])?;
    Ok(())
}

fn load(connection: &Connection, collection: &str) -> Result<Vec<(String, Value)>, StoreError> {
    create(connection, collection)?;
    let mut statement =
        connection.prepare(&format!("SELECT key, document FROM {collection} ORDER BY key"))?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut documents = Vec::new();
    for row in rows {
        let (key, text) = row?;
        let document = serde_json::from_str(&text).map_err(|error| StoreError::Damaged {
            collection: collection.to_owned(),
            key: key.clone(),
            reason: error.to_string(),
        })?;
        documents.push((key, document));
    }
    Ok(documents)
}

fn clear(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let names = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for name in names {
        connection.execute(&format!("DELETE FROM \"{name}\""), [])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn keeps_documents_across_openings() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cloud.sqlite");
        let put = |key: &str, n: i32| Change::Put {
            collection: "things",
            key: key.to_owned(),
            document: json!({"n": n}),
        };
        {
            let store = SqliteStore::open(&path).expect("opens");
            store
                .commit(vec![put("a", 1), put("b", 2)])
                .await
                .expect("commits");
            let delete = Change::Delete {
                collection: "things",
                key: "a".to_owned(),
            };
            store.commit(vec![put("b", 3), delete]).await.expect("commits");
        }
        let store = SqliteStore::open(&path).expect("opens again");
        assert_eq!(
            store.load("things").await.expect("loads"),
            [("b".to_owned(), json!({"n": 3}))]
        );
        store.clear().await.expect("clears");
        assert!(store.load("things").await.expect("loads").is_empty());
    }
}
