//! The MQTT transport (reference section 2.4): its topics, and the packets of MQTT 3.1.1 below them.

mod packet;
mod topic;

pub use packet::{
    BadPacket, ConnAck, Connect, ConnectReturnCode, Packet, PacketReader, PubAck, PubComp, PubRec, Publish,
    QoS, SubAck, Subscribe, SubscribeFilter, SubscribeReasonCode, UnsubAck, encode,
};
pub use topic::{Topic, frames_topic, is_filter, is_topic, matches, method_topic, mos_source, parse_topic};
