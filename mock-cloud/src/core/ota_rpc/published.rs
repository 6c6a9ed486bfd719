//! Calls over MQTT: published to the unit's topic, answered on that of the sender (reference section 2.4). What nobody has
//! subscribed to is lost: the caller asks again if it matters, and nothing is carried out long after it was asked.

use super::{
    OtaRpcCloud,
    request::{CallRequest, Transport},
};
use crate::core::{Now, Operation, Outputs};
use hil_wire::ota_rpc::{
    FrameKind, decode,
    mqtt::{Publish, QoS, frames_topic},
};

impl OtaRpcCloud {
    /// Publishes something to a topic of the unit; false if nobody has subscribed to it.
    pub(super) fn publish_to_unit(
        &mut self,
        topic: String,
        payload: Vec<u8>,
        operation: &Operation,
        out: &mut Outputs,
    ) -> bool {
        let message = Publish::new(topic, QoS::AtLeastOnce, payload);
        let received = self.broker.has_receiver(&message.topic);
        if received {
            self.broker.call(&message, operation, out);
        }
        received
    }

    /// A call that a fault held back goes to whoever has subscribed by now.
    pub(super) fn publish_late(&mut self, message: &Publish, out: &mut Outputs) {
        self.broker.call(message, &Operation::default(), out);
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
    }

    /// Parts with the unit, or whoever else listens to its topic.
    pub(super) fn part_with_unit(&mut self, out: &mut Outputs) {
        let topic = frames_topic(&self.settings.unit_id);
        self.broker.close_receivers(&topic, out);
    }
}
