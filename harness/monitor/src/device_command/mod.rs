//! Oracles of the device command API, one file per concern.

mod announced;
mod clock;
mod credential;
mod estimate;
mod export;
mod patience;
mod queue;
mod restart;
mod status;
#[cfg(test)]
mod tests;

use crate::Monitor;
use hil_trace::TraceHeader;

pub(crate) fn monitors(header: &TraceHeader) -> Vec<Box<dyn Monitor>> {
    vec![
        Box::new(credential::CredentialMonitor::default()),
        Box::new(status::StatusMonitor::default()),
        Box::new(queue::QueueMonitor::default()),
        Box::new(restart::RestartMonitor::new(header)),
        Box::new(announced::AnnouncedMonitor::default()),
        Box::new(clock::ClockMonitor::new(header)),
        Box::new(estimate::EstimateMonitor::new(header)),
        Box::new(export::ExportMonitor::default()),
        Box::new(patience::PatienceMonitor::new(header)),
    ]
}
