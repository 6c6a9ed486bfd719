//! Messages of the unit until they are acknowledged (reference sections 4.2 and 4.4). Without an ack in time the
//! connection counts as broken (seed) or the message is sent again (publisher); after four transmissions it is given
//! up, and the connection with it.

use super::{
    agent::{AosAgent, OUTBOX_TIMER, timestamp},
    connection::BINARY,
};
use crate::{Context, Frame};
use hil_trace::Stamp;
use hil_wire::aos::Dialect;
use serde_json::{Map, Value, json};
use std::{collections::VecDeque, time::Duration};

/// Everything not acknowledged, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Waiting>,
}

impl Outbox {
    /// Takes out what was never sent.
    pub(super) fn take_new(&mut self) -> Vec<Waiting> {
        let (new, sent) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|message| message.transmissions == 0);
        self.waiting = sent;
        Vec::from_iter::<VecDeque<Waiting>>(new)
    }

    /// Puts it behind everything else.
    pub(super) fn put_back(&mut self, new: Vec<Waiting>) {
        self.waiting.extend(new);
    }
}

/// A message without an ack.
#[derive(Debug)]
pub(super) struct Waiting {
    txn: String,
    bytes: Vec<u8>,
    transmissions: u32,
    /// Its ack is due.
    deadline: Option<Stamp>,
    /// It was refused and goes out again then.
    retry_at: Option<Stamp>,
}

impl AosAgent {
    pub(super) fn header(&self, txn: &str, context: &Context<'_>) -> Value {
        json!({
            "version": 7,
            "systemId": self.system_id,
            "createdAt": timestamp(context),
            "txn": txn,
        })
    }

    /// Sends a message now or once there is a connection; `data` without its type.
    pub(super) fn post(&mut self, message: &str, data: Value, context: &mut Context<'_>) {
        let (txn, header) = self.new_header(context);
        let mut members = Map::from_iter([("messageType".to_owned(), json!(message))]);
        if let Value::Object(rest) = data {
            members.extend(rest);
        }
        let envelope = json!({"header": header, "data": members});
        self.outbox.waiting.push_back(Waiting {
            txn,
            bytes: envelope.to_string().into_bytes(),
            transmissions: 0,
            deadline: None,
            retry_at: None,
        });
        self.transmit(context);
    }

    /// After a connect: everything not acknowledged goes out again, oldest first.
    pub(super) fn resend_all(&mut self, context: &mut Context<'_>) {
        self.outbox
            .waiting
            .retain(|message| message.transmissions < MOST_TRANSMISSIONS);
        for message in &mut self.outbox.waiting {
            message.deadline = None;
        }
        self.transmit(context);
    }

    pub(super) fn acknowledged(&mut self, txn: &str, context: &mut Context<'_>) {
        self.outbox.waiting.retain(|message| message.txn != txn);
        self.plan(context);
    }

    pub(super) fn refused(&mut self, txn: &str, retry_after: Option<i64>, context: &mut Context<'_>) {
        let wait = u64::try_from(retry_after.unwrap_or(500)).unwrap_or(0);
        let at = context.now() + Duration::from_millis(wait);
        if let Some(message) = self.outbox.waiting.iter_mut().find(|message| message.txn == txn) {
            message.deadline = None;
            message.retry_at = Some(at);
            message.transmissions = message.transmissions.saturating_sub(1);
        }
        self.plan(context);
    }

    pub(super) fn outbox_due(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let late = |message: &Waiting| message.deadline.is_some_and(|deadline| deadline <= now);
        if self.outbox.waiting.iter().any(late) {
            if self.dialect == Dialect::Seed {
                self.journal("no ack in time: the connection is broken", context);
                return self.abandon(context);
            }
            let before = self.outbox.waiting.len();
            self.outbox
                .waiting
                .retain(|message| !late(message) || message.transmissions < MOST_TRANSMISSIONS);
            if self.outbox.waiting.len() < before {
                self.journal("four transmissions without an ack: nobody is there", context);
                return self.abandon(context);
            }
            for message in &mut self.outbox.waiting {
                if late(message) {
                    message.deadline = None;
                }
            }
        }
        self.transmit(context);
    }

    /// Sends everything that may go out now.
    pub(super) fn transmit(&mut self, context: &mut Context<'_>) {
        let Some(socket) = self.connection.socket() else {
            return;
        };
        let now = context.now();
        let deadline = now + context.setup.seconds("ack_timeout", 10.0);
        for message in &mut self.outbox.waiting {
            let held = message.retry_at.is_some_and(|at| at > now);
            if message.deadline.is_none() && !held {
                message.retry_at = None;
                message.transmissions += 1;
                message.deadline = Some(deadline);
                context.send_ws(socket, Frame::new(BINARY, message.bytes.clone()));
            }
        }
        self.plan(context);
    }

    fn plan(&mut self, context: &mut Context<'_>) {
        let moments = self
            .outbox
            .waiting
            .iter()
            .filter_map(|message| message.deadline.or(message.retry_at));
        match moments.min().filter(|_| self.connection.socket().is_some()) {
            Some(at) => context.timer(OUTBOX_TIMER, at.since(context.now())),
            None => context.cancel(OUTBOX_TIMER),
        }
    }
}

const MOST_TRANSMISSIONS: u32 = 4;
