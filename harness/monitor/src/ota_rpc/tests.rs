//! Traces by hand: clean ones pass, and each violation is stated once it is proven.

use super::monitors;
use crate::{Judge, View, testing::header, view_for};
use hil_trace::{
    Catalogue, Finding, HowClosed, HttpEnding, Party, Payload, Record, RecordBody, Stamp, Verdict,
};
use hil_wire::{
    Protocol,
    http::Headers,
    ota_rpc::{
        Frame, RpcError, encode,
        mqtt::{
            ConnAck, Connect, ConnectReturnCode, Packet, Publish, QoS, SubAck, Subscribe, SubscribeReasonCode,
        },
        uart::caller_line,
    },
};
use serde_json::{Value, json};

struct Bench {
    records: Vec<RecordBody>,
    at: Vec<u64>,
    exchanges: u32,
    millis: u64,
}

impl Bench {
    fn new() -> Self {
        Bench {
            records: Vec::new(),
            at: Vec::new(),
            exchanges: 0,
            millis: 0,
        }
    }

    fn push(&mut self, what: RecordBody) {
        self.records.push(what);
        self.at.push(self.millis);
    }

    fn http(&mut self, target: &str, request: &[u8], status: u16, answer: Value) {
        self.exchanges += 1;
        let exchange = self.exchanges;
        self.push(RecordBody::HttpRequest {
            connection: 1,
            exchange,
            face: "rpc-http".into(),
            from: Party::Cloud,
            method: "POST".into(),
            target: target.into(),
            headers: Headers::new(),
            body: Payload::from(request),
        });
        let body = format!("{answer}\r\n");
        self.push(RecordBody::HttpResponse {
            exchange,
            from: Party::Unit,
            status,
            headers: Headers::new().with("Content-Length", body.len().to_string()),
            body: Payload::from(body),
            ending: HttpEnding::Complete,
        });
    }

    fn call(&mut self, id: i64, method: &str, arguments: Value, result: Value) {
        let frame = Frame::request(id, method, Some(arguments));
        let reply = frame.reply("unit", result).unwrap().to_value();
        self.http("/rpc", &encode(&frame), 200, reply);
    }

    fn version(&mut self, id: i64, version: &str) {
        self.call(
            id,
            "Sys.GetInfo",
            json!({}),
            json!({"fw_version": version, "uptime": 1}),
        );
    }

    /// Findings as requirement and verdict.
    fn judge(self) -> Vec<(String, Verdict)> {
        let header = header(Protocol::OtaRpc);
        let catalogue = Catalogue::default();
        let mut view = view_for(header.protocol, &header.ics);
        let mut monitors = monitors(&header);
        let mut findings: Vec<Finding> = Vec::new();
        let last = self.millis;
        for (seq, (what, millis)) in self.records.into_iter().zip(self.at).enumerate() {
            let record = Record {
                seq: seq as u64,
                at: Stamp(millis * 1000),
                what,
            };
            let events = View::events(&mut *view, &record);
            for monitor in &mut monitors {
                let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
                monitor.observe(&record, &events, &mut judge);
            }
        }
        for monitor in &mut monitors {
            let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
            monitor.close(Stamp(last * 1000), HowClosed::Complete, &mut judge);
        }
        findings
            .into_iter()
            .map(|finding| (finding.requirement.unwrap(), finding.verdict))
            .collect()
    }
}

fn verdict(findings: &[(String, Verdict)], requirement: &str) -> Option<Verdict> {
    findings
        .iter()
        .filter(|(name, _)| name == requirement)
        .map(|(_, verdict)| *verdict)
        .max()
}

fn window(spans: &[(u64, &str)]) -> Vec<(String, Verdict)> {
    let mut bench = Bench::new();
    bench.version(1, "1.0");
    let update = Frame::request(
        2,
        "OTA.Update",
        Some(json!({"url": "http://h/x", "commit_timeout": "30"})),
    );
    let reply =
        json!({"id": 2, "src": "unit", "error": {"code": 0, "message": "Update applied, finalizing"}});
    bench.http("/rpc", &encode(&update), 200, reply);
    for (index, (millis, version)) in spans.iter().enumerate() {
        bench.millis = *millis;
        bench.version(3 + index as i64, version);
    }
    bench.judge()
}

#[test]
fn a_clean_exchange_passes() {
    let mut bench = Bench::new();
    let state = json!({"active_slot": 0, "is_committed": true, "revert_slot": 0, "commit_timeout": 0});
    bench.call(1, "OTA.GetBootState", json!({}), state.clone());
    bench.http("/rpc/OTA.GetBootState", b"", 200, state);
    bench.http("/rpc/OTA.Nope", b"", 404, json!({"code": 404}));
    let findings = bench.judge();
    assert!(
        findings.iter().all(|(_, verdict)| *verdict == Verdict::Pass),
        "{findings:?}"
    );
    for id in [
        "OTA-RPC-001",
        "OTA-HTTP-001",
        "OTA-HTTP-002",
        "OTA-HTTP-003",
        "OTA-HTTP-005",
        "OTA-BOOT-001",
    ] {
        assert_eq!(verdict(&findings, id), Some(Verdict::Pass), "{id}");
    }
}

