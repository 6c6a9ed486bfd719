//! `report.html`: one file that needs nothing else, not even scripts.

mod anchors;
mod coverage;
mod exercise;
mod instance;
mod ladder;
mod measurements;
mod page;
mod raw;
mod rollback;
mod sweeps;
mod timing;

pub use page::{HtmlError, html};
