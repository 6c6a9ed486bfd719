//! The AosEdge cloud as a unit meets it: TLS with certificates on both sides, a WebSocket, messages and acks, a
//! restart, bad certificates.

use futures_util::{SinkExt, StreamExt};
use hil_fault::{Artifacts, FaultSpec, Faults};
use hil_link::{Clock, Network, Stream, tls::Connector};
use hil_mock_cloud::{CloudSettings, CloudSurroundings, MemoryStore, MockCloud};
use hil_trace::{RecordBody, Recorder};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

const FACE: &str = "aos-websocket";

#[test]
fn a_unit_is_acknowledged_over_mutual_tls() {
    run(async {
        let bench = Bench::start().await;
        let fault = json!({"on": "ack", "times": 1});
        let fault = FaultSpec::parse("cloud.withhold", fault.as_object().unwrap()).unwrap();
        bench.cloud.faults().arm(fault, true);
        let mut socket = bench.socket("online").await.unwrap();
        socket.send(status("first")).await.unwrap();
        socket.send(status("second")).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        let answer: Value = serde_json::from_slice(&answer.into_data()).unwrap();
        assert_eq!(
            (&answer["data"]["messageType"], &answer["header"]["txn"]),
            (&json!("ack"), &json!("second"))
        );

        let restart = json!({"down": 5});
        bench.act("restart", &restart).await;
        assert!(socket.next().await.is_none_or(|message| message.is_err()));
        let names = bench.names();
        let from = names.iter().position(|name| name == "closed").unwrap();
        assert_eq!(names[from..], ["closed", "cloud stopped", "cloud started"]);
        bench.socket("online").await.unwrap();
    });
}

#[test]
fn only_the_right_certificates_come_together() {
    run(async {
        let bench = Bench::start().await;
        let offline = bench.socket("offline").await;
        assert_eq!(offline.err().unwrap(), "HTTP error: 403 Forbidden");
        let expired = json!({"certificate": "expired", "on": FACE});
        let expired = FaultSpec::parse("tls.certificate", expired.as_object().unwrap()).unwrap();
        let fault = bench.cloud.faults().arm(expired, true);
        let refused = bench.socket("online").await;
        assert!(refused.err().unwrap().to_lowercase().contains("expired"));
        bench.cloud.faults().clear(fault);
        bench.socket("online").await.unwrap();
        let names = bench.names();
        assert_eq!(
            names.iter().filter(|name| *name == "refused").count(),
            1,
            "{names:?}"
        );
    });
}

#[test]
fn a_face_that_was_closed_stays_closed_when_the_others_are_released() {
    run(async {
        let bench = Bench::start().await;
        bench.cloud.hold();
        bench.act("close_face", &json!({"face": FACE})).await;
        bench.cloud.release().await.unwrap();
        // Listeners that were stopped end with the next turn of their tasks.
        bench.clock.sleep(Duration::from_millis(50)).await;
        let address = &bench.cloud.addresses()[FACE];
        assert!(bench.network.connect(address).await.is_err());
        bench.act("open_face", &json!({"face": FACE})).await;
        assert!(bench.network.connect(address).await.is_ok());
    });
}

struct Bench {
    cloud: MockCloud,
    clock: Clock,
    network: Network,
    trace: Rc<Trace>,
}

impl Bench {
    async fn start() -> Bench {
        let clock = Clock::new_virtual();
        let network = Network::new_memory();
        let trace = Rc::new(Trace::default());
        let settings = CloudSettings {
            protocol: Protocol::AosV7,
            bind: "cloud".to_owned(),
            advertised_host: "cloud".to_owned(),
            ports: BTreeMap::new(),
            public_url: None,
            unit_id: UNIT.to_owned(),
            unit_key: "key".to_owned(),
            admin_token: "admin".to_owned(),
            publish_token: "publish".to_owned(),
            options: Map::new(),
            seed: 1,
        };
        let surroundings = CloudSurroundings {
            clock,
            network: network.clone(),
            recorder: trace.clone(),
            faults: Rc::new(Faults::new(trace.clone(), 1)),
            store: Rc::new(MemoryStore::default()),
            artifacts: Artifacts::default(),
            unit_faces: BTreeMap::new(),
        };
        let cloud = MockCloud::start(settings, surroundings).await.unwrap();
        Bench {
            cloud,
            clock,
            network,
            trace,
        }
    }

    async fn socket(&self, identity: &str) -> Result<WebSocketStream<Stream>, String> {
        let identities = self.cloud.identities();
        let identity = &identities[identity];
        let connector = Connector::new(self.cloud.authority_pem(), Some(identity), &self.clock).unwrap();
        let stream = self.network.connect(&self.cloud.addresses()[FACE]).await.unwrap();
        let secured = connector.connect(stream, "cloud").await;
        let (stream, _) = secured.map_err(|error| error.to_string())?;
        let url = self.cloud.url(FACE).replacen("http", "ws", 1) + "/ws/v7/";
        let opened = client_async(url, stream).await;
        Ok(opened.map_err(|error| error.to_string())?.0)
    }

    async fn act(&self, action: &str, with: &Value) {
        self.cloud.act(action, with.as_object().unwrap()).await.unwrap();
    }

    fn names(&self) -> Vec<String> {
        self.trace.0.borrow().clone()
    }
}

/// Names of the records that say how connections and the cloud fare.
#[derive(Default)]
struct Trace(RefCell<Vec<String>>);

impl Recorder for Trace {
    fn record(&self, body: RecordBody) -> u64 {
        let name = match body {
            RecordBody::ConnectionClosed { .. } => "closed".to_owned(),
            RecordBody::TlsRefused { .. } => "refused".to_owned(),
            RecordBody::Cloud { name, .. } => format!("cloud {name}"),
            _ => return 0,
        };
        self.0.borrow_mut().push(name);
        0
    }
}

fn status(txn: &str) -> Message {
    let mut message: Vec<Value> = serde_json::from_str(MESSAGES).unwrap();
    let mut message = message.swap_remove(2)["message"].take();
    message["header"]["systemId"] = json!(UNIT);
    message["header"]["txn"] = json!(txn);
    Message::binary(message.to_string().into_bytes())
}

fn run(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    let limited = async { tokio::time::timeout(Duration::from_secs(3600), test).await };
    let done = tokio::task::LocalSet::new().block_on(&runtime, limited);
    done.expect("the test takes more than an hour of virtual time");
}

const UNIT: &str = "hil-unit-0001";
const MESSAGES: &str = include_str!("../../harness/wire/fixtures/aos-v7/measured.json");
