//! Byte streams: Unix sockets and serial lines.

use super::{environment::Environment, event::Outlet, registry::TaskGuard};
use crate::{Input, StreamId};
use bytes::{Bytes, BytesMut};
use hil_link::{Address, Stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

/// What the agent does with a stream.
pub(crate) enum StreamCommand {
    /// Write.
    Send(Bytes),
    /// Close after what was written.
    Close,
}

/// Connects and runs a stream.
pub(crate) async fn open(
    environment: Environment,
    guard: TaskGuard,
    outlet: Outlet,
    stream: StreamId,
    address: Address,
    commands: mpsc::UnboundedReceiver<StreamCommand>,
) {
    match environment.network.connect(&address).await {
        Ok(connection) => {
            outlet.send(Input::StreamOpened {
                stream,
                face: String::new(),
            });
            run(guard, outlet, stream, connection, commands, false).await;
        }
        Err(_) => outlet.send(Input::StreamClosed { stream }),
    }
}

/// Runs a stream that is open; a half-closing one goes on until the agent closes it.
pub(crate) async fn run(
    guard: TaskGuard,
    outlet: Outlet,
    stream: StreamId,
    connection: Stream,
    mut commands: mpsc::UnboundedReceiver<StreamCommand>,
    half_closing: bool,
) {
    guard.attach(connection.handle());
    let (mut reader, mut writer) = tokio::io::split(connection);
    let reading = async {
        let mut buffer = BytesMut::with_capacity(READ_SIZE);
        loop {
            buffer.reserve(READ_SIZE);
            match reader.read_buf(&mut buffer).await {
                Ok(0) if half_closing => {
                    outlet.send(Input::StreamEnded { stream });
                    std::future::pending::<()>().await;
                }
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    let bytes = buffer.split().freeze();
                    outlet.send(Input::StreamData { stream, bytes });
                }
            }
        }
    };
    let writing = async {
        while let Some(StreamCommand::Send(bytes)) = commands.recv().await {
            if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                break;
            }
        }
        let _ = writer.shutdown().await;
    };
    tokio::select! {
        biased;
        () = reading => {}
        () = writing => {}
    }
    outlet.send(Input::StreamClosed { stream });
}

const READ_SIZE: usize = 8 * 1024;
