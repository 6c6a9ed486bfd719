//! The broker by hand: who gets what, and who is parted with.

use super::Broker;
use crate::core::{Now, Operation, Outputs, Send};
use hil_trace::Stamp;
use hil_wire::ota_rpc::mqtt::{
    ConnAck, Connect, ConnectReturnCode, Packet, PacketReader, PubAck, PubRec, Publish, QoS, SubAck,
    Subscribe, SubscribeReasonCode, encode,
};
use std::time::Duration;

/// A broker, and the time.
#[derive(Default)]
struct Desk {
    broker: Broker,
    at: Stamp,
}

impl Desk {
    fn now(&self) -> Now {
        Now {
            stamp: self.at,
            unix_ms: 0,
        }
    }

    fn open(&mut self, connection: u32) {
        let now = self.now();
        self.broker.opened(now, connection);
    }

    /// A client says something; what the broker does then.
    fn say(&mut self, connection: u32, packet: &Packet) -> Vec<Said> {
        self.bytes(connection, &encode(packet))
    }

    fn bytes(&mut self, connection: u32, bytes: &[u8]) -> Vec<Said> {
        let mut out = Outputs::default();
        self.broker.bytes(self.now(), connection, bytes, &mut out);
        said(out)
    }

    fn join(&mut self, connection: u32, id: &str, clean_session: bool) -> bool {
        self.open(connection);
        let mut connect = Connect::new(id);
        connect.clean_session = clean_session;
        let said = self.say(connection, &Packet::Connect(connect));
        let accepted = said.iter().find_map(|said| match said {
            Said::Packet(to, Packet::ConnAck(ack)) if *to == connection => Some(ack.clone()),
            _ => None,
        });
        let accepted = accepted.expect("a CONNACK");
        assert_eq!(accepted.code, ConnectReturnCode::Success);
        accepted.session_present
    }

    fn subscribe(&mut self, connection: u32, filter: &str) -> SubscribeReasonCode {
        let mut subscribe = Subscribe::new(filter, QoS::AtLeastOnce);
        subscribe.pkid = 9;
        match &self.say(connection, &Packet::Subscribe(subscribe))[..] {
            [
                Said::Packet(
                    _,
                    Packet::SubAck(SubAck {
                        pkid: 9,
                        return_codes,
                    }),
                ),
            ] => return_codes[0],
            other => panic!("{other:?}"),
        }
    }

    /// A client publishes; who gets it, with packet identifier and DUP flag.
    fn publish(&mut self, connection: u32, topic: &str, qos: QoS) -> Vec<(u32, u16, bool)> {
        let mut publish = Publish::new(topic, qos, *b"x");
        publish.pkid = 5;
        let said = self.say(connection, &Packet::Publish(publish));
        deliveries(&said)
    }
}

#[derive(Debug, PartialEq)]
enum Said {
    Packet(u32, Packet),
    End(u32),
    Reset(u32),
}

fn said(out: Outputs) -> Vec<Said> {
    let packets = |connection: u32, bytes: &[u8]| {
        let mut reader = PacketReader::default();
        reader.push(bytes);
        Said::Packet(connection, reader.take().unwrap().unwrap())
    };
    let each = out.sends.into_iter().map(|send| match send {
        Send::Bytes {
            connection, payload, ..
        } => packets(connection, &payload),
        Send::Publish {
            connection, publish, ..
        } => Said::Packet(connection, Packet::Publish(publish)),
        Send::End { connection } => Said::End(connection),
        Send::Reset { connection } => Said::Reset(connection),
        other => panic!("{other:?}"),
    });
    each.collect()
}

fn deliveries(said: &[Said]) -> Vec<(u32, u16, bool)> {
    let each = said.iter().filter_map(|said| match said {
        Said::Packet(to, Packet::Publish(publish)) => Some((*to, publish.pkid, publish.dup)),
        _ => None,
    });
    each.collect()
}

#[test]
fn messages_go_to_those_who_subscribed_once_each() {
    let mut desk = Desk::default();
    for (connection, id) in [(1, "a"), (2, "b"), (3, "c")] {
        assert!(!desk.join(connection, id, true));
    }
    let granted = SubscribeReasonCode::Success(QoS::AtLeastOnce);
    assert_eq!(desk.subscribe(2, "u1/+"), granted);
    assert_eq!(desk.subscribe(2, "u1/rpc"), granted);
    assert_eq!(desk.subscribe(3, "#"), granted);
    assert_eq!(desk.subscribe(3, "u1/#/x"), SubscribeReasonCode::Failure);
    assert_eq!(
        desk.publish(1, "u1/rpc", QoS::AtLeastOnce),
        [(2, 1, false), (3, 1, false)]
    );
    assert_eq!(desk.publish(1, "u2/rpc", QoS::AtMostOnce), [(3, 0, false)]);
    assert!(desk.broker.has_receiver("u1/rpc"));
    assert!(!desk.broker.has_receiver("u2/rpc"), "only an observer");
}

#[test]
fn the_second_of_a_name_takes_over() {
    let mut desk = Desk::default();
    desk.join(1, "a", true);
    desk.open(2);
    let taken_over = desk.say(2, &Packet::Connect(Connect::new("a")));
    let accepted = ConnAck::new(ConnectReturnCode::Success, false);
    assert_eq!(
        taken_over,
        [Said::End(1), Said::Packet(2, Packet::ConnAck(accepted))]
    );
    assert_eq!(desk.say(1, &Packet::PingReq), [], "nothing is heard of the elder");
}

