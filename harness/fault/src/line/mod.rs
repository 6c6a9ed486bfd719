//! What a disturbed serial line makes of bytes. Pure; whoever holds the line moves them.

mod rate;
mod shape;

pub use shape::LinePart;
