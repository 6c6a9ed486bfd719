//! Measured times over the repeats of a scenario: figures in words, and pictures of them.

mod figures;
mod histogram;
mod scale;
mod timeline;

pub(crate) use figures::{HEADS, bounds, cells, clock, groups, kept, properties};
pub(crate) use histogram::HistogramPicture;
pub(crate) use scale::{HEIGHT, WIDTH};
pub(crate) use timeline::TimelinePicture;
