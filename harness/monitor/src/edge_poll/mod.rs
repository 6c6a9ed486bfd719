//! Oracles of the edge poll API, one file per concern.

mod ack;
mod backoff;
mod content;
mod credential;
mod interval;
mod redirect;
mod report;
#[cfg(test)]
mod tests;
mod transport;

use crate::Monitor;
use hil_trace::TraceHeader;

pub(crate) fn monitors(header: &TraceHeader) -> Vec<Box<dyn Monitor>> {
    vec![
        Box::new(credential::CredentialMonitor::default()),
        Box::new(ack::AckMonitor::new(header)),
        Box::new(interval::IntervalMonitor::new(header)),
        Box::new(backoff::BackoffMonitor::new(header)),
        Box::new(report::ReportMonitor::default()),
        Box::new(redirect::RedirectMonitor::default()),
        Box::new(content::ContentMonitor::default()),
        Box::new(transport::TransportMonitor::default()),
    ]
}
