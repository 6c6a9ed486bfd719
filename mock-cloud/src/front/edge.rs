//! The single tap of the mock cloud: numbers connections and exchanges, leaves every record, and holds the faults.

use super::{exchange::can_strike, frame::Frame};
use crate::core::Operation;
use hil_fault::{
    ArtifactEffect, Effect, ExchangeEffect, Faults, HandshakeEffect, LineEffect, MessageEffect, Site,
};
use hil_link::{Clock, Place, Stream, disturbed};
use hil_trace::{Blame, CertificateFacts, Ending, HttpEnding, Party, Payload, RecordBody, SharedRecorder};
use hil_wire::http::{Request, Response};
use serde_json::{Map, Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

/// Where the cloud meets the outside.
pub(crate) struct Edge {
    pub(crate) clock: Clock,
    recorder: SharedRecorder,
    pub(crate) faults: Rc<Faults>,
    connections: Cell<u32>,
    exchanges: Cell<u32>,
    open: RefCell<BTreeSet<u32>>,
}

impl Edge {
    pub(crate) fn new(clock: Clock, recorder: SharedRecorder, faults: Rc<Faults>) -> Self {
        let (connections, exchanges) = (Cell::new(0), Cell::new(0));
        Edge {
            clock,
            recorder,
            faults,
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

    /// Lets faults come between both ends of a connection that was opened.
    pub(crate) fn disturbed(&self, connection: u32, face: &str, by: Party, stream: Stream) -> Stream {
        let facts = Map::from_iter([("by".to_owned(), json!(by))]);
        disturbed(stream, Place::new(self.faults.clone(), face, connection, facts))
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

    /// The effect of the fault that strikes this exchange, recorded as acted.
    pub(crate) fn strike(
        &self,
        exchange: u32,
        operation: &Operation,
        request: &Request,
    ) -> Option<ExchangeEffect> {
        let can = |effect: &Effect| matches!(effect, Effect::Exchange(effect) if can_strike(effect, request));
        let place = ("exchange", Some(exchange));
        let struck = self
            .faults
            .strike(Site::Exchange, &operation.name, &operation.facts, place, can)?;
        match struck.spec.effect {
            Effect::Exchange(effect) => Some(effect),
            _ => None,
        }
    }

    /// The effect of the fault that strikes an image about to be served, recorded as acted; `can` says whether an effect
    /// is possible.
    pub(crate) fn strike_artifact(
        &self,
        exchange: u32,
        operation: &Operation,
        can: impl Fn(&ArtifactEffect) -> bool,
    ) -> Option<ArtifactEffect> {
        let place = ("exchange", Some(exchange));
        let possible = |effect: &Effect| matches!(effect, Effect::Artifact(effect) if can(effect));
        let struck =
            self.faults
                .strike(Site::Artifact, &operation.name, &operation.facts, place, possible)?;
        match struck.spec.effect {
            Effect::Artifact(effect) => Some(effect),
            _ => None,
        }
    }

    /// The effect of the fault that strikes this handshake, recorded as acted; `mutual` says whether the unit must
    /// present a certificate.
    pub(crate) fn strike_handshake(
        &self,
        connection: u32,
        face: &str,
        mutual: bool,
    ) -> Option<HandshakeEffect> {
        let can = |effect: &Effect| match effect {
            Effect::Handshake(HandshakeEffect::Client(_)) => mutual,
            Effect::Handshake(_) => true,
            _ => false,
        };
        let place = ("connection", Some(connection));
        let struck = self
            .faults
            .strike(Site::Handshake, face, &Map::new(), place, can)?;
        let Effect::Handshake(effect) = struck.spec.effect else {
            return None;
        };
        let facts = json!({
            "connection": connection,
            "face": face,
            "certificate": effect.certificate().unwrap_or("good"),
            "version": effect.version().unwrap_or("any"),
        });
        self.note("tls_presented", facts.as_object().cloned().unwrap_or_default());
        Some(effect)
    }

    /// The effect of the fault that strikes this message, recorded as acted, and what the seed drew for it; `can` says whether an effect is possible
    /// for it. Messages without a name are never struck.
    pub(crate) fn strike_message(
        &self,
        connection: Option<u32>,
        operation: &Operation,
        can: impl Fn(&MessageEffect) -> bool,
    ) -> Option<(MessageEffect, u64)> {
        if operation.name.is_empty() {
            return None;
        }
        let possible = |effect: &Effect| matches!(effect, Effect::Message(effect) if can(effect));
        let place = ("connection", connection);
        let struck = self
            .faults
            .strike(Site::Message, &operation.name, &operation.facts, place, possible)?;
        match struck.spec.effect {
            Effect::Message(effect) => Some((effect, struck.draw)),
            _ => None,
        }
    }

    /// The effect of the fault that strikes bytes on a line, recorded as acted, and what the seed drew for it.
    pub(crate) fn strike_line(&self, connection: u32, operation: &Operation) -> Option<(LineEffect, u64)> {
        if operation.name.is_empty() {
            return None;
        }
        let place = ("connection", Some(connection));
        let struck = self
            .faults
            .strike(Site::Line, &operation.name, &operation.facts, place, |_| true)?;
        match struck.spec.effect {
            Effect::Line(effect) => Some((effect, struck.draw)),
            _ => None,
        }
    }
}
