//! The message ladder: a trace as rows between unit and mock cloud, the same for every report.

mod build;
mod describe;
mod row;
mod select;

pub use row::{Ladder, Lane, Row, Shape};
pub(crate) use select::{Item, select};
