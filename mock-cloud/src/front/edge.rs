//! The single tap of the mock cloud: numbers connections and exchanges, leaves every record, and holds the faults.

use super::frame::Frame;
use crate::core::Operation;
use hil_fault::{Effect, FaultBoard, FaultId, FaultSpec, Struck};
use hil_link::Clock;
use hil_trace::{
    Blame, CertificateFacts, Ending, FaultPhase, HttpEnding, Party, Payload, RecordBody, SharedRecorder,
};
use hil_wire::http::{Request, Response};
use serde_json::{Map, Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

/// Where the cloud meets the outside.
pub(crate) struct Edge {
    pub(crate) clock: Clock,
    recorder: SharedRecorder,
    faults: RefCell<FaultBoard>,
    connections: Cell<u32>,
    exchanges: Cell<u32>,
    open: RefCell<BTreeSet<u32>>,
}

impl Edge {
    pub(crate) fn new(clock: Clock, recorder: SharedRecorder) -> Self {
        let (connections, exchanges) = (Cell::new(0), Cell::new(0));
        Edge {
            clock,
            recorder,
            faults: RefCell::default(),
            connections,
            exchanges,
            open: RefCell::default(),
        }
    }

    pub(crate) fn opened(&self, face: &str, by: Party) -> u32 {
        let connection = self.connections.get() + 1;
        self.connections.set(connection);
        self.open.borrow_mut().insert(connection);
        self.recorder.record(RecordBody::ConnectionOpened {
            connection,
            face: face.to_owned(),
            by,
        });
        connection
    }

    /// Records the end of a connection, once.
    pub(crate) fn closed(&self, connection: u32, ending: Ending, by: Party) {
        if !self.open.borrow_mut().remove(&connection) {
            return;
        }
        self.recorder.record(RecordBody::ConnectionClosed {
            connection,
            ending,
            by,
        });
    }

    /// Records that every connection ends because the cloud stops.
    pub(crate) fn all_closed(&self) {
        let open = self.open.borrow().clone();
        for connection in open {
            self.closed(connection, Ending::Fin, Party::Cloud);
        }
    }

    pub(crate) fn websocket_opened(&self, connection: u32, exchange: u32) {
        self.recorder
            .record(RecordBody::WebSocketOpened { connection, exchange });
    }

    pub(crate) fn frame(&self, connection: u32, from: Party, frame: &Frame) {
        self.recorder.record(RecordBody::WebSocketFrame {
            connection,
            from,
            opcode: frame.opcode,
            fin: frame.fin,
            payload: Payload::from(&frame.payload),
        });
    }

    pub(crate) fn bytes(&self, connection: u32, from: Party, bytes: &[u8]) {
        self.recorder.record(RecordBody::Bytes {
            connection,
            from,
            payload: Payload::from(bytes),
        });
    }

    /// Something the unit cannot be blamed for.
    pub(crate) fn trouble(&self, text: String) {
        self.recorder.record(RecordBody::Trouble {
            blame: Blame::Cloud,
            text,
        });
    }

    pub(crate) fn secured(&self, connection: u32, version: String, peer: Option<CertificateFacts>) {
        self.recorder.record(RecordBody::TlsEstablished {
            connection,
            version,
            peer,
        });
    }

    pub(crate) fn refused(&self, connection: u32, reason: String) {
        self.recorder
            .record(RecordBody::TlsRefused { connection, reason });
    }

    pub(crate) fn request(&self, connection: u32, face: &str, from: Party, request: &Request) -> u32 {
        let exchange = self.exchanges.get() + 1;
        self.exchanges.set(exchange);
        self.recorder.record(RecordBody::HttpRequest {
            connection,
            exchange,
            face: face.to_owned(),
            from,
            method: request.method.clone(),
            target: request.target.clone(),
            headers: request.headers.clone(),
            body: Payload::from(&request.body),
        });
        exchange
    }

    pub(crate) fn response(&self, exchange: u32, from: Party, response: &Response, ending: HttpEnding) {
        self.recorder.record(RecordBody::HttpResponse {
            exchange,
            from,
            status: response.status,
            headers: response.headers.clone(),
            body: Payload::from(&response.body),
            ending,
        });
    }

    pub(crate) fn unanswered(&self, exchange: u32, reason: &str) {
        self.recorder.record(RecordBody::HttpUnanswered {
            exchange,
            reason: reason.to_owned(),
        });
    }

    pub(crate) fn note(&self, name: &str, facts: Map<String, Value>) {
        self.recorder.record(RecordBody::Cloud {
            name: name.to_owned(),
            facts,
        });
    }

    pub(crate) fn arm(&self, spec: FaultSpec) -> FaultId {
        let (name, on, times) = (spec.name.clone(), spec.on.clone(), spec.times);
        let id = self.faults.borrow_mut().arm(spec);
        self.fault(id, &name, FaultPhase::Armed, json!({"on": on, "times": times}));
        id
    }

    /// Removes a fault; returns how often it acted.
    pub(crate) fn clear(&self, id: FaultId) -> Option<u32> {
        let (spec, acted) = self.faults.borrow_mut().clear(id)?;
        self.fault(id, &spec.name, FaultPhase::Cleared, json!({"acted": acted}));
        Some(acted)
    }

    pub(crate) fn clear_all(&self) {
        let ids = self.faults.borrow().ids();
        for id in ids {
            self.clear(id);
        }
    }

    /// The fault that strikes this exchange, recorded as acted.
    pub(crate) fn strike(&self, exchange: u32, operation: &Operation) -> Option<Struck> {
        let mut board = self.faults.borrow_mut();
        let struck = board.strike_where(&operation.name, &operation.facts, |spec| {
            !spec.effect.is_for_messages()
        })?;
        drop(board);
        let mut facts = Value::Object(operation.facts.clone());
        facts["on"] = json!(operation.name);
        facts["exchange"] = json!(exchange);
        self.fault(struck.id, &struck.spec.name, FaultPhase::Acted, facts);
        Some(struck)
    }

    /// The fault that strikes this message, recorded as acted; `can` says whether an effect on messages is possible
    /// for it. Messages without a name are never struck.
    pub(crate) fn strike_message(
        &self,
        connection: Option<u32>,
        operation: &Operation,
        can: impl Fn(&Effect) -> bool,
    ) -> Option<Struck> {
        if operation.name.is_empty() {
            return None;
        }
        let mut board = self.faults.borrow_mut();
        let struck = board.strike_where(&operation.name, &operation.facts, |spec| {
            spec.effect.is_for_messages() && can(&spec.effect)
        })?;
        drop(board);
        let mut facts = Value::Object(operation.facts.clone());
        facts["on"] = json!(operation.name);
        if let Some(connection) = connection {
            facts["connection"] = json!(connection);
        }
        self.fault(struck.id, &struck.spec.name, FaultPhase::Acted, facts);
        Some(struck)
    }

    fn fault(&self, id: FaultId, name: &str, phase: FaultPhase, facts: Value) {
        let facts = facts.as_object().cloned().unwrap_or_default();
        self.recorder.record(RecordBody::Fault {
            id: id.0,
            name: name.to_owned(),
            phase,
            facts,
        });
    }
}
