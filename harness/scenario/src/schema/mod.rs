//! JSON Schema of scenario files, made from the vocabulary: editors complete and check words with it.

mod file;
mod measure;
mod shapes;
mod step;

pub use file::schema;
