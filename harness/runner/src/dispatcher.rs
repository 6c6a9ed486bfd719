//! The one place records pass through: numbered, stamped, kept, judged; then whoever waits is woken.

use crate::{
    Redaction,
    faults::Tripwire,
    judge::{Judgement, skipped},
};
use hil_link::Clock;
use hil_trace::{
    Catalogue, INLINE_LIMIT, InstanceSummary, Payload, Record, RecordBody, Recorder, Stamp, Trace,
    TraceHeader, Verdict,
};
use std::{
    cell::{Ref, RefCell},
    rc::Rc,
};
use tokio::sync::Notify;

/// The recorder of one bench.
pub struct Dispatcher {
    clock: Clock,
    state: RefCell<State>,
    changed: Notify,
    redaction: Redaction,
}

struct State {
    records: Vec<Record>,
    judgement: Judgement,
    closed: bool,
    /// Large payloads seen so far: what comes again is kept once.
    large: Vec<Payload>,
    /// Events that faults wait for.
    tripwires: Vec<Rc<Tripwire>>,
    /// What the unit's adapter was asked first that it does not implement.
    not_implemented: Option<String>,
}

impl State {
    fn share_payload(&mut self, record: &mut Record) {
        let Some(payload) = record.payload_mut().filter(|p| p.length() > INLINE_LIMIT as u64) else {
            return;
        };
        match self.large.iter().find(|known| *known == payload) {
            Some(known) => *payload = known.clone(),
            None => self.large.push(payload.clone()),
        }
    }
}

impl Dispatcher {
    /// A dispatcher for a trace that begins now.
    pub fn new(
        clock: Clock,
        header: &TraceHeader,
        catalogue: Rc<Catalogue>,
        redaction: Redaction,
    ) -> Rc<Self> {
        let judgement = Judgement::new(header, catalogue);
        let state = RefCell::new(State {
            records: Vec::new(),
            judgement,
            closed: false,
            large: Vec::new(),
            tripwires: Vec::new(),
            not_implemented: None,
        });
        Rc::new(Dispatcher {
            clock,
            state,
            changed: Notify::new(),
            redaction,
        })
    }

    /// The clock it stamps with.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn judgement(&self) -> Ref<'_, Judgement> {
        Ref::map(self.state.borrow(), |state| &state.judgement)
    }

    /// Lets deadlines pass up to now.
    pub(crate) fn expire(&self) {
        self.state.borrow_mut().judgement.expire(self.clock.now());
    }

    /// The next record, to be waited for.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// Watches for an event from now on.
    pub(crate) fn watch_for(&self, tripwire: Rc<Tripwire>) {
        self.state.borrow_mut().tripwires.push(tripwire);
    }

    /// The unit's adapter said that it does not implement something: unless more than that was found, the instance is not
    /// exercised.
    pub(crate) fn not_implemented(&self, what: &str) {
        self.state
            .borrow_mut()
            .not_implemented
            .get_or_insert_with(|| what.to_owned());
    }

    /// Number of records so far.
    pub fn count(&self) -> u64 {
        self.state.borrow().records.len() as u64
    }

    /// The trace and its judgement; the dispatcher is empty afterwards.
    pub(crate) fn finish(
        &self,
        header: TraceHeader,
        catalogue: Rc<Catalogue>,
        strict: bool,
    ) -> (Trace, InstanceSummary) {
        let mut state = self.state.borrow_mut();
        let judgement = std::mem::replace(&mut state.judgement, Judgement::new(&header, catalogue));
        let records = std::mem::take(&mut state.records);
        state.closed = true;
        let mut trace = Trace {
            header: header.clone(),
            records,
            skipped: None,
        };
        let summary = judgement.finish(header, strict);
        match state.not_implemented.take() {
            Some(what) if !matches!(summary.verdict, Verdict::Fail | Verdict::Error) => {
                let reason = format!("not exercised: the unit's adapter does not implement {what}");
                trace.records.clear();
                trace.skipped = Some(reason.clone());
                (trace, skipped(summary.header, reason))
            }
            _ => (trace, summary),
        }
    }
}

impl Recorder for Dispatcher {
    fn record(&self, what: RecordBody) -> u64 {
        let what = self.redaction.apply(what);
        let at: Stamp = self.clock.now();
        let mut state = self.state.borrow_mut();
        let seq = state.records.len() as u64;
        if state.closed {
            return seq;
        }
        state.closed = matches!(what, RecordBody::Closed { .. });
        let mut record = Record { seq, at, what };
        state.share_payload(&mut record);
        let events = state.judgement.observe(&record);
        state
            .tripwires
            .retain(|tripwire| !events.iter().any(|event| tripwire.trips(event)));
        state.records.push(record);
        drop(state);
        self.changed.notify_waiters();
        seq
    }
}
