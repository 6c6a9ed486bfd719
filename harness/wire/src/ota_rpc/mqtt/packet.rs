//! Packets out of a byte stream, and bytes of packets: MQTT 3.1.1, either side.

use bytes::{Bytes, BytesMut};
use mqttbytes::{Error, v4};

pub use mqttbytes::{
    QoS,
    v4::{
        ConnAck, Connect, ConnectReturnCode, Packet, PubAck, PubComp, PubRec, Publish, SubAck, Subscribe,
        SubscribeFilter, SubscribeReasonCode, UnsubAck,
    },
};

/// Why a stream is no MQTT any more; what follows on it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPacket {
    /// The client speaks a version other than 3.1.1.
    #[error("another version of MQTT than 3.1.1")]
    Version,
    /// The bytes are no packet.
    #[error("no MQTT packet: {0:?}")]
    Malformed(Error),
}

/// Takes one direction of a connection apart into packets.
#[derive(Debug, Default)]
pub struct PacketReader {
    bytes: BytesMut,
}

impl PacketReader {
    /// Takes what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole packet; `None` if there is none yet.
    ///
    /// # Errors
    /// [`BadPacket`] where the stream cannot be followed; all that was read is dropped then.
    pub fn take(&mut self) -> Result<Option<Packet>, BadPacket> {
        match v4::read(&mut self.bytes, LARGEST) {
            Ok(Packet::Connect(connect)) if connect.protocol != mqttbytes::Protocol::V4 => {
                Err(self.spoilt(BadPacket::Version))
            }
            Ok(packet) => Ok(Some(packet)),
            Err(Error::InsufficientBytes(_)) => Ok(None),
            Err(Error::InvalidProtocol | Error::InvalidProtocolLevel(_)) => {
                Err(self.spoilt(BadPacket::Version))
            }
            Err(error) => Err(self.spoilt(BadPacket::Malformed(error))),
        }
    }

    fn spoilt(&mut self, problem: BadPacket) -> BadPacket {
        self.bytes.clear();
        problem
    }
}

/// The bytes of a packet; empty for what MQTT cannot carry, such as a QoS above 0 without a packet identifier.
pub fn encode(packet: &Packet) -> Bytes {
    let mut bytes = BytesMut::new();
    let written = match packet {
        Packet::Connect(connect) => connect.write(&mut bytes),
        Packet::ConnAck(ack) => ack.write(&mut bytes),
        Packet::Publish(publish) if publish.topic.len() <= LONGEST_TOPIC => publish.write(&mut bytes),
        Packet::Publish(_) => Err(Error::PayloadTooLong),
        Packet::PubAck(ack) => ack.write(&mut bytes),
        Packet::PubRec(received) => received.write(&mut bytes),
        Packet::PubRel(release) => release.write(&mut bytes),
        Packet::PubComp(complete) => complete.write(&mut bytes),
        Packet::Subscribe(subscribe) => subscribe.write(&mut bytes),
        Packet::SubAck(ack) => ack.write(&mut bytes),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.write(&mut bytes),
        Packet::UnsubAck(ack) => ack.write(&mut bytes),
        Packet::PingReq => v4::PingReq.write(&mut bytes),
        Packet::PingResp => v4::PingResp.write(&mut bytes),
        Packet::Disconnect => v4::Disconnect.write(&mut bytes),
    };
    match written {
        Ok(_) => bytes.freeze(),
        Err(_) => Bytes::new(),
    }
}

/// Largest packet that is read, in bytes.
const LARGEST: usize = 8 << 20;
/// Longest topic, in bytes.
const LONGEST_TOPIC: usize = u16::MAX as usize;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn publish(qos: QoS, number: u16) -> Packet {
        let mut publish = Publish::new("u1/rpc", qos, *b"{}");
        publish.pkid = number;
        Packet::Publish(publish)
    }

    #[test]
    fn packets_come_out_of_any_pieces_of_a_stream() {
        let sent = [
            Packet::Connect(Connect::new("u1")),
            publish(QoS::AtLeastOnce, 7),
            publish(QoS::AtMostOnce, 0),
            Packet::PingReq,
            Packet::Disconnect,
        ];
        let bytes: Vec<u8> = sent.iter().flat_map(|packet| encode(packet).to_vec()).collect();
        for size in 1..bytes.len() {
            let mut reader = PacketReader::default();
            let mut read = Vec::new();
            for piece in bytes.chunks(size) {
                reader.push(piece);
                while let Some(packet) = reader.take().unwrap() {
                    read.push(packet);
                }
            }
            assert_eq!(read, sent, "pieces of {size}");
        }
    }

    #[test]
    fn other_versions_are_told_from_garbage() {
        let mut connect = Connect::new("u1");
        connect.protocol = mqttbytes::Protocol::V5;
        let mut reader = PacketReader::default();
        reader.push(&encode(&Packet::Connect(connect)));
        assert_eq!(reader.take(), Err(BadPacket::Version));
        reader.push(&[0xff; 64]);
        assert!(matches!(reader.take(), Err(BadPacket::Malformed(_))));
    }

    #[test]
    fn what_cannot_be_sent_has_no_bytes() {
        assert_eq!(encode(&publish(QoS::AtLeastOnce, 0)), Bytes::new());
        let long = Publish::new("x".repeat(70_000), QoS::AtMostOnce, *b"");
        assert_eq!(encode(&Packet::Publish(long)), Bytes::new());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = PacketReader::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.take() {}
        }

        #[test]
        fn no_change_of_a_packet_breaks_the_reader(at in 0_usize..40, byte: u8) {
            let mut bytes = encode(&Packet::Connect(Connect::new("unit"))).to_vec();
            bytes.extend_from_slice(&encode(&Packet::Subscribe(Subscribe::new("unit/rpc", QoS::AtLeastOnce))));
            let at = at % bytes.len();
            bytes[at] = byte;
            let mut reader = PacketReader::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.take() {}
        }
    }
}
