//! JSON Schema of scenario files, made from the vocabulary: editors complete and check words with it.

mod file;
mod shapes;
mod step;

pub use file::schema;
