//! The recorder of a served cloud: the last records in memory, all of them in a file if asked for.

use hil_link::Clock;
use hil_monitor::{View, view_for};
use hil_runner::{Redaction, Stage, Tripwire};
use hil_trace::{Record, RecordBody, Recorder};
use hil_wire::Protocol;
use serde::Serialize;
use serde_json::Map;
use std::{cell::RefCell, collections::VecDeque, fs::File, io::Write, rc::Rc, time::Duration};
use tokio::sync::Notify;

/// Numbers and stamps records and keeps the last of them.
pub(super) struct TraceKeeper {
    clock: Clock,
    protocol: Protocol,
    keep: usize,
    redaction: Redaction,
    state: RefCell<State>,
    grown: Notify,
}

struct State {
    next: u64,
    /// Reads events from records while faults wait for some.
    watch: Option<Watch>,
    records: VecDeque<(Record, usize)>,
    bytes: usize,
    file: Option<TraceFile>,
}

/// Events that faults wait for, and the view that sees them.
struct Watch {
    view: Box<dyn View>,
    tripwires: Vec<Rc<Tripwire>>,
}

/// Where records are appended, one JSON object for each line: `protocol`, `seq`, `at` (microseconds), `what`.
pub(super) struct TraceFile {
    protocol: Protocol,
    file: File,
}

#[derive(Serialize)]
struct Line<'a> {
    protocol: Protocol,
    #[serde(flatten)]
    record: &'a Record,
}

impl TraceKeeper {
    pub(super) fn new(
        clock: Clock,
        keep: usize,
        redaction: Redaction,
        file: Option<TraceFile>,
        protocol: Protocol,
    ) -> Self {
        let state = State {
            next: 0,
            watch: None,
            records: VecDeque::new(),
            bytes: 0,
            file,
        };
        TraceKeeper {
            clock,
            protocol,
            keep,
            redaction,
            state: RefCell::new(state),
            grown: Notify::new(),
        }
    }

    /// At most `limit` records behind a sequence number (from the oldest that is kept), and the number the next
    /// record will have.
    pub(super) fn after(&self, seq: Option<u64>, limit: usize) -> (Vec<Record>, u64) {
        let state = self.state.borrow();
        let behind = state
            .records
            .iter()
            .filter(|(record, _)| seq.is_none_or(|seq| record.seq > seq));
        (
            behind.take(limit).map(|(record, _)| record.clone()).collect(),
            state.next,
        )
    }

    /// Waits until there is a record behind a sequence number, at most for `limit`.
    pub(super) async fn wait_for(&self, seq: Option<u64>, limit: Duration) {
        let first = seq.map_or(0, |seq| seq.saturating_add(1));
        let grown = async {
            loop {
                let grown = self.grown.notified();
                if self.state.borrow().next > first {
                    return;
                }
                grown.await;
            }
        };
        tokio::select! {
            () = grown => {}
            () = self.clock.sleep(limit) => {}
        }
    }
}

impl Recorder for TraceKeeper {
    fn record(&self, what: RecordBody) -> u64 {
        let what = self.redaction.apply(what);
        let at = self.clock.now();
        let mut state = self.state.borrow_mut();
        let seq = state.next;
        state.next += 1;
        let mut record = Record { seq, at, what };
        if let Some(watch) = &mut state.watch {
            let events = watch.view.events(&record);
            watch
                .tripwires
                .retain(|tripwire| !events.iter().any(|event| tripwire.trips(event)));
            if watch.tripwires.is_empty() {
                state.watch = None;
            }
        }
        if let Some(file) = &mut state.file
            && let Err(error) = file.append(&record)
        {
            tracing::error!("trace.jsonl cannot be written any more: {error}");
            state.file = None;
        }
        let size = record.payload_mut().map_or(0, |payload| payload.length()) as usize;
        state.bytes += size;
        state.records.push_back((record, size));
        while state.records.len() > self.keep || (state.bytes > KEEP_BYTES && state.records.len() > 1) {
            match state.records.pop_front() {
                Some((_, size)) => state.bytes -= size,
                None => break,
            }
        }
        drop(state);
        self.grown.notify_waiters();
        seq
    }
}

impl Stage for TraceKeeper {
    fn clock(&self) -> Clock {
        self.clock
    }

    /// The view begins with the first tripwire; connections that are open it knows from the records that are kept.
    fn stretch(&self, tripwire: Rc<Tripwire>) {
        let mut state = self.state.borrow_mut();
        let mut watch = state.watch.take().unwrap_or_else(|| {
            let mut view = view_for(self.protocol, &Map::new());
            for (record, _) in &state.records {
                view.events(record);
            }
            Watch {
                view,
                tripwires: Vec::new(),
            }
        });
        watch.tripwires.push(tripwire);
        state.watch = Some(watch);
    }
}

impl TraceFile {
    pub(super) fn new(protocol: Protocol, file: File) -> Self {
        TraceFile { protocol, file }
    }

    fn append(&mut self, record: &Record) -> std::io::Result<()> {
        let line = Line {
            protocol: self.protocol,
            record,
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

/// Payloads kept in memory for one protocol.
const KEEP_BYTES: usize = 64 << 20;
