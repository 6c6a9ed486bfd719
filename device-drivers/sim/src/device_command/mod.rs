//! The simulated device of the device command API: it takes commands by fetching or as a server, carries them out one
//! at a time, and reports where each stands. Whatever must outlive a power cut is in flash before anybody hears of it.

mod admission;
mod agent;
mod boot;
mod cleanup;
mod defects;
mod diagnostics;
mod direct;
mod execution;
mod export;
mod fetching;
mod files;
mod kind;
mod module;
mod outbox;
mod probe;
mod reset;
mod restart;
mod signing;
mod store;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use defects::DEFECTS;
pub(crate) use kind::DeviceCommandKind;
