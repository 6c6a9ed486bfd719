//! The simulated unit of the AosEdge protocol: it finds the cloud, keeps one WebSocket, makes itself what the desired
//! status says, and reports. Whatever must outlive a power cut is in flash before anybody hears of it.

mod agent;
mod alert;
mod certificate;
mod connection;
mod crypto;
mod defects;
mod download;
mod environment;
mod inbox;
mod kind;
mod log;
mod monitoring;
mod outbox;
mod probe;
mod provisioning;
mod sealed;
mod state;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use defects::DEFECTS;
pub(crate) use kind::AosKind;
