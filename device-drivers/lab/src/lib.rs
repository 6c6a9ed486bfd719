//! Instruments of the lab around a unit that runs in real time: what they see and do stands in for probes and stimuli that
//! the unit itself has no hooks for. A [`LabDriver`] puts them around the driver of any unit.

mod driver;
mod instrument;
mod module;
mod names;
mod packet;
mod tap;
mod time_server;
mod unit;

pub use driver::LabDriver;
