//! The trace on disk: one JSON line per header, record or repeat without records, large payloads in side files.

mod error;
mod line;
mod merge;
mod reader;
mod writer;

pub use error::JournalError;
pub use line::{Line, RepeatFigures, Trace};
pub use merge::{Conflict, Merged, Part, Remark, merge};
pub use reader::{Damage, JournalReader, ReadJournal};
pub use writer::JournalWriter;
