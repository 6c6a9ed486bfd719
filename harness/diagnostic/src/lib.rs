//! What files written by people have in common: YAML as a tree that knows its places, typed readers over it, and
//! diagnostics that show file, line, excerpt and way out, all mistakes at once. Used by scenarios, the vocabulary,
//! the requirement catalogue and unit files.

mod collector;
mod diagnostic;
mod duration;
mod map_reader;
mod node;
mod render;
mod source;
mod suggestion;
mod yaml;

pub use collector::Collector;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use duration::{DurationError, duration_of, format_seconds, parse_duration, parse_seconds};
pub use map_reader::MapReader;
pub use node::{Entry, Node, NodeValue, Scalar, Span};
pub use source::Source;
pub use suggestion::{did_you_mean, one_of, suggest};
pub use yaml::parse_yaml;
