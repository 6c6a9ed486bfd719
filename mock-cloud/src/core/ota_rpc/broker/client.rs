//! One connection to the broker.

use super::session::Session;
use hil_trace::Stamp;
use hil_wire::ota_rpc::mqtt::{PacketReader, QoS};
use std::{collections::BTreeSet, time::Duration};

/// A client, from its connection on.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) stage: Stage,
    pub(super) reader: PacketReader,
    pub(super) id: String,
    /// The session outlives the connection.
    pub(super) keeps: bool,
    /// Zero: the client may be quiet for ever.
    pub(super) keep_alive: Duration,
    /// When it was heard last.
    pub(super) heard: Stamp,
    pub(super) session: Session,
    /// Packet identifiers of messages with QoS 2 that were taken and not released.
    pub(super) received: BTreeSet<u16>,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// CONNECT must come until then.
    Opened { until: Stamp },
    /// CONNECT was accepted.
    Connected,
    /// Nothing more is heard or sent.
    Ended,
}

impl Client {
    /// A connection on which CONNECT must come in time.
    pub(super) fn new(until: Stamp) -> Self {
        Client {
            stage: Stage::Opened { until },
            reader: PacketReader::default(),
            id: String::new(),
            keeps: false,
            keep_alive: Duration::ZERO,
            heard: Stamp::ZERO,
            session: Session::default(),
            received: BTreeSet::new(),
        }
    }

    /// The QoS it wants messages of a topic with, if it wants them.
    pub(super) fn wants(&self, topic: &str) -> Option<QoS> {
        match self.stage {
            Stage::Connected => self.session.wants(topic),
            _ => None,
        }
    }

    /// Whether it gets messages of a topic and subscribed to less than everything, as observers do.
    pub(super) fn receives(&self, topic: &str) -> bool {
        self.stage == Stage::Connected && self.session.receives(topic)
    }

    /// When the broker parts with it unless it is heard: after one and a half times its keep-alive (MQTT 3.1.1 section
    /// 3.1.2.10).
    pub(super) fn too_quiet_at(&self) -> Option<Stamp> {
        match self.stage {
            Stage::Opened { until } => Some(until),
            Stage::Connected if !self.keep_alive.is_zero() => Some(self.heard + self.keep_alive * 3 / 2),
            Stage::Connected | Stage::Ended => None,
        }
    }
}
