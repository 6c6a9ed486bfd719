//! Records what happens to the unit behind an adapter, as its driver did it or as the adapter tells.

use crate::notice::Notice;
use hil_unit::trace::{Blame, ConsoleStream, RecordBody, SharedRecorder, UnitChange};
use serde_json::{Map, Value};
use std::cell::Cell;

/// The life of one unit, as it is recorded.
pub(crate) struct Life {
    recorder: SharedRecorder,
    boots: Cell<u64>,
    bytes: Cell<u64>,
    notices: Cell<u64>,
    full: Cell<bool>,
}

impl Life {
    pub(crate) fn new(recorder: SharedRecorder) -> Self {
        Life {
            recorder,
            boots: Cell::new(0),
            bytes: Cell::new(0),
            notices: Cell::new(0),
            full: Cell::new(false),
        }
    }

    /// Leaves a record of a change; starts of software are counted.
    pub(crate) fn change(&self, change: UnitChange, mut facts: Map<String, Value>) {
        if change == UnitChange::Booted {
            self.boots.set(self.boots.get() + 1);
            facts.insert("boot".to_owned(), self.boots.get().into());
        }
        self.recorder.record(RecordBody::Unit { change, facts });
    }

    /// Records what the adapter told by itself, up to a limit.
    pub(crate) fn notice(&self, notice: Notice) {
        self.notices.set(self.notices.get() + 1);
        if self.notices.get() > MOST_NOTICES {
            return self.flooded();
        }
        match notice {
            Notice::Console { stream, text } => self.output(stream, text.as_bytes()),
            Notice::Change { change, facts } => self.change(change, facts),
        }
    }

    /// Records output, up to a limit.
    pub(crate) fn output(&self, stream: ConsoleStream, bytes: &[u8]) {
        let total = self.bytes.get() + bytes.len() as u64;
        self.bytes.set(total);
        if total > MOST_BYTES {
            return self.flooded();
        }
        if !bytes.is_empty() {
            let payload = bytes.into();
            self.recorder.record(RecordBody::Console { stream, payload });
        }
    }

    /// Leaves a record of something that went wrong with the adapter.
    pub(crate) fn trouble(&self, text: String) {
        let blame = Blame::Lab;
        self.recorder.record(RecordBody::Trouble { blame, text });
    }

    fn flooded(&self) {
        if !self.full.replace(true) {
            self.trouble(format!(
                "the adapter tells more than {MOST_BYTES} bytes of output or {MOST_NOTICES} events; what follows is not \
                 recorded"
            ));
        }
    }
}

const MOST_BYTES: u64 = 16 * 1024 * 1024;
const MOST_NOTICES: u64 = 100_000;
