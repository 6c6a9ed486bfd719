//! MQTT connections to the broker: who connects, who subscribes, calls as they are delivered, and replies as they are
//! published. Whoever watches everything takes no calls; what others than the cloud ask is a call as well.

use super::{describe_call, describe_reply, event, fields};
use hil_trace::{Event, Party, Record, Who};
use hil_wire::ota_rpc::{
    Frame, Id, decode,
    mqtt::{
        ConnectReturnCode, Packet, PacketReader, Publish, QoS, SubscribeReasonCode, Topic, matches,
        parse_topic,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One connection to the broker.
#[derive(Default)]
pub(super) struct Client {
    from_client: PacketReader,
    to_client: PacketReader,
    /// Its CONNECT, until it is accepted.
    introduced: Option<Value>,
    accepted: bool,
    /// Whose session it is, if the broker keeps it.
    keeps: Option<String>,
    filters: Vec<String>,
    /// Subscriptions that wait for their acknowledgement, by packet identifier.
    asked: Vec<(u16, Vec<String>)>,
}

/// What is known beyond one connection.
#[derive(Default)]
pub(super) struct Broker {
    /// Calls delivered and not answered yet; a reply may come over another connection.
    delivered: Vec<(Id, String)>,
    /// Subscriptions of sessions that are kept, by client id.
    sessions: BTreeMap<String, Vec<String>>,
}

impl Client {
    /// Events of the bytes of one read or write.
    pub(super) fn bytes(
        &mut self,
        record: &Record,
        from: Party,
        bytes: &[u8],
        broker: &mut Broker,
    ) -> Vec<Event> {
        let by_client = from == Party::Unit;
        let reader = match by_client {
            true => &mut self.from_client,
            false => &mut self.to_client,
        };
        reader.push(bytes);
        let mut packets = Vec::new();
        while let Ok(Some(packet)) = reader.take() {
            packets.push(packet);
        }
        let mut events = Vec::new();
        for packet in packets {
            match packet {
                Packet::Publish(publish) if by_client => events.extend(broker.reply(record, &publish)),
                Packet::Publish(publish) if self.takes(&publish.topic) => {
                    events.extend(broker.call(record, &publish));
                }
                other => events.extend(self.packet(record, other, broker)),
            }
        }
        events
    }

    /// The end of the connection, if it ever was accepted.
    pub(super) fn closed(&self, record: &Record) -> Option<Event> {
        self.accepted
            .then(|| event(record, Who::Unit, "broker_left", fields(json!({}))))
    }

    fn packet(&mut self, record: &Record, packet: Packet, broker: &mut Broker) -> Option<Event> {
        match packet {
            Packet::Connect(connect) => {
                self.keeps = (!connect.clean_session).then(|| connect.client_id.clone());
                self.introduced = Some(json!({
                    "client": connect.client_id,
                    "keep_alive": connect.keep_alive,
                    "clean_session": connect.clean_session,
                }));
                None
            }
            Packet::ConnAck(ack) if ack.code == ConnectReturnCode::Success => {
                let mut facts = self.introduced.take()?;
                facts["session_present"] = json!(ack.session_present);
                self.accepted = true;
                if let (Some(client), true) = (&self.keeps, ack.session_present) {
                    self.filters = broker.sessions.get(client).cloned().unwrap_or_default();
                }
                Some(event(record, Who::Unit, "broker_joined", fields(facts)))
            }
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.filters.into_iter().map(|filter| filter.path);
                self.asked.push((subscribe.pkid, filters.collect()));
                None
            }
            Packet::SubAck(ack) => {
                let position = self.asked.iter().position(|(number, _)| *number == ack.pkid)?;
                let (_, filters) = self.asked.remove(position);
                let granted = filters.into_iter().zip(&ack.return_codes);
                let granted = granted.filter(|(_, code)| **code != SubscribeReasonCode::Failure);
                let granted: Vec<String> = granted.map(|(filter, _)| filter).collect();
                self.filters.extend(granted.iter().cloned());
                self.keep(broker);
                let facts = fields(json!({"topics": granted}));
                Some(event(record, Who::Unit, "subscribed", facts))
            }
            Packet::Unsubscribe(unsubscribe) => {
                self.filters.retain(|filter| !unsubscribe.topics.contains(filter));
                self.keep(broker);
                None
            }
            _ => None,
        }
    }

    fn keep(&self, broker: &mut Broker) {
        if let Some(client) = &self.keeps {
            broker.sessions.insert(client.clone(), self.filters.clone());
        }
    }

    /// Whether it takes what is published to a topic as a unit does, and not as one who watches everything.
    fn takes(&self, topic: &str) -> bool {
        let mut filters = self.filters.iter();
        filters.any(|filter| filter != "#" && matches(filter, topic))
    }
}

impl Broker {
    fn call(&mut self, record: &Record, publish: &Publish) -> Option<Event> {
        let mut frame = decode(&publish.payload).value?;
        match parse_topic(&publish.topic)? {
            Topic::Frames { .. } => {}
            Topic::Method { method, .. } => frame.method = Some(method.to_owned()),
        }
        let method = frame.called_method()?.to_owned();
        let mut facts = said(publish);
        describe_call(&frame, &mut facts);
        if let Some(id) = frame.id {
            self.delivered.push((id, method));
        }
        Some(event(record, Who::Cloud, "call", fields(facts)))
    }

    fn reply(&mut self, record: &Record, publish: &Publish) -> Option<Event> {
        let frame: Frame = decode(&publish.payload).value?;
        if frame.called_method().is_some() {
            return None;
        }
        frame.outcome()?;
        let mut facts = said(publish);
        let asked = frame
            .id
            .as_ref()
            .and_then(|id| self.delivered.iter().position(|(asked, _)| asked.answers(id)));
        if let Some(position) = asked {
            facts["method"] = json!(self.delivered.remove(position).1);
        }
        describe_reply(&frame, &mut facts);
        Some(event(record, Who::Unit, "reply", fields(facts)))
    }
}

fn said(publish: &Publish) -> Value {
    json!({
        "transport": "mqtt",
        "topic": publish.topic,
        "qos": match publish.qos {
            QoS::AtMostOnce => 0,
            QoS::AtLeastOnce => 1,
            QoS::ExactlyOnce => 2,
        },
        "duplicate": publish.dup,
    })
}
