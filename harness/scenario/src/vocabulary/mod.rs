//! The words scenarios are written in: names of actions, faults, events, probes and stimuli with their fields. Read
//! from `scenarios/vocabulary/*.yaml`; checks, schema and completion all come from here.

mod field;
mod read;
mod word;

pub use field::{Field, FieldType, Fields};
pub use read::Vocabulary;
pub use word::{SiteNames, Word, Words};
