//! What is known of a connection while it is up: how to reset it, and the queue of what goes out.

use super::{Host, frame::Frame};
use hil_fault::LinePart;
use hil_link::StreamHandle;
use std::time::Duration;
use tokio::sync::mpsc;

/// A connection that is up.
pub(super) struct Link {
    handle: StreamHandle,
    queue: mpsc::UnboundedSender<Item>,
    /// What goes out once so many more messages have gone.
    held: Vec<(u32, Item)>,
}

/// Something that goes out on a connection.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A WebSocket frame.
    Frame(Frame),
    /// Bytes of a byte stream, in the parts they arrive in.
    Bytes(Vec<LinePart>),
    /// Nothing more goes out or is taken notice of, for this time or for ever.
    Silence(Option<Duration>),
    /// The end of this side.
    End,
}

/// The other end of a connection's queue.
pub(super) type Queue = mpsc::UnboundedReceiver<Item>;

impl Host {
    /// Makes a connection known.
    pub(super) fn attach(&self, connection: u32, handle: StreamHandle) -> Queue {
        let (queue, items) = mpsc::unbounded_channel();
        self.links.borrow_mut().insert(
            connection,
            Link {
                handle,
                queue,
                held: Vec::new(),
            },
        );
        items
    }

    /// Forgets a connection.
    pub(super) fn detach(&self, connection: u32) {
        self.links.borrow_mut().remove(&connection);
    }

    /// True while a connection is up.
    pub(super) fn is_attached(&self, connection: u32) -> bool {
        self.links.borrow().contains_key(&connection)
    }

    /// Puts something into the queue of a connection; nothing happens if it is gone.
    pub(super) fn queue(&self, connection: u32, item: Item) {
        if let Some(link) = self.links.borrow().get(&connection) {
            // A connection whose task has just ended takes nothing any more.
            let _ = link.queue.send(item);
        }
    }

    /// Keeps something back until so many more messages have gone.
    pub(super) fn hold_back(&self, connection: u32, past: u32, item: Item) {
        if let Some(link) = self.links.borrow_mut().get_mut(&connection) {
            link.held.push((past, item));
        }
    }

    /// A message has gone: what waited for it goes too.
    pub(super) fn message_gone(&self, connection: u32) {
        let mut links = self.links.borrow_mut();
        let Some(link) = links.get_mut(&connection) else {
            return;
        };
        for (past, item) in std::mem::take(&mut link.held) {
            match past.checked_sub(1) {
                Some(left @ 1..) => link.held.push((left, item)),
                // A connection whose task has just ended takes nothing any more.
                _ => drop(link.queue.send(item)),
            }
        }
    }

    /// Resets a connection, if it is up.
    pub(super) fn reset(&self, connection: u32) {
        if let Some(link) = self.links.borrow().get(&connection) {
            link.handle.reset();
        }
    }
}
