//! RPC over MQTT: the board connects to a broker by itself, takes calls from its topics and answers to the topic of the
//! sender (reference section 2.4). Answers that were not acknowledged are sent again after a reconnection.

use super::{
    agent::{BROKER_TIMER, KEEP_ALIVE_TIMER, OtaAgent},
    channel::{FIRST_DELAY, LONGEST_DELAY, Way},
};
use crate::{Context, StreamId};
use hil_wire::ota_rpc::{
    Frame, decode, encode as encode_frame, method,
    mqtt::{
        Connect, ConnectReturnCode, Packet, PacketReader, PubAck, Publish, QoS, Subscribe, SubscribeFilter,
        Topic, encode, frames_topic, method_topic, parse_topic,
    },
};
use serde_json::Value;
use std::{collections::VecDeque, time::Duration};

/// The connection to the broker.
#[derive(Debug)]
pub(super) struct BrokerLink {
    stage: Stage,
    delay: Duration,
    reader: PacketReader,
    /// A ping was sent and not answered.
    pinged: bool,
    /// Answers that the broker has not acknowledged.
    unacknowledged: VecDeque<Publish>,
    last_number: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Away,
    Connecting,
    Connected,
}

impl Default for BrokerLink {
    fn default() -> Self {
        BrokerLink {
            stage: Stage::Away,
            delay: FIRST_DELAY,
            reader: PacketReader::default(),
            pinged: false,
            unacknowledged: VecDeque::new(),
            last_number: 0,
        }
    }
}

impl BrokerLink {
    fn number(&mut self) -> u16 {
        self.last_number = self.last_number.checked_add(1).unwrap_or(1);
        self.last_number
    }
}

impl OtaAgent {
    /// Connects to the broker, if there is one.
    pub(super) fn reach_broker(&mut self, context: &mut Context<'_>) {
        let url = context.setup.endpoints.get("mqtt_url");
        let wanted = context.setup.ics.get("mqtt").and_then(Value::as_bool);
        let Some(address) = url.strip_prefix("mqtt://").filter(|_| wanted != Some(false)) else {
            return;
        };
        let address = address.to_owned();
        self.broker.stage = Stage::Connecting;
        self.broker.reader = PacketReader::default();
        context.timer(KEEP_ALIVE_TIMER, PATIENCE);
        context.open_stream(BROKER, &address);
    }

    /// The connection to the broker is there: who this is.
    pub(super) fn broker_opened(&mut self, context: &mut Context<'_>) {
        let mut connect = Connect::new(&self.id);
        connect.keep_alive = KEEP_ALIVE.as_secs() as u16;
        self.broker_send(&Packet::Connect(connect), context);
    }

    /// The connection to the broker has ended, or was none; it is made again, later each time.
    pub(super) fn broker_lost(&mut self, context: &mut Context<'_>) {
        self.broker.stage = Stage::Away;
        context.cancel(KEEP_ALIVE_TIMER);
        context.timer(BROKER_TIMER, self.broker.delay);
        self.broker.delay = (self.broker.delay * 2).min(LONGEST_DELAY);
    }

    /// Time for a ping; a broker that answers none, or does not accept in time, is given up.
    pub(super) fn broker_keep_alive(&mut self, context: &mut Context<'_>) {
        if self.broker.pinged || self.broker.stage != Stage::Connected {
            context.close_stream(BROKER);
            return self.broker_lost(context);
        }
        self.broker.pinged = true;
        self.broker_send(&Packet::PingReq, context);
        context.timer(KEEP_ALIVE_TIMER, PATIENCE);
    }

    /// Bytes from the broker.
    pub(super) fn broker_bytes(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        self.broker.reader.push(bytes);
        while self.broker.stage != Stage::Away {
            match self.broker.reader.take() {
                Ok(Some(packet)) => self.broker_packet(packet, context),
                Ok(None) => break,
                Err(problem) => {
                    context.console(format!("MQTT: {problem}"));
                    context.close_stream(BROKER);
                    return self.broker_lost(context);
                }
            }
        }
    }

