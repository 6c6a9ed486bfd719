//! What receivers of AosEdge messages must live with, and what not: spellings of other sources (reference
//! section 0), letter case, nulls, unknown and duplicate members, texts instead of numbers.

use Direction::{CloudToUnit, UnitToCloud};
use OddityKind as Kind;
use Weight::{Invalid, Tolerable};
use hil_wire::{
    Decoded, OddityKind, Weight,
    aos::{self, Dialect, Direction, Envelope, Message},
};
use serde_json::{Value, json};

fn sample(id: &str) -> Value {
    let samples: Vec<Value> = serde_json::from_str(include_str!("../fixtures/aos-v7/valid.json")).unwrap();
    samples.into_iter().find(|sample| sample["id"] == id).unwrap()["message"].take()
}

fn decode(message: &Value, direction: Direction) -> Decoded<Envelope> {
    aos::decode(message.to_string().as_bytes(), direction, Dialect::Seed)
}

fn oddities(decoded: &Decoded<Envelope>) -> Vec<(Kind, Weight, &str)> {
    decoded
        .oddities
        .iter()
        .map(|o| (o.kind, o.weight, o.path.as_str()))
        .collect()
}

fn rename(message: &mut Value, parent: &str, old: &str, new: &str) {
    let members = message.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    let value = members.shift_remove(old).unwrap();
    members.insert(new.to_owned(), value);
}

/// Applies a change to a sample and expects exactly these oddities, and the same typed value as without it.
fn same_but_odd(
    id: &str,
    direction: Direction,
    change: impl Fn(&mut Value),
    expected: &[(Kind, Weight, &str)],
) {
    let mut message = sample(id);
    let plain = decode(&message, direction);
    change(&mut message);
    let changed = decode(&message, direction);
    assert_eq!(oddities(&changed), expected, "{id}");
    assert_eq!(changed.value, plain.value, "{id}");
}

#[test]
fn spellings_of_other_sources_are_understood() {
    let dialect = |path| [(Kind::Dialect, Tolerable, path)];
    same_but_odd(
        "pushLog-u2c-5",
        UnitToCloud,
        |m| m["data"]["status"] = json!("failed"),
        &dialect("/data/status"),
    );
    same_but_odd(
        "monitoringData-u2c-1",
        UnitToCloud,
        |m| rename(m, "/data/nodes/0/nodeStates/0", "isConnected", "connected"),
        &dialect("/data/nodes/0/nodeStates/0/connected"),
    );
    same_but_odd(
        "alerts-u2c-1",
        UnitToCloud,
        |m| m["data"]["items"][2]["tag"] = json!("deviceAllocateAlert"),
        &dialect("/data/items/2/tag"),
    );
    same_but_odd(
        "alerts-u2c-1",
        UnitToCloud,
        |m| rename(m, "/data/items/7", "subject", "subjectId"),
        &dialect("/data/items/7/subjectId"),
    );
    same_but_odd(
        "overrideEnvVarsStatus-u2c-1",
        UnitToCloud,
        |m| rename(m, "/data/statuses/1", "subject", "subjectId"),
        &dialect("/data/statuses/1/subjectId"),
    );
    same_but_odd(
        "desiredStatus-c2u-1",
        CloudToUnit,
        |m| m["data"]["unitConfig"]["nodes"][0]["alertRules"]["cpu"]["minTimeout"] = json!("PT10S"),
        &dialect("/data/unitConfig/nodes/0/alertRules/cpu/minTimeout"),
    );
}

#[test]
fn secrets_are_read_in_every_form() {
    let mut message = sample("renewCertificatesNotification-c2u-1");
    let frame = |message: &Value| message.to_string().into_bytes();
    let plain = aos::decode(&frame(&message), CloudToUnit, Dialect::Publisher);
    assert_eq!(plain.oddities, []);
    let secrets = &mut message["data"]["unitSecrets"];
    secrets["version"] = json!("7");
    secrets["nodes"] = secrets["nodes"][0].take();
    let changed = aos::decode(&frame(&message), CloudToUnit, Dialect::Publisher);
    assert_eq!(
        oddities(&changed),
        [
            (Kind::WrongType, Tolerable, "/data/unitSecrets/version"),
            (Kind::Dialect, Tolerable, "/data/unitSecrets/nodes"),
        ]
    );
    assert_eq!(changed.value, plain.value);
}

#[test]
fn checksums_may_be_base64_from_units_only() {
    let checksum = json!("yOoxznT/o0tlzGuvljE/tcnJu8ZIN/NaOZOo3Q==");
    let mut message = sample("newState-u2c-1");
    message["data"]["stateChecksum"] = checksum.clone();
    let found = decode(&message, UnitToCloud);
    assert_eq!(
        oddities(&found),
        [(Kind::Dialect, Tolerable, "/data/stateChecksum")]
    );
    let mut message = sample("updateState-c2u-1");
    message["data"]["stateChecksum"] = checksum;
    let found = decode(&message, CloudToUnit);
    assert_eq!(
        oddities(&found),
        [(Kind::InvalidValue, Invalid, "/data/stateChecksum")]
    );
}