#[test]
fn another_id_status_or_type_is_seen() {
    let mut bench = Bench::new();
    let frame = Frame::request(1, "OTA.GetBootState", None);
    bench.http(
        "/rpc",
        &encode(&frame),
        200,
        json!({"id": 2, "result": {"active_slot": "0"}}),
    );
    bench.http("/rpc/OTA.Nope", b"", 500, json!({"code": 404}));
    bench.http("/rpc", &encode(&frame), 500, json!({"code": -1}));
    let findings = bench.judge();
    for id in ["OTA-RPC-001", "OTA-HTTP-001", "OTA-HTTP-003", "OTA-BOOT-001"] {
        assert_eq!(verdict(&findings, id), Some(Verdict::Fail), "{id}");
    }
}

#[test]
fn a_commit_is_for_good() {
    let story = |after: &str| {
        let mut bench = Bench::new();
        bench.version(1, "2.0");
        bench.call(2, "OTA.Commit", json!({}), Value::Null);
        bench.version(3, after);
        verdict(&bench.judge(), "OTA-COMMIT-005")
    };
    assert_eq!(story("2.0"), Some(Verdict::Pass));
    assert_eq!(story("1.0"), Some(Verdict::Fail));
}

#[test]
fn a_commit_is_for_what_an_update_brought() {
    let mut bench = Bench::new();
    bench.version(1, "1.0");
    bench.call(
        2,
        "OTA.Update",
        json!({"url": "http://h/f", "commit_timeout": 30}),
        Value::Null,
    );
    bench.version(3, "1.0");
    bench.call(4, "OTA.Commit", json!({}), Value::Null);
    bench.version(5, "2.0");
    assert_ne!(verdict(&bench.judge(), "OTA-COMMIT-005"), Some(Verdict::Fail));
}

#[test]
fn windows_end_neither_early_nor_late() {
    let in_time = window(&[(1_000, "2.0"), (30_900, "2.0"), (31_500, "1.0")]);
    assert_eq!(verdict(&in_time, "OTA-TIME-001"), Some(Verdict::Pass));
    assert_eq!(verdict(&in_time, "OTA-TIME-002"), None);
    let early = window(&[(1_000, "2.0"), (20_000, "1.0")]);
    assert_eq!(verdict(&early, "OTA-TIME-001"), Some(Verdict::Fail));
    let late = window(&[(1_000, "2.0"), (33_000, "2.0")]);
    assert_eq!(verdict(&late, "OTA-TIME-002"), Some(Verdict::Fail));
    let never_new = window(&[(1_000, "1.0"), (20_000, "1.0")]);
    assert_eq!(verdict(&never_new, "OTA-TIME-001"), None);
}

#[test]
fn serial_checksums_stay_once_they_were_used() {
    let story = |answer: &[u8]| {
        let mut bench = Bench::new();
        bench.push(RecordBody::ConnectionOpened {
            connection: 4,
            face: "rpc-serial".into(),
            by: Party::Cloud,
        });
        let call = caller_line(&encode(&Frame::request(1, "OTA.GetBootState", None)), true);
        for (from, bytes) in [(Party::Cloud, &call[..]), (Party::Unit, answer)] {
            bench.push(RecordBody::Bytes {
                connection: 4,
                from,
                payload: Payload::from(bytes),
            });
        }
        verdict(&bench.judge(), "OTA-UART-003")
    };
    let json = br#"{"id":1,"result":null}"#;
    let checked = [b"\n".as_slice(), &caller_line(json, true)].concat();
    let plain = [b"\n".as_slice(), &caller_line(json, false)].concat();
    assert_eq!(story(&checked), Some(Verdict::Pass));
    assert_eq!(story(&plain), Some(Verdict::Fail));
}

