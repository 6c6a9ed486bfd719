//! The agent without a shell: samples of the codec that only a unit can judge.

use super::{AosKind, agent::AosAgent, store::Store};
use crate::{Agent, Context, Frame, Hardware, Input, Kind, Output, Setup, SocketId, TimerId};
use hil_trace::Stamp;
use hil_wire::http::Headers;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};
use std::time::Duration;

struct Bench {
    agent: AosAgent,
    hardware: Hardware,
    rng: StdRng,
    setup: Setup,
    now: Stamp,
}

impl Bench {
    /// A unit with an open WebSocket whose first status is acknowledged.
    fn connected() -> Self {
        let mut setup = Setup {
            timing: AosKind.timing(),
            ics: AosKind.ics(),
            artifacts: AosKind.artifacts(),
            ..Setup::default()
        };
        setup.endpoints.set("system_id", "hil-unit-0001");
        setup.endpoints.set("discovery_url", "http://cloud:1/sd/v7/");
        let mut hardware = Hardware::default();
        AosKind.provision(&Map::new(), &setup, &mut hardware).unwrap();
        let agent = AosAgent::new(&setup, &hardware);
        let mut bench = Bench {
            agent,
            hardware,
            rng: StdRng::seed_from_u64(1),
            setup,
            now: Stamp(0),
        };
        bench.feed(Input::Boot);
        let body = json!({"connectionInfo": ["ws://cloud:1/ws/v7/"], "nextRequestDelay": 1000});
        bench.feed(Input::HttpAnswer {
            request: super::agent::DISCOVERY,
            response: hil_wire::http::Response::json(200, &body),
        });
        let sent = bench.feed(Input::WsOpened {
            socket: SocketId(1),
            headers: Headers::new(),
        });
        assert_eq!(kinds(&sent), ["unitStatus"]);
        let txn = sent[0]["header"]["txn"].as_str().unwrap().to_owned();
        assert!(bench.receive(&message("ack", &txn, json!({}))).is_empty());
        bench
    }

    /// Feeds one input; gives the messages sent.
    fn feed(&mut self, input: Input) -> Vec<Value> {
        let mut outputs = Vec::new();
        let mut context = Context::new(
            &mut self.hardware,
            &mut self.rng,
            &self.setup,
            self.now,
            1_767_225_600_000_000,
            &mut outputs,
        );
        self.agent.handle(input, &mut context);
        outputs
            .into_iter()
            .filter_map(|output| match output {
                Output::SendWs(_, frame) if frame.opcode == 2 => serde_json::from_slice(&frame.payload).ok(),
                _ => None,
            })
            .collect()
    }

    fn receive(&mut self, text: &str) -> Vec<Value> {
        self.feed(Input::WsFrame {
            socket: SocketId(1),
            frame: Frame::new(2, text.as_bytes().to_vec()),
        })
    }

    /// An ordinary request is acknowledged and answered.
    fn is_alive(&mut self) -> bool {
        let request = message("overrideEnvVars", "any txn", json!({"items": []}));
        kinds(&self.receive(&request)) == ["ack", "overrideEnvVarsStatus"]
    }
}

fn message(message_type: &str, txn: &str, mut data: Value) -> String {
    data["messageType"] = json!(message_type);
    let header = json!({"version": 7, "systemId": "hil-unit-0001", "createdAt": "2026-03-02T09:15:07.151352Z", "txn": txn});
    json!({"header": header, "data": data}).to_string()
}

fn kinds(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message["data"]["messageType"].as_str().unwrap_or_default())
        .collect()
}

fn samples() -> Vec<Value> {
    let text = include_str!("../../../../harness/wire/fixtures/aos-v7/invalid.json");
    let all: Vec<Value> = serde_json::from_str(text).unwrap();
    all.into_iter()
        .filter(|sample| sample["direction"] == "cloud_to_unit")
        .collect()
}

#[test]
fn broken_messages_are_neither_acknowledged_nor_done() {
    for sample in samples() {
        let weighs = |oddity: &Value| oddity["weight"] == "invalid";
        let invalid = sample["expect"]
            .as_array()
            .is_some_and(|list| list.iter().any(weighs));
        let text = match (&sample["text"], &sample["message"]) {
            (Value::String(text), _) => text.clone(),
            (_, message) if message.is_object() => message.to_string(),
            _ => continue,
        };
        if sample["class"] == "codec" && invalid {
            let mut bench = Bench::connected();
            assert!(bench.receive(&text).is_empty(), "{}", sample["id"]);
            assert!(bench.is_alive(), "{}", sample["id"]);
        }
    }
}

#[test]
fn samples_only_a_unit_can_judge() {
    for sample in samples().into_iter().filter(|sample| sample["class"] == "unit") {
        let mut bench = Bench::connected();
        let sent = bench.receive(&sample["message"].to_string());
        let expected: &[&str] = match sample["id"].as_str() {
            // for another unit; a nack and an ack for nothing
            Some("INV-016" | "INV-017" | "INV-048" | "INV-049") => &[],
            // a wrong checksum is rejected
            Some("INV-037") => &["ack", "stateAcceptance"],
            // nobody waits for these blobs
            Some("INV-043") => &["ack"],
            other => panic!("a sample without a test: {other:?}: {sent:?}"),
        };
        assert_eq!(kinds(&sent), expected, "{}", sample["id"]);
        assert!(Store::load(&bench.hardware.flash).states.is_empty());
        assert!(bench.is_alive());
    }
}

#[test]
fn without_an_ack_the_connection_is_given_up_and_the_message_sent_again() {
    let mut bench = Bench::connected();
    let request = message(
        "requestLog",
        "t",
        json!({
            "correlationId": "c",
            "logType": "systemLog",
            "filter": {"nodeIds": [{"codename": "nowhere"}]},
        }),
    );
    let sent = bench.receive(&request);
    assert_eq!(kinds(&sent), ["ack", "pushLog"]);
    bench.now = bench.now + Duration::from_secs(10);
    assert!(bench.feed(Input::Timer(TimerId(2))).is_empty());
    bench.feed(Input::Timer(TimerId(1)));
    let again = bench.feed(Input::WsOpened {
        socket: SocketId(3),
        headers: Headers::new(),
    });
    assert_eq!(kinds(&again), ["pushLog", "unitStatus"]);
    assert_eq!(again[0], sent[1]);
}