#[test]
fn parts_count_from_one() {
    let mut message = sample("pushLog-u2c-1");
    message["data"]["part"] = json!(0);
    assert_eq!(
        oddities(&decode(&message, UnitToCloud)),
        [(Kind::Dialect, Tolerable, "/data/part")]
    );
}

#[test]
fn letter_case_is_free_for_the_cloud_only() {
    let message = json!({
        "HEADER": sample("nack-c2u-1")["header"].take(),
        "data": {"MessageType": "nack", "retryafter": 1500},
    });
    let found = decode(&message, CloudToUnit);
    assert_eq!(
        oddities(&found),
        [
            (Kind::Dialect, Tolerable, "/HEADER"),
            (Kind::Dialect, Tolerable, "/data/MessageType"),
            (Kind::Dialect, Tolerable, "/data/retryafter"),
        ]
    );
    let Some(Message::Nack(nack)) = found.value.map(|envelope| envelope.data) else {
        panic!("a nack");
    };
    assert_eq!(nack.retry_after_millis(), 1500);

    let mut message = sample("unitStatus-u2c-2");
    rename(&mut message, "/data", "isDeltaInfo", "IsDeltaInfo");
    assert_eq!(
        oddities(&decode(&message, UnitToCloud)),
        [(Kind::Dialect, Invalid, "/data/IsDeltaInfo")]
    );
}

#[test]
fn versions_as_text_or_fraction_pass_to_the_unit() {
    for (version, from_cloud, from_unit) in [
        (json!("7"), Tolerable, Invalid),
        (json!(7.0), Tolerable, Tolerable),
    ] {
        let mut message = sample("ack-c2u-1");
        message["header"]["version"] = version;
        let place = "/header/version";
        assert_eq!(
            oddities(&decode(&message, CloudToUnit)),
            [(Kind::WrongType, from_cloud, place)]
        );
        assert_eq!(
            oddities(&decode(&message, UnitToCloud)),
            [(Kind::WrongType, from_unit, place)]
        );
    }
}

#[test]
fn null_counts_as_absent() {
    same_but_odd(
        "nack-c2u-2",
        CloudToUnit,
        |m| m["data"]["retryAfter"] = json!(null),
        &[(Kind::WrongType, Tolerable, "/data/retryAfter")],
    );
    let mut message = sample("requestLog-c2u-1");
    message["data"]["filter"] = json!(null);
    assert_eq!(
        oddities(&decode(&message, CloudToUnit)),
        [
            (Kind::WrongType, Tolerable, "/data/filter"),
            (Kind::MissingMember, Invalid, "/data/filter"),
        ]
    );
}

