//! What the tests of several protocols share.

use hil_trace::TraceHeader;
use hil_wire::Protocol;

/// The header of a trace on a virtual bench, in which nothing is known of the unit.
pub(crate) fn header(protocol: Protocol) -> TraceHeader {
    TraceHeader {
        instance: "test".into(),
        unit: "unit".into(),
        ..TraceHeader::bare(protocol)
    }
}
