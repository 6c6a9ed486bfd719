//! What the broker knows of a client beyond one connection: subscriptions, and messages it has not acknowledged.

use hil_wire::ota_rpc::mqtt::{Publish, QoS, matches};
use std::collections::{BTreeMap, VecDeque};

/// The session of one client.
#[derive(Debug, Default)]
pub(super) struct Session {
    subscriptions: BTreeMap<String, QoS>,
    /// Messages with QoS 1 that wait for their acknowledgement, or for the client to come back; `dup` marks those that
    /// were sent.
    unacknowledged: VecDeque<Publish>,
    last_number: u16,
}

impl Session {
    pub(super) fn subscribe(&mut self, filter: &str, granted: QoS) {
        self.subscriptions.insert(filter.to_owned(), granted);
    }

    pub(super) fn unsubscribe(&mut self, filters: &[String]) {
        for filter in filters {
            self.subscriptions.remove(filter);
        }
    }

    /// The best QoS of the subscriptions that cover a topic.
    pub(super) fn wants(&self, topic: &str) -> Option<QoS> {
        let covering = self
            .subscriptions
            .iter()
            .filter(|(filter, _)| matches(filter, topic));
        covering
            .map(|(_, granted)| *granted)
            .max_by_key(|granted| *granted as u8)
    }

    /// Whether a subscription covers a topic and not just everything.
    pub(super) fn receives(&self, topic: &str) -> bool {
        let mut filters = self.subscriptions.keys();
        filters.any(|filter| filter != EVERYTHING && matches(filter, topic))
    }

    /// A message of another client on its way to this one, until it is acknowledged.
    pub(super) fn lasting_delivery(&mut self, message: &Publish, wanted: QoS) -> Publish {
        let delivered = self.delivery(message, wanted);
        if delivered.qos != QoS::AtMostOnce {
            self.unacknowledged.push_back(Publish {
                dup: true,
                ..delivered.clone()
            });
            if self.unacknowledged.len() > MOST_MESSAGES {
                self.unacknowledged.pop_front();
            }
        }
        delivered
    }

    /// A message on its way to this client.
    pub(super) fn delivery(&mut self, message: &Publish, wanted: QoS) -> Publish {
        let mut delivered = Publish::from_bytes(&message.topic, QoS::AtMostOnce, message.payload.clone());
        if message.qos != QoS::AtMostOnce && wanted != QoS::AtMostOnce {
            self.last_number = self.last_number.checked_add(1).unwrap_or(1);
            delivered.qos = QoS::AtLeastOnce;
            delivered.pkid = self.last_number;
        }
        delivered
    }

    /// A message goes by while the client is away.
    pub(super) fn remember(&mut self, message: &Publish) {
        if let Some(wanted) = self.wants(&message.topic) {
            let delivered = self.lasting_delivery(message, wanted);
            let waiting = self.unacknowledged.back_mut();
            if let Some(waiting) = waiting.filter(|waiting| waiting.pkid == delivered.pkid) {
                waiting.dup = false;
            }
        }
    }

    /// The client has a message.
    pub(super) fn acknowledged(&mut self, number: u16) {
        self.unacknowledged.retain(|publish| publish.pkid != number);
    }

    /// What is sent again once the client is back.
    pub(super) fn redeliveries(&mut self) -> Vec<Publish> {
        let again = self.unacknowledged.iter().cloned().collect();
        for publish in &mut self.unacknowledged {
            publish.dup = true;
        }
        again
    }
}

/// What observers subscribe to.
const EVERYTHING: &str = "#";
/// Messages that are kept for one client.
const MOST_MESSAGES: usize = 100;