#[test]
fn unknown_and_duplicate_members_are_reported_everywhere() {
    same_but_odd(
        "desiredStatus-c2u-1",
        CloudToUnit,
        |m| {
            m["extra"] = json!(1);
            m["header"]["extra"] = json!(1);
            m["data"]["items"][0]["item"]["a/b"] = json!([{}]);
        },
        &[
            (Kind::UnknownMember, Tolerable, "/extra"),
            (Kind::UnknownMember, Tolerable, "/header/extra"),
            (Kind::UnknownMember, Tolerable, "/data/items/0/item/a~1b"),
        ],
    );
    let header = sample("ack-c2u-1")["header"].to_string();
    let cases = [
        (
            format!(r#"{{"header":{header},"header":{header},"data":{{"messageType":"ack"}}}}"#),
            "/header",
        ),
        (
            format!(r#"{{"header":{header},"data":{{"messageType":"ack","messageType":"ack"}}}}"#),
            "/data/messageType",
        ),
        (
            format!(r#"{{"header":{header},"data":{{"messageType":"nack","retryAfter":1,"retryAfter":2}}}}"#),
            "/data/retryAfter",
        ),
    ];
    for (text, path) in cases {
        let found = aos::decode(text.as_bytes(), CloudToUnit, Dialect::Seed);
        assert_eq!(oddities(&found), [(Kind::DuplicateMember, Tolerable, path)]);
    }
}

#[test]
fn surplus_bytes_and_marks_are_reported() {
    let text = sample("ack-c2u-1").to_string();
    let found = aos::decode(format!("{text} x").as_bytes(), CloudToUnit, Dialect::Seed);
    assert_eq!(oddities(&found), [(Kind::Surplus, Invalid, "")]);
    assert!(found.value.is_some());
    let found = aos::decode(format!("\u{feff}{text}").as_bytes(), CloudToUnit, Dialect::Seed);
    assert_eq!(oddities(&found), [(Kind::Encoding, Invalid, "")]);
}

#[test]
fn broken_bodies_keep_their_header_and_their_data() {
    let mut message = sample("requestLog-c2u-1");
    message["data"]["logType"] = json!("kernelLog");
    message["data"]["filter"]["from"] = json!("yesterday");
    let found = decode(&message, CloudToUnit);
    assert_eq!(
        oddities(&found),
        [
            (Kind::UnknownName, Invalid, "/data/logType"),
            (Kind::InvalidValue, Invalid, "/data/filter/from"),
        ]
    );
    let envelope = found.value.unwrap();
    assert_eq!(envelope.header.txn, message["header"]["txn"]);
    assert_eq!(envelope.data.message_type(), Some(aos::MessageType::RequestLog));
    assert_eq!(
        envelope.data.correlation_id(),
        message["data"]["correlationId"].as_str()
    );
    let again: Value = serde_json::from_slice(&aos::encode(&envelope)).unwrap();
    assert_eq!(again, message);
}

#[test]
fn headers_that_lack_members_are_still_usable() {
    let message = json!({"header": {"txn": "t"}, "data": {"messageType": "ack"}});
    let found = decode(&message, UnitToCloud);
    assert_eq!(
        oddities(&found),
        [
            (Kind::MissingMember, Invalid, "/header/version"),
            (Kind::MissingMember, Invalid, "/header/systemId"),
            (Kind::MissingMember, Invalid, "/header/createdAt"),
        ]
    );
    let header = found.value.unwrap().header;
    assert_eq!(
        (header.version, header.system_id.as_str(), header.txn.as_str()),
        (0, "", "t")
    );
}

#[test]
fn transaction_ids_of_units_have_one_form() {
    let mut message = sample("unitStatus-u2c-2");
    message["header"]["txn"] = json!("TXN-1");
    assert_eq!(
        oddities(&decode(&message, UnitToCloud)),
        [(Kind::InvalidValue, Tolerable, "/header/txn")]
    );
    let mut message = sample("ack-u2c-1");
    message["header"]["txn"] = json!("TXN-1");
    assert_eq!(oddities(&decode(&message, UnitToCloud)), []);
}

#[test]
fn limits_of_units_bind_the_cloud() {
    let long = json!("n".repeat(65));
    let mut message = sample("startProvisioningRequest-c2u-1");
    message["data"]["password"] = long.clone();
    assert_eq!(
        oddities(&decode(&message, CloudToUnit)),
        [(Kind::InvalidValue, Invalid, "/data/password")]
    );
    let mut message = sample("unitStatus-u2c-2");
    message["data"]["items"][0]["errorInfo"]["message"] = long;
    assert_eq!(
        oddities(&decode(&message, UnitToCloud)),
        [(Kind::InvalidValue, Tolerable, "/data/items/0/errorInfo/message")]
    );
}

#[test]
fn members_of_alerts_depend_on_their_tag() {
    let mut message = sample("alerts-u2c-1");
    message["data"]["items"][0]["deviceId"] = json!("camera0");
    message["data"]["items"][1]
        .as_object_mut()
        .unwrap()
        .shift_remove("coreComponent");
    assert_eq!(
        oddities(&decode(&message, UnitToCloud)),
        [
            (Kind::UnknownMember, Tolerable, "/data/items/0/deviceId"),
            (Kind::MissingMember, Invalid, "/data/items/1/coreComponent"),
        ]
    );
    message["data"]["items"] = json!([]);
    assert_eq!(
        oddities(&decode(&message, UnitToCloud)),
        [(Kind::InvalidValue, Invalid, "/data/items")]
    );
}

#[test]
fn full_reports_are_complete_and_secrets_have_one_source() {
    let mut message = sample("unitStatus-u2c-1");
    message["data"].as_object_mut().unwrap().shift_remove("subjects");
    assert_eq!(
        oddities(&decode(&message, UnitToCloud)),
        [(Kind::MissingMember, Tolerable, "/data/subjects")]
    );
    let message = sample("renewCertificatesNotification-c2u-1");
    let found = decode(&message, UnitToCloud);
    assert_eq!(
        oddities(&found),
        [(Kind::Surplus, Tolerable, "/data/unitSecrets")]
    );
    let message = sample("renewCertificatesNotification-u2c-1");
    let found = aos::decode(message.to_string().as_bytes(), CloudToUnit, Dialect::Publisher);
    assert_eq!(
        oddities(&found),
        [(Kind::MissingMember, Invalid, "/data/unitSecrets")]
    );
}

#[test]
fn acknowledgements_are_written_as_defined() {
    let ack = Envelope::ack("t-1", "unit", "2026-03-02T09:15:07.000000Z");
    assert_eq!(
        String::from_utf8(aos::encode(&ack)).unwrap(),
        concat!(
            r#"{"header":{"version":7,"systemId":"unit","createdAt":"2026-03-02T09:15:07.000000Z","txn":"t-1"},"#,
            r#""data":{"messageType":"ack"}}"#
        )
    );
    let nack = Envelope::nack("t-1", "unit", "2026-03-02T09:15:07.000000Z", Some(1500));
    let text = String::from_utf8(aos::encode(&nack)).unwrap();
    assert!(
        text.ends_with(r#""data":{"messageType":"nack","retryAfter":1500}}"#),
        "{text}"
    );
    let silent = Envelope::nack("t-1", "unit", "2026-03-02T09:15:07.000000Z", None);
    let Message::Nack(body) = &silent.data else {
        panic!("a nack")
    };
    assert_eq!(body.retry_after_millis(), 500);
}
