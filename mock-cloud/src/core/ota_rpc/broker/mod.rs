//! A small MQTT 3.1.1 broker without I/O: clients by connection, sessions by client id, and who gets what. Wills and
//! retained messages are none of it, and what it delivers has QoS 1 at most.

mod client;
mod session;
#[cfg(test)]
mod tests;

use super::channel::operation;
use crate::core::{Now, Operation, Outputs, Send};
use client::{Client, Stage};
use hil_trace::Stamp;
use hil_wire::ota_rpc::mqtt::{
    BadPacket, ConnAck, Connect, ConnectReturnCode, Packet, PubAck, PubComp, PubRec, Publish, QoS, SubAck,
    Subscribe, SubscribeReasonCode, UnsubAck, encode, is_filter, is_topic,
};
use session::Session;
use std::{collections::BTreeMap, time::Duration};

/// Everybody who is connected, and those who may come back to their session.
#[derive(Debug, Default)]
pub(super) struct Broker {
    clients: BTreeMap<u32, Client>,
    /// Sessions of clients that are away and asked to keep them.
    kept: BTreeMap<String, Session>,
    /// Numbers for clients that gave no id.
    unnamed: u32,
}

impl Broker {
    /// A connection was made to the broker.
    pub(super) fn opened(&mut self, now: Now, connection: u32) {
        self.clients
            .insert(connection, Client::new(now.stamp + CONNECT_LIMIT));
    }

    /// Whether a connection was made to the broker and has not ended.
    pub(super) fn holds(&self, connection: u32) -> bool {
        self.clients.contains_key(&connection)
    }

    /// A connection has ended.
    pub(super) fn closed(&mut self, connection: u32) {
        if let Some(client) = self.clients.remove(&connection) {
            self.keep(client);
        }
    }

    /// Bytes came from a client; returns what it published.
    pub(super) fn bytes(
        &mut self,
        now: Now,
        connection: u32,
        payload: &[u8],
        out: &mut Outputs,
    ) -> Vec<Publish> {
        let mut published = Vec::new();
        if let Some(client) = self.clients.get_mut(&connection) {
            client.reader.push(payload);
            client.heard = now.stamp;
        }
        while let Some(client) = self.clients.get_mut(&connection)
            && client.stage != Stage::Ended
        {
            match client.reader.take() {
                Ok(Some(packet)) => published.extend(self.packet(connection, packet, out)),
                Ok(None) => break,
                Err(problem) => {
                    if problem == BadPacket::Version && client.stage != Stage::Connected {
                        let refusal = ConnAck::new(ConnectReturnCode::RefusedProtocolVersion, false);
                        send(connection, &Packet::ConnAck(refusal), out);
                    }
                    self.end(connection, out);
                }
            }
        }
        published
    }

    /// Whether anybody who is connected and no mere observer gets what is published here.
    pub(super) fn has_receiver(&self, topic: &str) -> bool {
        self.clients.values().any(|client| client.receives(topic))
    }

    /// Delivers a call of the cloud to everybody who subscribed to its topic; on its way to those who are no mere observers
    /// faults know it by its name. It is delivered once: a session keeps none of it.
    pub(super) fn call(&mut self, message: &Publish, named: &Operation, out: &mut Outputs) {
        for (connection, client) in &mut self.clients {
            let Some(wanted) = client.wants(&message.topic) else {
                continue;
            };
            let operation = if client.receives(&message.topic) {
                named.clone()
            } else {
                Operation::default()
            };
            let publish = client.session.delivery(message, wanted);
            out.sends.push(Send::Publish {
                connection: *connection,
                publish,
                operation,
            });
        }
    }

    /// Closes the connections of those who get what is published here and are no mere observers.
    pub(super) fn close_receivers(&mut self, topic: &str, out: &mut Outputs) {
        let found = self.clients.iter().filter(|(_, client)| client.receives(topic));
        let found: Vec<u32> = found.map(|(connection, _)| *connection).collect();
        for connection in found {
            self.end(connection, out);
        }
    }

    /// When the next client is too quiet.
    pub(super) fn next_wake(&self) -> Option<Stamp> {
        self.clients.values().filter_map(Client::too_quiet_at).min()
    }

    /// Parts with clients that are too quiet.
    pub(super) fn wake(&mut self, now: Now, out: &mut Outputs) {
        let quiet = |client: &Client| client.too_quiet_at().is_some_and(|at| at <= now.stamp);
        let found = self.clients.iter().filter(|(_, client)| quiet(client));
        let found: Vec<u32> = found.map(|(connection, _)| *connection).collect();
        for connection in found {
            self.part_with(connection);
            out.sends.push(Send::Reset { connection });
        }
    }

