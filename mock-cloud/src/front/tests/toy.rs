//! A core that writes down what it is told and does what tests say, and a bench to run it on.

use crate::{
    MemoryStore,
    core::{ActError, Core, HttpCall, Now, Operation, Outputs, RedirectPlaces, Send},
    front::{Edge, FaceSecurity, Host, UnitFaces, serve_byte_face, serve_face, wake_when_due},
};
use hil_fault::{Artifact, FaultId, FaultSpec, Faults};
use hil_link::{Address, Clock, Network, Stream};
use hil_trace::{RecordBody, Recorder, Stamp};
use hil_wire::http::{Request, Response};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

/// Answers every WebSocket message with itself, every stream with its bytes in upper case.
#[derive(Default)]
pub(crate) struct Toy {
    told: Rc<RefCell<Vec<String>>>,
    wake_at: Option<Stamp>,
}

impl Toy {
    fn tell(&self, what: String) {
        self.told.borrow_mut().push(what);
    }
}

fn operation(name: &str) -> Operation {
    Operation {
        name: name.to_owned(),
        facts: Map::new(),
    }
}

impl Core for Toy {
    fn faces(&self) -> &'static [&'static str] {
        &["toy"]
    }

    fn collections(&self) -> &'static [&'static str] {
        &[]
    }

    fn load(&mut self, _: BTreeMap<&'static str, Vec<(String, Value)>>) {}

    fn operation(&self, call: HttpCall<'_>) -> Operation {
        operation(call.request.path())
    }

    fn http(&mut self, _: Now, call: HttpCall<'_>, _: &mut Outputs) -> Response {
        let name = call.peer.map_or("nobody", |peer| &peer.common_name);
        Response::json(200, &json!({ "peer": name }))
    }

    /// `wake` wakes the core after `after` seconds; `send` performs nothing but what the test queued.
    fn act(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        _: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError> {
        let text = |name: &str| {
            with.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match action {
            "wake" => {
                let after = with.get("after").and_then(Value::as_u64).unwrap_or_default();
                self.wake_at = Some(Stamp(now.stamp.0 + after * 1_000_000));
            }
            "call" => out.sends.push(Send::Call {
                call: 7,
                face: text("face"),
                request: match with.get("connection") {
                    None if with.contains_key("chunked") => {
                        let request = Request::new("POST", "/do").header("Transfer-Encoding", "chunked");
                        request.json(&json!("a text of two chunks"))
                    }
                    None => Request::new("POST", "/do").json(&json!({"a": 1})),
                    Some(_) => Request::new("GET", "/do").header("Connection", text("connection")),
                },
                operation: operation("do"),
                limit: Duration::from_secs(5),
                patience: std::time::Duration::ZERO,
            }),
            "open" => out.sends.push(Send::Open {
                link: 3,
                face: text("face"),
                websocket: with.get("target").map(|_| Request::new("GET", text("target"))),
            }),
            "close" => out.sends.push(Send::CloseWebSocket {
                connection: 1,
                code: 4000,
            }),
            "reset" => out.sends.push(Send::Reset { connection: 1 }),
            other => return Err(ActError::UnknownAction(other.to_owned())),
        }
        Ok(Map::new())
    }

    fn redirect_places(&self, _: Now, _: HttpCall<'_>) -> RedirectPlaces {
        RedirectPlaces::default()
    }

    fn upgrade(&mut self, _: Now, call: HttpCall<'_>, _: &mut Outputs) -> Result<(), Response> {
        match call.request.path() {
            "/socket" => Ok(()),
            _ => Err(Response::new(403)),
        }
    }

    fn websocket_opened(&mut self, _: Now, connection: u32, call: HttpCall<'_>, _: &mut Outputs) {
        self.tell(format!("websocket {connection} {}", call.request.target));
    }

    fn nack_for(&self, operation: &Operation, payload: &[u8], retry: Option<i64>) -> Option<Vec<u8>> {
        let text = String::from_utf8_lossy(payload);
        (operation.name == "echo").then(|| format!("nack of {text}, retry {retry:?}").into_bytes())
    }

    fn websocket_message(&mut self, _: Now, connection: u32, opcode: u8, payload: &[u8], out: &mut Outputs) {
        self.tell(format!("message {opcode} {}", String::from_utf8_lossy(payload)));
        if opcode < 8 && !payload.starts_with(b"quiet") {
            out.sends.push(Send::WebSocket {
                connection,
                opcode,
                payload: payload.to_vec(),
                operation: operation("echo"),
            });
        }
    }

    fn line_operation(&self, _: u32, _: &[u8]) -> Operation {
        operation("line")
    }

    fn bytes(&mut self, _: Now, connection: u32, payload: &[u8], out: &mut Outputs) {
        self.tell(format!("bytes {}", String::from_utf8_lossy(payload)));
        if !payload.is_empty() && payload.is_ascii() {
            out.sends.push(Send::Bytes {
                connection,
                payload: payload.to_ascii_uppercase(),
                operation: operation("upper"),
            });
        }
        if payload == b"last" {
            out.sends.push(Send::End { connection });
        }
    }

    fn stream_opened(&mut self, _: Now, connection: u32, face: &str, _: &mut Outputs) {
        self.tell(format!("stream {connection} {face}"));
    }

    fn link_opened(&mut self, _: Now, link: u64, result: Result<u32, String>, out: &mut Outputs) {
        self.tell(format!("link {link} {result:?}"));
        if let Ok(connection) = result {
            out.sends.push(Send::Bytes {
                connection,
                payload: b"hello".to_vec(),
                operation: operation("greet"),
            });
            out.sends.push(Send::WebSocket {
                connection,
                opcode: 1,
                payload: b"hello".to_vec(),
                operation: operation("greet"),
            });
        }
    }

    fn connection_closed(&mut self, _: Now, connection: u32, _: &mut Outputs) {
        self.tell(format!("closed {connection}"));
    }

    fn answered(&mut self, _: Now, call: u64, result: Result<Response, String>, _: &mut Outputs) {
        let result = result.map(|response| (response.status, String::from_utf8(response.body)));
        self.tell(format!("answered {call} {result:?}"));
    }

    fn next_wake(&self) -> Option<Stamp> {
        self.wake_at
    }

    fn wake(&mut self, now: Now, _: &mut Outputs) {
        self.wake_at = None;
        self.tell(format!("woken at {} ms", now.stamp.0 / 1000));
    }

    fn endpoints(&self, _: &dyn Fn(&str) -> String) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn is_operator(&self, _: HttpCall<'_>) -> bool {
        false
    }
}

/// Keeps records.
#[derive(Default)]
pub(crate) struct Trace(RefCell<Vec<RecordBody>>);

impl Recorder for Trace {
    fn record(&self, body: RecordBody) -> u64 {
        let mut records = self.0.borrow_mut();
        records.push(body);
        records.len() as u64 - 1
    }
}

/// A running host with its faces `toy` and `toy-bytes`.
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) network: Network,
    pub(crate) host: Rc<Host>,
    pub(crate) unit_faces: UnitFaces,
    trace: Rc<Trace>,
    told: Rc<RefCell<Vec<String>>>,
}

