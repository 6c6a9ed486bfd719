//! The board on a desk beside a broker: subscriptions, calls and answers by topic, and ways back after a break.

use super::{
    OtaRpcKind,
    mqtt::BROKER,
    tests::{boot_state, succeeds},
};
use crate::{Input, Kind, Output, Setup, testing::Desk};
use hil_wire::ota_rpc::{
    Frame, decode, encode,
    mqtt::{self, ConnAck, ConnectReturnCode, Packet, Publish, QoS},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A board that was told of a broker and has subscribed there.
fn desk_at_a_broker() -> Desk {
    let mut endpoints = hil_unit::Endpoints::default();
    let told = [("mqtt_url", "mqtt://cloud:1883"), ("device_id", "u1")];
    let settings = told.map(|(name, value)| (name.to_owned(), value.to_owned()));
    endpoints.settings.extend(settings);
    let setup = Setup {
        endpoints,
        timing: OtaRpcKind.timing(),
        artifacts: OtaRpcKind.artifacts(),
        ..Setup::default()
    };
    let mut desk = Desk::new(&OtaRpcKind, setup);
    desk.advance(Duration::from_secs(1));
    let opens = |output: &Output| matches!(output, Output::OpenStream(BROKER, to) if to == "cloud:1883");
    assert!(desk.outputs.iter().any(opens));
    reach(&mut desk);
    desk
}

/// The broker accepts; the subscriptions.
fn reach(desk: &mut Desk) {
    desk.outputs.clear();
    desk.input(Input::StreamOpened {
        stream: BROKER,
        face: String::new(),
    });
    assert!(matches!(&sent(desk)[..], [Packet::Connect(connect)] if connect.client_id == "u1"));
    let accepted = ConnAck::new(ConnectReturnCode::Success, false);
    let subscribed = heard(desk, &Packet::ConnAck(accepted));
    let Some(Packet::Subscribe(subscribe)) = subscribed.first() else {
        panic!("{subscribed:?}");
    };
    let filters: Vec<&str> = subscribe.filters.iter().map(|filter| &*filter.path).collect();
    assert_eq!(filters, ["u1/rpc", "u1/rpc/+"]);
}

/// What the board does about a packet of the broker.
fn heard(desk: &mut Desk, packet: &Packet) -> Vec<Packet> {
    desk.outputs.clear();
    desk.input(Input::StreamData {
        stream: BROKER,
        bytes: mqtt::encode(packet),
    });
    sent(desk)
}

fn sent(desk: &mut Desk) -> Vec<Packet> {
    let mut reader = mqtt::PacketReader::default();
    for output in desk.outputs.drain(..) {
        if let Output::SendStream(BROKER, bytes) = output {
            reader.push(&bytes);
        }
    }
    std::iter::from_fn(|| reader.take().unwrap()).collect()
}

/// A call over the broker; topics and frames of the answers.
fn called(desk: &mut Desk, topic: &str, frame: &Frame) -> Vec<(String, Frame)> {
    let mut publish = Publish::new(topic, QoS::AtLeastOnce, encode(frame));
    publish.pkid = 3;
    let did = heard(desk, &Packet::Publish(publish));
    assert!(matches!(&did[0], Packet::PubAck(ack) if ack.pkid == 3));
    let answers = did.into_iter().filter_map(|packet| match packet {
        Packet::Publish(publish) => Some((publish.topic.clone(), decode(&publish.payload).value.unwrap())),
        _ => None,
    });
    answers.collect()
}

fn from_me(method: &str, arguments: Value) -> Frame {
    let mut frame = Frame::request(7, method, Some(arguments));
    frame.src = Some("me".to_owned());
    frame
}

#[test]
fn calls_over_mqtt_are_answered_on_the_topic_of_their_sender() {
    let mut desk = desk_at_a_broker();
    let answers = called(&mut desk, "u1/rpc", &from_me("OTA.GetBootState", json!({})));
    assert!(matches!(&answers[..], [(topic, frame)] if topic == "me/rpc" && succeeds(frame)));
    let by_topic = called(&mut desk, "u1/rpc/RPC.Ping", &from_me("OTA.Nope", json!({})));
    assert!(succeeds(&by_topic[0].1), "the method of the topic");
    let mut anonymous = from_me("OTA.SetBootState", json!({"commit_timeout": 77}));
    anonymous.src = None;
    assert_eq!(called(&mut desk, "u1/rpc", &anonymous), []);
    assert_eq!(boot_state(&mut desk)["commit_timeout"], 0);
    anonymous.id = None;
    assert_eq!(called(&mut desk, "u1/rpc", &anonymous), []);
    assert_eq!(
        boot_state(&mut desk)["commit_timeout"],
        77,
        "a notification is carried out"
    );
}

#[test]
fn an_update_that_is_delivered_twice_begins_once() {
    let mut desk = desk_at_a_broker();
    let update = from_me("OTA.Update", json!({"url": "http://host/fw.zip"}));
    assert_eq!(called(&mut desk, "u1/rpc", &update), []);
    assert_eq!(called(&mut desk, "u1/rpc", &update), [], "no second answer");
    let other = Frame {
        id: Some(8.into()),
        ..update
    };
    assert!(
        !succeeds(&called(&mut desk, "u1/rpc", &other)[0].1),
        "another one is refused"
    );
}

#[test]
fn a_lost_broker_is_reached_again_and_hears_what_it_missed() {
    let mut desk = desk_at_a_broker();
    let update = from_me("OTA.Update", json!({"url": "http://host/fw.zip"}));
    called(&mut desk, "u1/rpc", &update);
    desk.input(Input::StreamClosed { stream: BROKER });
    desk.fail(super::agent::DOWNLOAD);
    desk.outputs.clear();
    desk.advance(Duration::from_secs(1));
    assert!(matches!(desk.outputs.back(), Some(Output::OpenStream(BROKER, _))));
    desk.outputs.clear();
    desk.input(Input::StreamOpened {
        stream: BROKER,
        face: String::new(),
    });
    let accepted = ConnAck::new(ConnectReturnCode::Success, false);
    let did = heard(&mut desk, &Packet::ConnAck(accepted));
    assert!(matches!(&did[1], Packet::Publish(publish) if publish.topic == "me/rpc" && !publish.dup));
}

#[test]
fn a_broker_that_answers_no_ping_is_given_up_with_growing_patience() {
    let mut desk = desk_at_a_broker();
    desk.advance(Duration::from_secs(30));
    assert!(matches!(&sent(&mut desk)[..], [Packet::PingReq]));
    desk.advance(Duration::from_secs(10));
    assert!(desk.outputs.contains(&Output::CloseStream(BROKER)));
    for seconds in [1, 2, 4] {
        desk.outputs.clear();
        desk.advance(Duration::from_secs(seconds - 1));
        assert!(desk.outputs.is_empty());
        desk.advance(Duration::from_secs(1));
        assert!(matches!(desk.outputs.back(), Some(Output::OpenStream(BROKER, _))));
        desk.input(Input::StreamClosed { stream: BROKER });
    }
}
