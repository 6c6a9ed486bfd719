//! Views: what records mean in the words of a protocol's vocabulary.

mod aos;
mod aos_glimpse;
mod common;
mod device_command;
mod edge_poll;
mod ota_rpc;
mod sota;

pub(crate) use aos::dialect;
pub(crate) use device_command::is_other_origin;

use hil_trace::{Event, Record};
use hil_wire::Protocol;
use serde_json::{Map, Value};

/// Reads events from records, in order; remembers what it needs to connect an answer with its request.
pub trait View {
    /// The events this record completes.
    fn events(&mut self, record: &Record) -> Vec<Event>;
}

/// The view for a trace.
pub fn view_for(protocol: Protocol, ics: &Map<String, Value>) -> Box<dyn View> {
    match protocol {
        Protocol::AosV7 => Box::new(aos::AosView::new(ics)),
        Protocol::EdgePoll => Box::new(edge_poll::EdgePollView::default()),
        Protocol::OtaRpc => Box::new(ota_rpc::OtaRpcView::default()),
        Protocol::Sota => Box::new(sota::SotaView::default()),
        Protocol::DeviceCommand => Box::new(device_command::DeviceCommandView::default()),
    }
}
