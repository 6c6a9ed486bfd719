//! Oracles of the AosEdge protocol, one file per concern. They judge what the trace proves: a message the unit may
//! not have received excuses what it does not do.

mod ack;
mod answer;
mod content;
mod discovery;
mod envelope;
mod form;
mod nack;
mod report;
mod request_key;
mod retry;
mod status;
#[cfg(test)]
mod tests;

use crate::Monitor;
use hil_trace::TraceHeader;

pub(crate) fn monitors(header: &TraceHeader) -> Vec<Box<dyn Monitor>> {
    vec![
        Box::new(envelope::EnvelopeMonitor::new(header)),
        Box::new(discovery::DiscoveryMonitor::new(header)),
        Box::new(ack::AckMonitor::new(header)),
        Box::new(nack::NackMonitor::new(header)),
        Box::new(status::StatusMonitor::new(header)),
        Box::new(answer::AnswerMonitor::default()),
        Box::new(content::ContentMonitor::default()),
        Box::new(report::ReportMonitor::new(header)),
        Box::new(retry::RetryMonitor::new(header)),
        Box::new(form::FormMonitor::default()),
    ]
}
