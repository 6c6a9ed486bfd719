//! Byte streams: faces where the unit opens them, and the life of one that is open on either side.

use super::{
    Host,
    line::Line,
    link::Queue,
    outgoing::Outgoing,
    websocket::{broken, finish},
};
use bytes::BytesMut;
use hil_link::{Listener, Stream, StreamHandle};
use hil_trace::{Ending, Party};
use std::{rc::Rc, time::Duration};
use tokio::{io::AsyncReadExt, task::JoinSet};

/// Serves a byte face until cancelled or the cloud drains.
pub(crate) async fn serve_byte_face(host: Rc<Host>, face: &'static str, mut listener: Listener) {
    let mut connections = JoinSet::new();
    let mut draining = host.draining();
    loop {
        tokio::select! {
            biased;
            () = &mut draining => break,
            accepted = listener.accept() => match accepted {
                Ok(stream) => {
                    connections.spawn_local(serve_opened(host.clone(), face, stream));
                }
                // Out of descriptors or the like: the next attempt may do better.
                Err(_) => host.edge.clock.sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_opened(host: Rc<Host>, face: &'static str, stream: Stream) {
    let connection = host.edge.opened(face, Party::Unit);
    let stream = host.edge.disturbed(connection, face, Party::Unit, stream);
    let queue = host.attach(connection, stream.handle());
    host.tell(|core, now, out| core.stream_opened(now, connection, face, out))
        .await;
    let (ending, by) = serve(&host, connection, stream, queue).await;
    closed(&host, connection, ending, by).await;
}

/// Records the end of a connection the core knows, and tells it.
pub(super) async fn closed(host: &Rc<Host>, connection: u32, ending: Ending, by: Party) {
    host.edge.closed(connection, ending, by);
    host.detach(connection);
    host.tell(|core, now, out| core.connection_closed(now, connection, out))
        .await;
}

/// Whose doing the end of a connection is that came from the other side: the unit's, unless a fault cut it.
pub(super) fn ended_by(handle: &StreamHandle) -> Party {
    if handle.is_cut() {
        Party::Cloud
    } else {
        Party::Unit
    }
}

/// Serves an open byte stream to its end. When the peer has ended its side, what the core sends at once still goes
/// out; when the core has ended ours, the peer's end is awaited.
pub(super) async fn serve(
    host: &Rc<Host>,
    connection: u32,
    stream: Stream,
    mut queue: Queue,
) -> (Ending, Party) {
    let handle = stream.handle();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (mut incoming, mut outgoing) = (BytesMut::new(), Outgoing::default());
    let mut line = Line::new(host.clone(), connection);
    let (mut ended, mut peer_ended) = (false, false);
    loop {
        while let Ok(item) = queue.try_recv() {
            line.stage(item, &mut outgoing.bytes);
        }
        if outgoing.is_done() && (line.is_ending() || peer_ended) && !ended {
            finish(host, &mut writer).await;
            ended = true;
        }
        if ended && peer_ended {
            let by = if line.is_ending() {
                Party::Cloud
            } else {
                ended_by(&handle)
            };
            return (Ending::Fin, by);
        }
        let wake = line.next_wake();
        tokio::select! {
            biased;
            item = queue.recv(), if !line.is_ending() => match item {
                Some(item) => line.stage(item, &mut outgoing.bytes),
                None => return (Ending::Fin, Party::Cloud),
            },
            sent = outgoing.advance(&mut writer), if !outgoing.is_done() => if let Err(error) = sent {
                return broken(&handle, &error);
            },
            read = reader.read_buf(&mut incoming), if !peer_ended => match read {
                Ok(count) => {
                    let read = incoming.split();
                    incoming.reserve(READ_SIZE);
                    peer_ended = count == 0;
                    let heard = line.hear(&read, peer_ended);
                    tell(host, connection, &heard).await;
                    if peer_ended {
                        host.tell(|core, now, out| core.bytes(now, connection, &[], out)).await;
                    }
                }
                Err(error) => return broken(&handle, &error),
            },
            () = host.edge.clock.sleep_until(wake.unwrap_or_default()), if wake.is_some() => {
                line.release(&mut outgoing.bytes);
                let heard = line.hear(&[], peer_ended);
                tell(host, connection, &heard).await;
            }
        }
    }
}

/// Tells the core what it hears, if anything.
async fn tell(host: &Rc<Host>, connection: u32, heard: &[u8]) {
    if !heard.is_empty() {
        host.tell(|core, now, out| core.bytes(now, connection, heard, out))
            .await;
    }
}

const READ_SIZE: usize = 4096;
