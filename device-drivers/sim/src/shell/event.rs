//! What the shell's tasks tell the agent's loop.

use crate::{Input, SocketId};
use hil_link::Stream;
use hil_wire::http::{Headers, Request, Response};
use tokio::sync::{mpsc, oneshot};

/// One message to the loop.
pub(crate) enum Event {
    /// Timers changed.
    Wake,
    /// Something came of what the agent opened; dropped if the agent has replaced or closed it.
    Opened {
        /// The task it comes from.
        serial: u64,
        /// What.
        input: Input,
    },
    /// A request on a face.
    Request {
        /// Name of the face.
        face: String,
        /// The request.
        request: Request,
        /// Where the answer goes.
        reply: oneshot::Sender<Reply>,
    },
    /// A caller went away before the answer.
    Gone,
    /// An accepted upgrade is through: the socket is open.
    Upgraded {
        /// The number the agent chose.
        socket: SocketId,
        /// The connection.
        stream: Stream,
        /// Bytes that were read behind the request.
        early: bytes::Bytes,
    },
    /// A connection on a face that serves streams.
    Stream {
        /// Name of the face.
        face: String,
        /// The connection.
        stream: Stream,
        /// Whether it stays open for writing when the other side ends.
        half_closing: bool,
    },
}

/// What the agent decided about a request.
pub(crate) enum Reply {
    /// Answer it.
    Answer(Response),
    /// Accept the upgrade.
    Upgrade(SocketId, Headers),
    /// Close the connection.
    Abandon,
}

/// Sends the inputs of one task.
#[derive(Clone)]
pub(crate) struct Outlet {
    pub(crate) serial: u64,
    pub(crate) events: mpsc::UnboundedSender<Event>,
}

impl Outlet {
    /// Hands an input to the loop; a loop that has ended does not matter.
    pub(crate) fn send(&self, input: Input) {
        let _ = self.events.send(Event::Opened {
            serial: self.serial,
            input,
        });
    }
}
