//! Calls over MQTT: published to the unit's topic, answered on that of the sender (reference section 2.4).

use super::{
    OtaRpcCloud,
    request::{CallRequest, Transport},
};
use crate::core::{Now, Operation, Outputs};
use hil_trace::Stamp;
use hil_wire::ota_rpc::{
    FrameKind, decode,
    mqtt::{Publish, QoS, frames_topic},
};

/// A message nobody has subscribed to yet.
#[derive(Debug)]
pub(super) struct Waiting {
    message: Publish,
    operation: Operation,
    /// The caller does not wait for an answer any longer.
    until: Stamp,
}

impl OtaRpcCloud {
    /// Publishes something to a topic of the unit, once it has subscribed to it.
    pub(super) fn publish_to_unit(
        &mut self,
        now: Now,
        topic: String,
        payload: Vec<u8>,
        operation: Operation,
        until: Stamp,
        out: &mut Outputs,
    ) {
        let message = Publish::new(topic, QoS::AtLeastOnce, payload);
        self.waiting.push(Waiting {
            message,
            operation,
            until,
        });
        self.publish_waiting(now, out);
    }

    /// Bytes came from a client of the broker.
    pub(super) fn broker_heard(&mut self, now: Now, connection: u32, payload: &[u8], out: &mut Outputs) {
        for message in self.broker.bytes(now, connection, payload, out) {
            let reply = decode(&message.payload).value;
            if let Some(reply) = reply.filter(|frame| frame.kind() == FrameKind::Reply) {
                let to_sender = |request: &CallRequest| {
                    let source = request.frame.src.as_deref();
                    request.transport == Transport::Mqtt
                        && source.is_some_and(|source| frames_topic(source) == message.topic)
                };
                self.reply_received(now, &reply, to_sender, out);
            }
        }
        self.publish_waiting(now, out);
    }

    /// Parts with the unit, or whoever else listens to its topic.
    pub(super) fn part_with_unit(&mut self, out: &mut Outputs) {
        let topic = frames_topic(&self.settings.unit_id);
        self.broker.close_receivers(&topic, out);
    }

    fn publish_waiting(&mut self, now: Now, out: &mut Outputs) {
        for waiting in std::mem::take(&mut self.waiting) {
            if !self.broker.has_receiver(&waiting.message.topic) {
                if waiting.until > now.stamp {
                    self.waiting.push(waiting);
                }
                continue;
            }
            self.broker.publish(&waiting.message, &waiting.operation, out);
        }
    }
}
