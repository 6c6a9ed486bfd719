//! What the tests of several protocols share.

use hil_trace::{ClockKind, ScenarioRef, Tolerances, TraceHeader};
use hil_wire::Protocol;
use serde_json::Map;

/// The header of a trace on a virtual bench, in which nothing is known of the unit.
pub(crate) fn header(protocol: Protocol) -> TraceHeader {
    TraceHeader {
        format: TraceHeader::FORMAT,
        instance: "test".into(),
        protocol,
        scenario: ScenarioRef {
            path: String::new(),
            name: String::new(),
            text: String::new(),
            sha256: String::new(),
            verifies: Vec::new(),
        }
        .into(),
        seed: 0,
        repetition: 0,
        repeat_of: None,
        tool: String::new(),
        catalogue_sha256: String::new(),
        clock: ClockKind::Virtual,
        epoch_unix_us: 0,
        tolerances: Tolerances::default(),
        unit: "unit".into(),
        facts: Map::new(),
        ics: Map::new(),
        timing: Map::new(),
        prepare: Default::default(),
        params: Map::new(),
        extra_faults: Vec::new(),
        without_faults: false,
        sweep: None,
    }
}
