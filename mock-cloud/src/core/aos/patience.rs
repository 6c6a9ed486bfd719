//! Messages the unit does not acknowledge while it is connected. The sender takes the connection for broken (reference
//! section 4.2, D5): in dialect `seed` the cloud ends it, in dialect `publisher` it sends the same bytes again first.

use super::{AosCloud, Dialect, Now, Outputs, Send, json};
use hil_trace::Stamp;
use std::{collections::BTreeMap, time::Duration};

/// Messages on their way, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience {
    limit: Option<Duration>,
    waiting: BTreeMap<u64, Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Stamp,
    copies: u32,
}

impl Patience {
    /// Waits so many seconds for each ack; for ever if that is no positive number.
    pub(super) fn new(seconds: f64) -> Self {
        let limit = Duration::try_from_secs_f64(seconds).ok();
        Patience {
            limit: limit.filter(|limit| !limit.is_zero()),
            waiting: BTreeMap::new(),
        }
    }

    /// A message was sent.
    pub(super) fn sent(&mut self, number: u64, at: Stamp) {
        let waiting = self
            .waiting
            .entry(number)
            .or_insert(Waiting { since: at, copies: 0 });
        waiting.since = at;
        waiting.copies += 1;
    }

    /// Its ack came.
    pub(super) fn acknowledged(&mut self, number: u64) {
        self.waiting.remove(&number);
    }

    /// The connection ended: nothing is on its way.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
    }

    /// When the next message has waited long enough.
    pub(super) fn deadline(&self) -> Option<Stamp> {
        let limit = self.limit?;
        self.waiting.values().map(|waiting| waiting.since + limit).min()
    }

    fn overdue(&self, now: Stamp) -> Vec<(u64, u32)> {
        let Some(limit) = self.limit else {
            return Vec::new();
        };
        let late = self
            .waiting
            .iter()
            .filter(|(_, waiting)| waiting.since + limit <= now);
        late.map(|(number, waiting)| (*number, waiting.copies)).collect()
    }
}

impl AosCloud {
    /// Deals with messages whose ack is overdue.
    pub(super) fn lose_patience(&mut self, now: Now, out: &mut Outputs) {
        for (number, copies) in self.patience.overdue(now.stamp) {
            let (Some(message), Some(open)) = (self.outgoing.get(&number).cloned(), &self.connected) else {
                self.patience.acknowledged(number);
                continue;
            };
            let connection = open.connection;
            out.note(
                "unacknowledged",
                json!({"txn": message.txn, "message": message.message, "copies": copies}),
            );
            if self.dialect == Dialect::Publisher && copies < MOST_COPIES {
                self.transmit(&message, out);
                self.patience.sent(number, now.stamp);
            } else {
                // The message stays promised and goes out again on the next connection.
                self.patience.forget();
                let code = GOING_AWAY;
                out.sends.push(Send::CloseWebSocket { connection, code });
                return;
            }
        }
    }
}

/// Seconds an ack may take, unless the option `ack_timeout` says otherwise.
pub(super) const ACK_TIMEOUT: f64 = 30.0;
/// As many as a unit of version 9.1.1 sends.
const MOST_COPIES: u32 = 4;
const GOING_AWAY: u16 = 1001;
