//! Oracles of the OTA RPC service, one file per concern.

mod boot_state;
mod broker;
mod download;
mod http;
mod reply;
mod serial;
mod socket;
#[cfg(test)]
mod tests;
mod window;

use crate::Monitor;
use hil_trace::TraceHeader;

pub(crate) fn monitors(header: &TraceHeader) -> Vec<Box<dyn Monitor>> {
    vec![
        Box::new(reply::ReplyMonitor::default()),
        Box::new(http::HttpMonitor::default()),
        Box::new(serial::SerialMonitor::default()),
        Box::new(socket::SocketMonitor::default()),
        Box::new(broker::BrokerMonitor::default()),
        Box::new(boot_state::BootStateMonitor::default()),
        Box::new(download::DownloadMonitor::default()),
        Box::new(window::WindowMonitor::new(header)),
    ]
}