#[test]
fn what_others_published_comes_again_with_a_session_that_is_kept() {
    let mut desk = Desk::default();
    desk.join(1, "unit", false);
    desk.subscribe(1, "u1/rpc");
    desk.join(2, "other", true);
    assert_eq!(desk.publish(2, "u1/rpc", QoS::AtLeastOnce), [(1, 1, false)]);
    desk.broker.closed(1);
    assert_eq!(desk.publish(2, "u1/rpc", QoS::AtLeastOnce), []);
    desk.open(3);
    let mut connect = Connect::new("unit");
    connect.clean_session = false;
    let back = desk.say(3, &Packet::Connect(connect));
    assert_eq!(
        deliveries(&back),
        [(3, 1, true), (3, 2, false)],
        "the second was never sent"
    );
    desk.say(3, &Packet::PubAck(PubAck::new(1)));
    desk.say(3, &Packet::PubAck(PubAck::new(2)));
    desk.broker.closed(3);
    assert!(desk.join(4, "unit", false));
    desk.broker.closed(4);
    assert!(!desk.join(5, "unit", true), "a clean session forgets");
}

#[test]
fn a_call_of_the_cloud_is_delivered_once_whatever_is_kept() {
    let mut desk = Desk::default();
    desk.join(1, "unit", false);
    desk.subscribe(1, "u1/rpc");
    let mut out = Outputs::default();
    let call = Publish::new("u1/rpc", QoS::AtLeastOnce, *b"{}");
    desk.broker.call(&call, &Operation::default(), &mut out);
    assert_eq!(deliveries(&said(out)), [(1, 1, false)]);
    desk.broker.closed(1);
    assert!(desk.join(2, "unit", false));
    let mut out = Outputs::default();
    desk.broker.close_receivers("u1/rpc", &mut out);
    assert_eq!(said(out), [Said::End(2)]);
}

#[test]
fn quiet_clients_are_parted_with() {
    let mut desk = Desk::default();
    desk.open(1);
    let mut connect = Connect::new("a");
    connect.keep_alive = 20;
    desk.open(2);
    desk.say(2, &Packet::Connect(connect));
    let mut out = Outputs::default();
    desk.at = Stamp::ZERO + Duration::from_secs(10);
    assert_eq!(desk.broker.next_wake(), Some(desk.at));
    desk.broker.wake(desk.now(), &mut out);
    assert_eq!(said(out), [Said::Reset(1)], "who it is was never said");
    assert_eq!(desk.say(2, &Packet::PingReq), [Said::Packet(2, Packet::PingResp)]);
    let limit = desk.at + Duration::from_secs(30);
    assert_eq!(
        desk.broker.next_wake(),
        Some(limit),
        "one and a half times the keep-alive"
    );
    desk.at = limit;
    let mut out = Outputs::default();
    desk.broker.wake(desk.now(), &mut out);
    assert_eq!(said(out), [Said::Reset(2)]);
}

#[test]
fn what_is_no_mqtt_ends_the_connection() {
    let mut desk = Desk::default();
    desk.open(1);
    assert_eq!(desk.say(1, &Packet::PingReq), [Said::End(1)], "before CONNECT");
    desk.open(2);
    assert_eq!(desk.bytes(2, &[0xff; 16]), [Said::End(2)]);
    desk.open(3);
    let version_5 = [0x10, 0x0d, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0, 0, 0];
    let refusal = ConnAck::new(ConnectReturnCode::RefusedProtocolVersion, false);
    assert_eq!(
        desk.bytes(3, &version_5),
        [Said::Packet(3, Packet::ConnAck(refusal)), Said::End(3)]
    );
    desk.join(4, "a", true);
    assert_eq!(desk.publish(4, "u1/#", QoS::AtMostOnce), []);
    assert_eq!(desk.say(4, &Packet::PingReq), [], "a wildcard is no topic");
    desk.open(5);
    let mut nobody = Connect::new("");
    nobody.clean_session = false;
    let refusal = ConnAck::new(ConnectReturnCode::BadClientId, false);
    assert_eq!(
        desk.say(5, &Packet::Connect(nobody)),
        [Said::Packet(5, Packet::ConnAck(refusal)), Said::End(5)]
    );
}

#[test]
fn qos_2_is_taken_once_and_delivered_with_qos_1() {
    let mut desk = Desk::default();
    desk.join(1, "a", true);
    desk.join(2, "b", true);
    desk.subscribe(2, "#");
    let mut publish = Publish::new("t", QoS::ExactlyOnce, *b"x");
    publish.pkid = 7;
    let first = desk.say(1, &Packet::Publish(publish.clone()));
    assert_eq!(first[0], Said::Packet(1, Packet::PubRec(PubRec::new(7))));
    assert_eq!(deliveries(&first), [(2, 1, false)]);
    publish.dup = true;
    let again = desk.say(1, &Packet::Publish(publish));
    assert_eq!(again, [Said::Packet(1, Packet::PubRec(PubRec::new(7)))]);
}
