//! YAML to [`Plan`](crate::Plan): reading and every check, one file for each part of a scenario.

mod arguments;
mod conditions;
mod expression;
mod extra_fault;
mod inject;
mod measure;
mod scenario;
mod scope;
mod step;
mod sweep;
mod watch;

pub(crate) use extra_fault::extra_fault;
pub use scenario::{load, load_source};