    fn broker_packet(&mut self, packet: Packet, context: &mut Context<'_>) {
        match packet {
            Packet::ConnAck(ack) if ack.code == ConnectReturnCode::Success => self.broker_accepts(context),
            Packet::ConnAck(_) => {
                context.close_stream(BROKER);
                self.broker_lost(context);
            }
            Packet::Publish(publish) => {
                if publish.qos != QoS::AtMostOnce {
                    self.broker_send(&Packet::PubAck(PubAck::new(publish.pkid)), context);
                }
                self.published(&publish, context);
            }
            Packet::PubAck(ack) => self.broker.unacknowledged.retain(|sent| sent.pkid != ack.pkid),
            Packet::PingResp => {
                self.broker.pinged = false;
                context.timer(KEEP_ALIVE_TIMER, PING_EVERY);
            }
            _ => {}
        }
    }

    fn broker_accepts(&mut self, context: &mut Context<'_>) {
        self.broker.stage = Stage::Connected;
        self.broker.delay = FIRST_DELAY;
        self.broker.pinged = false;
        context.timer(KEEP_ALIVE_TIMER, PING_EVERY);
        let filters = [frames_topic(&self.id), method_topic(&self.id, "+")].map(|path| SubscribeFilter {
            path,
            qos: QoS::AtLeastOnce,
        });
        let mut subscribe = Subscribe::new_many(filters);
        subscribe.pkid = self.broker.number();
        self.broker_send(&Packet::Subscribe(subscribe), context);
        for publish in self.broker.unacknowledged.clone() {
            self.broker_send(&Packet::Publish(publish), context);
        }
        for publish in &mut self.broker.unacknowledged {
            publish.dup = true;
        }
    }

    fn published(&mut self, publish: &Publish, context: &mut Context<'_>) {
        let decoded = decode(&publish.payload);
        let valid = decoded.is_valid();
        let Some(mut frame) = decoded.value.filter(|_| valid) else {
            return context.console("MQTT: invalid frame");
        };
        if let Some(Topic::Method { method, .. }) = parse_topic(&publish.topic) {
            frame.method = Some(method.to_owned());
        }
        if frame.id.is_some() && frame.src.as_deref().is_none_or(str::is_empty) {
            return context.console("MQTT: request without sender dropped");
        }
        if self.is_same_update(&frame) {
            return context.console("MQTT: duplicate of the update under way dropped");
        }
        self.framed(Way::Broker, frame, "MQTT", context);
    }

    /// QoS 1 may deliver the request of the update under way once more.
    fn is_same_update(&self, frame: &Frame) -> bool {
        frame.called_method() == Some(method::UPDATE)
            && self.update.as_ref().is_some_and(|update| {
                let (way, asked) = (update.asker.way, &update.asker.request);
                matches!(way, Way::Broker) && asked.id == frame.id && asked.src == frame.src
            })
    }

    /// Publishes a reply to the topic of its recipient.
    pub(super) fn publish_reply(&mut self, reply: &Frame, context: &mut Context<'_>) {
        let Some(recipient) = reply.dst.as_deref() else {
            return;
        };
        let mut publish = Publish::new(frames_topic(recipient), QoS::AtLeastOnce, encode_frame(reply));
        publish.pkid = self.broker.number();
        let connected = self.broker.stage == Stage::Connected;
        if connected {
            self.broker_send(&Packet::Publish(publish.clone()), context);
        }
        publish.dup = connected;
        self.broker.unacknowledged.push_back(publish);
        if self.broker.unacknowledged.len() > MOST_ANSWERS {
            self.broker.unacknowledged.pop_front();
        }
    }

    fn broker_send(&mut self, packet: &Packet, context: &mut Context<'_>) {
        context.send_stream(BROKER, encode(packet));
    }
}

/// The stream to the broker.
pub(super) const BROKER: StreamId = StreamId(1);
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long the broker may take to accept, or to answer a ping.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers that are kept for the broker.
const MOST_ANSWERS: usize = 32;
