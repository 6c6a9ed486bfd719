//! The simulated board of the OTA RPC service: two boot slots, a commit window, and RPC over HTTP, WebSocket, MQTT
//! and a serial line. A provisional boot leaves the way back in flash before it does anything else.

mod access;
mod agent;
mod board;
mod boot;
mod channel;
mod defects;
mod files;
mod intake;
mod kind;
mod methods;
mod mqtt;
#[cfg(test)]
mod mqtt_tests;
mod probe;
mod push;
mod record;
mod signatures;
mod snapshot;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use defects::DEFECTS;
pub(crate) use kind::OtaRpcKind;
