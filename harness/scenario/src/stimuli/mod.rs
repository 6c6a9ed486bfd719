//! The stimuli of requirements: how the catalogue names them, and whether the suites really provoke them.

mod check;
mod code;
mod read;

pub use check::{check_embedded_stimuli, check_stimuli};
pub(crate) use code::Code;
pub(crate) use read::read_stimuli;
