//! Where taps leave what they saw.

use crate::RecordBody;
use std::rc::Rc;

/// The one way into a trace. Recording is synchronous and never waits.
pub trait Recorder {
    /// Numbers, stamps and keeps one record; returns its sequence number.
    fn record(&self, body: RecordBody) -> u64;
}

/// A recorder shared by the taps of one bench.
pub type SharedRecorder = Rc<dyn Recorder>;
