//! Passive oracles: they read the trace and nothing else, live or years later, and state findings.
//!
//! A view turns records into events in the protocol's words; monitors judge records and events. To add a monitor,
//! write one file for its concern in the folder of its protocol and list it in that folder's `mod.rs`.

mod aos;
mod device_command;
mod edge_poll;
mod judge;
mod message;
mod old_tls;
mod ota_rpc;
mod patience;
mod single;
mod sota;
mod tally;
#[cfg(test)]
mod testing;
mod view;

pub use judge::{Judge, Monitor};
pub use tally::Tally;
pub use view::{View, view_for};

use hil_trace::TraceHeader;
use hil_wire::Protocol;
use std::collections::BTreeMap;

/// The monitors of a protocol.
pub fn monitors_for(header: &TraceHeader) -> Vec<Box<dyn Monitor>> {
    match header.protocol {
        Protocol::AosV7 => aos::monitors(header),
        Protocol::EdgePoll => edge_poll::monitors(header),
        Protocol::OtaRpc => ota_rpc::monitors(header),
        Protocol::Sota => sota::monitors(header),
        Protocol::DeviceCommand => device_command::monitors(header),
    }
}

/// The requirements that the monitors of a protocol judge, by name of the monitor.
pub fn judged(protocol: Protocol) -> BTreeMap<&'static str, &'static [&'static str]> {
    let monitors = monitors_for(&TraceHeader::bare(protocol));
    let judged = monitors
        .iter()
        .map(|monitor| (monitor.name(), monitor.requirements()));
    judged.collect()
}