#[test]
fn an_answer_belongs_to_the_proper_call_where_damage_made_up_its_id() {
    let answer = [
        b"\n".as_slice(),
        &caller_line(br#"{"id":1,"result":null}"#, false),
    ]
    .concat();
    let proper = caller_line(&encode(&Frame::request(1, "OTA.GetBootState", None)), false);
    let mut damaged = caller_line(&encode(&Frame::request(1, "OTA.Commit", None)), true);
    let last = damaged.len() - 2;
    damaged[last] = if damaged[last] == b'0' { b'1' } else { b'0' };
    let story = |calls: &[&[u8]]| {
        let mut bench = Bench::new();
        bench.push(RecordBody::ConnectionOpened {
            connection: 4,
            face: "rpc-serial".into(),
            by: Party::Cloud,
        });
        let calls = calls.iter().map(|call| (Party::Cloud, *call));
        for (from, bytes) in calls.chain([(Party::Unit, &answer[..])]) {
            bench.push(RecordBody::Bytes {
                connection: 4,
                from,
                payload: Payload::from(bytes),
            });
        }
        verdict(&bench.judge(), "OTA-UART-002")
    };
    assert_eq!(story(&[&damaged]), Some(Verdict::Fail));
    assert_eq!(story(&[&damaged, &proper]), None);
    assert_eq!(story(&[&proper, &damaged]), None);
}

#[test]
fn what_the_line_kept_from_before_is_nobodys_fault() {
    let story = |bytes: &[(Party, &[u8])]| {
        let mut bench = Bench::new();
        bench.push(RecordBody::ConnectionOpened {
            connection: 4,
            face: "rpc-serial".into(),
            by: Party::Cloud,
        });
        for (from, bytes) in bytes {
            bench.push(RecordBody::Bytes {
                connection: 4,
                from: *from,
                payload: Payload::from(*bytes),
            });
        }
        verdict(&bench.judge(), "OTA-RPC-001")
    };
    let call = caller_line(&encode(&Frame::request(1, "OTA.GetBootState", None)), false);
    let own = [
        b"\n".as_slice(),
        &caller_line(br#"{"id":1,"result":null}"#, false),
    ]
    .concat();
    let strange = [
        b"\n".as_slice(),
        &caller_line(br#"{"id":77,"result":null}"#, false),
    ]
    .concat();
    use Party::{Cloud, Unit};
    let left_over = story(&[(Cloud, &call), (Unit, &strange), (Unit, &own)]);
    assert_eq!(left_over, Some(Verdict::Pass));
    let later = story(&[(Cloud, &call), (Unit, &own), (Unit, &strange)]);
    assert_eq!(later, Some(Verdict::Fail));
    let instead = story(&[(Cloud, &call), (Unit, &strange)]);
    assert_eq!(instead, Some(Verdict::Fail));
}

/// A client of the broker that subscribes, gets one call, and replies to some topics.
fn over_mqtt(call: &Frame, replies: &[(&str, Frame)]) -> Vec<(String, Verdict)> {
    let mut bench = Bench::new();
    bench.push(RecordBody::ConnectionOpened {
        connection: 1,
        face: "mqtt-broker".into(),
        by: Party::Unit,
    });
    let publish = |topic: &str, frame: &Frame| {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, encode(frame));
        publish.pkid = 1;
        Packet::Publish(publish)
    };
    let mut subscribe = Subscribe::new("u1/rpc", QoS::AtLeastOnce);
    subscribe.pkid = 1;
    let granted = SubAck::new(1, vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)]);
    let mut said = vec![
        (Party::Unit, Packet::Connect(Connect::new("u1"))),
        (
            Party::Cloud,
            Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false)),
        ),
        (Party::Unit, Packet::Subscribe(subscribe)),
        (Party::Cloud, Packet::SubAck(granted)),
        (Party::Cloud, publish("u1/rpc", call)),
    ];
    said.extend(
        replies
            .iter()
            .map(|(topic, reply)| (Party::Unit, publish(topic, reply))),
    );
    for (from, packet) in said {
        bench.push(RecordBody::Bytes {
            connection: 1,
            from,
            payload: Payload::from(hil_wire::ota_rpc::mqtt::encode(&packet).to_vec()),
        });
    }
    let ours = |(requirement, _): &(String, Verdict)| requirement.starts_with("OTA-MQTT");
    bench.judge().into_iter().filter(ours).collect()
}

#[test]
fn replies_over_mqtt_belong_to_the_topic_of_the_sender() {
    let mut call = Frame::request(1, "OTA.GetBootState", None);
    call.src = Some("me".to_owned());
    let reply = call.reply("u1", json!({})).unwrap();
    let right = || ("OTA-MQTT-001".to_owned(), Verdict::Pass);
    let proper = [("me/rpc", reply.clone())];
    assert_eq!(over_mqtt(&call, &proper), [right()]);
    let wrong = ("OTA-MQTT-001".to_owned(), Verdict::Fail);
    assert_eq!(over_mqtt(&call, &[("u1/rpc/reply", reply.clone())]), [wrong]);
    // A copy for somebody who watches does no harm.
    let both = [("u1/log", reply.clone()), ("me/rpc", reply)];
    assert_eq!(over_mqtt(&call, &both), [right()]);
}

#[test]
fn a_request_over_mqtt_without_sender_is_not_carried_out() {
    let call = Frame::request(1, "OTA.Commit", None);
    let done = call.reply("u1", json!(null)).unwrap();
    let violated = ("OTA-MQTT-002".to_owned(), Verdict::Fail);
    assert_eq!(over_mqtt(&call, &[("u1/out", done)]), [violated]);
    let refused = call.reply_error("u1", RpcError::new(400, "who asks?")).unwrap();
    assert_eq!(over_mqtt(&call, &[("u1/out", refused)]), []);
}
