//! YAML to [`Plan`](crate::Plan): reading and every check, one file for each part of a scenario.

mod arguments;
mod conditions;
mod expression;
mod inject;
mod scenario;
mod scope;
mod step;
mod watch;

pub use scenario::{load, load_source};
