//! State machines without I/O: (state, now, input) to answers, things to persist, and notes for the trace.

pub mod edge_poll;

use crate::store::Change;
use hil_fault::Artifact;
use hil_trace::{CertificateFacts, Stamp};
use hil_wire::http::{Request, Response};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The instant a core is asked at.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// On the bench's monotonic clock.
    pub stamp: Stamp,
    /// Wall time in Unix milliseconds.
    pub unix_ms: i64,
}

/// An HTTP request that reached a face.
#[derive(Clone, Copy, Debug)]
pub struct HttpCall<'a> {
    /// The face.
    pub face: &'a str,
    /// The request.
    pub request: &'a Request,
    /// The client certificate, if one was presented and accepted.
    pub peer: Option<&'a CertificateFacts>,
}

/// What a request is called in the protocol's vocabulary, and the facts faults can match.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operation {
    /// Such as `poll` or `ack`.
    pub name: String,
    /// Such as `id`.
    pub facts: Map<String, Value>,
}

/// What a core wants done besides its answer.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Changes of the store, to be committed before any answer leaves.
    pub changes: Vec<Change>,
    /// Notes for the trace: name and facts.
    pub notes: Vec<(String, Map<String, Value>)>,
}

impl Outputs {
    /// Leaves a note.
    pub fn note(&mut self, name: &str, facts: Value) {
        let facts = match facts {
            Value::Object(facts) => facts,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        self.notes.push((name.to_owned(), facts));
    }
}

/// Why the cloud could not do what a step asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// No such action.
    #[error("this cloud has no action `{0}`")]
    UnknownAction(String),
    /// An argument is missing or wrong.
    #[error("`{argument}`: {problem}")]
    BadArgument {
        /// The argument.
        argument: String,
        /// What is wrong.
        problem: String,
    },
    /// The thing named does not exist.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// Such as `command`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The cloud is not running.
    #[error("the mock cloud is stopped")]
    Stopped,
    /// The store failed.
    #[error("store: {0}")]
    Store(String),
}

/// The cloud side of one protocol.
pub trait Core {
    /// Faces it wants: names of listeners.
    fn faces(&self) -> &'static [&'static str];

    /// Collections of the store it uses.
    fn collections(&self) -> &'static [&'static str];

    /// Takes back what was stored before, by collection.
    fn load(&mut self, documents: BTreeMap<&'static str, Vec<(String, Value)>>);

    /// Names a request in the protocol's vocabulary.
    fn operation(&self, call: HttpCall<'_>) -> Operation;

    /// Handles a request.
    fn http(&mut self, now: Now, call: HttpCall<'_>, out: &mut Outputs) -> Response;

    /// Does what an operator or a scenario step asks for.
    fn act(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError>;

    /// The URL behind a named redirect target such as `second-origin` or `loop`; a URL stands for itself.
    fn redirect_target(&self, now: Now, target: &str, call: HttpCall<'_>) -> String;

    /// True for requests of operators, which do not belong to the unit.
    fn is_operator(&self, call: HttpCall<'_>) -> bool;
}