impl Bench {
    /// Starts one; must run inside a `LocalSet`.
    pub(crate) async fn start(security: Option<FaceSecurity>) -> Bench {
        Self::start_on(Clock::new_virtual(), Network::new_memory(), security).await
    }

    pub(crate) async fn start_on(clock: Clock, network: Network, security: Option<FaceSecurity>) -> Bench {
        let trace = Rc::new(Trace::default());
        let toy = Toy::default();
        let told = toy.told.clone();
        let unit_faces = UnitFaces::default();
        let host = Rc::new(Host::new(
            Box::new(toy),
            Rc::new(Edge::new(
                clock,
                trace.clone(),
                Rc::new(Faults::new(trace.clone(), 1)),
            )),
            network.clone(),
            unit_faces.clone(),
            (Rc::new(MemoryStore::default()), Rc::default()),
            (115_200, 1),
        ));
        if let Network::Memory(_) = &network {
            let listener = network.listen(&address("toy")).await.unwrap();
            tokio::task::spawn_local(serve_face(host.clone(), "toy", security, listener));
            let listener = network.listen(&address("toy-bytes")).await.unwrap();
            tokio::task::spawn_local(serve_byte_face(host.clone(), "toy-bytes", listener));
        }
        tokio::task::spawn_local(wake_when_due(host.clone()));
        Bench {
            clock,
            network,
            host,
            unit_faces,
            trace,
            told,
        }
    }

    pub(crate) async fn connect(&self, face: &str) -> Stream {
        self.network.connect(&address(face)).await.unwrap()
    }

    pub(crate) async fn act(&self, action: &str, with: Value) {
        self.host.act(action, with.as_object().unwrap()).await.unwrap();
    }

    pub(crate) fn arm(&self, name: &str, arguments: Value) -> FaultId {
        let spec = FaultSpec::parse(name, arguments.as_object().unwrap()).unwrap();
        self.host.edge.faults.arm(spec, true)
    }

    /// What the core was told, after everything has come to rest.
    pub(crate) async fn told(&self) -> Vec<String> {
        self.clock.sleep(Duration::from_millis(100)).await;
        self.told.borrow().clone()
    }

    /// The records in brief.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.trace.0.borrow().iter().map(brief).collect()
    }

    /// The bodies of the answers recorded.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let records = self.trace.0.borrow();
        let bodies = records.iter().filter_map(|record| match record {
            RecordBody::HttpResponse { body, .. } => Some(body.bytes()),
            _ => None,
        });
        bodies
            .map(|body| String::from_utf8_lossy(body).into_owned())
            .collect()
    }
}

pub(crate) fn address(face: &str) -> Address {
    Address::Host(face.to_owned(), 80)
}

/// Runs a test on a paused clock.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

fn brief(record: &RecordBody) -> String {
    match record {
        RecordBody::ConnectionOpened { connection, face, by } => {
            format!("opened {connection} {face} by {by:?}")
        }
        RecordBody::ConnectionClosed {
            connection,
            ending,
            by,
        } => {
            format!("closed {connection} {ending:?} by {by:?}")
        }
        RecordBody::HttpRequest {
            from,
            method,
            target,
            face,
            ..
        } => format!("{from:?} {method} {face} {target}"),
        RecordBody::HttpResponse { from, status, .. } => format!("{from:?} {status}"),
        RecordBody::HttpUnanswered { reason, .. } => format!("unanswered: {reason}"),
        RecordBody::WebSocketOpened { connection, exchange } => format!("websocket {connection} {exchange}"),
        RecordBody::WebSocketFrame {
            from,
            opcode,
            fin,
            payload,
            ..
        } => {
            let fin = if *fin { "" } else { "+" };
            format!("{from:?} {opcode}{fin} {payload:?}")
        }
        RecordBody::Bytes { from, payload, .. } => format!("{from:?} {payload:?}"),
        RecordBody::Fault { phase, facts, .. } => format!("{phase:?} {}", Value::Object(facts.clone())),
        RecordBody::TlsEstablished { version, peer, .. } => {
            let peer = peer.as_ref().map(|peer| &peer.common_name);
            format!("secured {version} {peer:?}")
        }
        RecordBody::TlsRefused { reason, .. } => format!("refused: {reason}"),
        other => format!("{other:?}"),
    }
}
