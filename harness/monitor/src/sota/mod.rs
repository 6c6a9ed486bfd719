//! Oracles of SOTA, one file per concern.

mod authentication;
mod bus;
#[cfg(test)]
mod bus_tests;
mod confirmation;
mod download;
mod event;
mod installer;
mod lists;
mod polling;
#[cfg(test)]
mod tests;

use crate::Monitor;
use hil_trace::TraceHeader;

pub(crate) fn monitors(_: &TraceHeader) -> Vec<Box<dyn Monitor>> {
    vec![
        Box::new(authentication::AuthenticationMonitor::default()),
        Box::new(bus::BusMonitor::default()),
        Box::new(event::EventMonitor::default()),
        Box::new(confirmation::ConfirmationMonitor::default()),
        Box::new(download::DownloadMonitor::default()),
        Box::new(installer::InstallerMonitor::default()),
        Box::new(polling::PollingMonitor::default()),
    ]
}