    fn packet(&mut self, connection: u32, packet: Packet, out: &mut Outputs) -> Option<Publish> {
        let client = self.clients.get_mut(&connection)?;
        match (client.stage, packet) {
            (Stage::Opened { .. }, Packet::Connect(connect)) => self.connect(connection, connect, out),
            // Anything before CONNECT, and CONNECT after it.
            (Stage::Opened { .. }, _) | (_, Packet::Connect(_)) => self.end(connection, out),
            (_, Packet::Publish(publish)) => return self.published(connection, publish, out),
            (_, Packet::Subscribe(subscribe)) => self.subscribe(connection, &subscribe, out),
            (_, Packet::Unsubscribe(unsubscribe)) => {
                client.session.unsubscribe(&unsubscribe.topics);
                send(
                    connection,
                    &Packet::UnsubAck(UnsubAck::new(unsubscribe.pkid)),
                    out,
                );
            }
            (_, Packet::PubAck(ack)) => client.session.acknowledged(ack.pkid),
            (_, Packet::PubRel(release)) => {
                client.received.remove(&release.pkid);
                send(connection, &Packet::PubComp(PubComp::new(release.pkid)), out);
            }
            (_, Packet::PingReq) => out.sends.push(Send::Bytes {
                connection,
                payload: encode(&Packet::PingResp).to_vec(),
                operation: operation("pong"),
            }),
            // Nothing is delivered with QoS 2, and the rest is for clients only.
            _ => self.end(connection, out),
        }
        None
    }

    fn connect(&mut self, connection: u32, connect: Connect, out: &mut Outputs) {
        let mut id = connect.client_id;
        if id.is_empty() && !connect.clean_session {
            let refusal = ConnAck::new(ConnectReturnCode::BadClientId, false);
            send(connection, &Packet::ConnAck(refusal), out);
            return self.end(connection, out);
        }
        if id.is_empty() {
            self.unnamed += 1;
            id = format!("unnamed-{}", self.unnamed);
        }
        let elder = |(other, client): (&u32, &Client)| (client.id == id).then_some(*other);
        if let Some(elder) = self.clients.iter().find_map(elder) {
            self.end(elder, out);
        }
        let kept = self.kept.remove(&id).filter(|_| !connect.clean_session);
        let Some(client) = self.clients.get_mut(&connection) else {
            return;
        };
        client.stage = Stage::Connected;
        client.id = id;
        client.keeps = !connect.clean_session;
        client.keep_alive = Duration::from_secs(u64::from(connect.keep_alive));
        let accepted = ConnAck::new(ConnectReturnCode::Success, kept.is_some());
        send(connection, &Packet::ConnAck(accepted), out);
        client.session = kept.unwrap_or_default();
        for publish in client.session.redeliveries() {
            out.sends.push(Send::Publish {
                connection,
                publish,
                operation: Operation::default(),
            });
        }
    }

    fn published(&mut self, connection: u32, publish: Publish, out: &mut Outputs) -> Option<Publish> {
        let client = self.clients.get_mut(&connection)?;
        if !is_topic(&publish.topic) {
            self.end(connection, out);
            return None;
        }
        match publish.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => send(connection, &Packet::PubAck(PubAck::new(publish.pkid)), out),
            QoS::ExactlyOnce => {
                send(connection, &Packet::PubRec(PubRec::new(publish.pkid)), out);
                if !client.received.insert(publish.pkid) {
                    return None;
                }
            }
        }
        self.forward(&publish, out);
        Some(publish)
    }

    /// Delivers a message of a client to everybody who subscribed to its topic, now or when they are back.
    fn forward(&mut self, message: &Publish, out: &mut Outputs) {
        for (connection, client) in &mut self.clients {
            if let Some(wanted) = client.wants(&message.topic) {
                let publish = client.session.lasting_delivery(message, wanted);
                out.sends.push(Send::Publish {
                    connection: *connection,
                    publish,
                    operation: Operation::default(),
                });
            }
        }
        for session in self.kept.values_mut() {
            session.remember(message);
        }
    }

    fn subscribe(&mut self, connection: u32, subscribe: &Subscribe, out: &mut Outputs) {
        let Some(client) = self.clients.get_mut(&connection) else {
            return;
        };
        if subscribe.filters.is_empty() {
            return self.end(connection, out);
        }
        let mut codes = Vec::new();
        for filter in &subscribe.filters {
            if !is_filter(&filter.path) {
                codes.push(SubscribeReasonCode::Failure);
                continue;
            }
            let granted = if filter.qos == QoS::AtMostOnce {
                QoS::AtMostOnce
            } else {
                QoS::AtLeastOnce
            };
            client.session.subscribe(&filter.path, granted);
            codes.push(SubscribeReasonCode::Success(granted));
        }
        send(
            connection,
            &Packet::SubAck(SubAck::new(subscribe.pkid, codes)),
            out,
        );
    }

    /// Ends a connection in order; nothing more is heard or sent on it.
    fn end(&mut self, connection: u32, out: &mut Outputs) {
        self.part_with(connection);
        out.sends.push(Send::End { connection });
    }

    fn part_with(&mut self, connection: u32) {
        if let Some(client) = self.clients.get_mut(&connection) {
            let ended = Client {
                stage: Stage::Ended,
                ..Client::new(Stamp::ZERO)
            };
            let client = std::mem::replace(client, ended);
            self.keep(client);
        }
    }

    fn keep(&mut self, client: Client) {
        if client.stage == Stage::Connected && client.keeps {
            self.kept.insert(client.id, client.session);
            if self.kept.len() > MOST_SESSIONS {
                self.kept.pop_first();
            }
        }
    }
}

fn send(connection: u32, packet: &Packet, out: &mut Outputs) {
    out.sends.push(Send::Bytes {
        connection,
        payload: encode(packet).to_vec(),
        operation: Operation::default(),
    });
}

/// How long a client may take to say who it is.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Sessions that are kept for clients that are away.
const MOST_SESSIONS: usize = 100;
