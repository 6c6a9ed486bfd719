//! The simulated appliance of the edge poll API: it polls for commands, carries them out one at a time, acknowledges
//! them, and updates its snaps. Whatever must outlive a power cut is in flash before anybody hears of it.

mod agent;
mod configuration;
mod defects;
mod discovery;
mod download;
mod execution;
mod install;
mod kind;
mod outbox;
mod pacing;
mod polling;
mod probe;
mod restart;
mod store;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use defects::DEFECTS;
pub(crate) use kind::EdgePollKind;
