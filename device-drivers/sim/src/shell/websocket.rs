//! WebSockets of both sides, frame by frame: pings, close frames and fragments are the agent's business.

use super::{
    client::{broken, read_headers},
    connect::connect,
    environment::Environment,
    event::Outlet,
    frame::{self, FrameError},
    registry::TaskGuard,
};
use crate::{Frame, HttpCall, HttpError, Input, SocketId, Url};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use hil_link::Stream;
use hil_wire::http::{Headers, Response};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};

/// What the agent does with a socket.
pub(crate) enum WsCommand {
    /// Send a frame.
    Send(Frame),
    /// Close the connection after what was sent.
    Close,
}

/// Which side of the connection the unit is; clients mask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// It opened the connection.
    Client,
    /// It accepted it.
    Server,
}

/// Value of `Sec-WebSocket-Accept` for a key.
pub(crate) fn accept_key(key: &str) -> String {
    let digest = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    STANDARD.encode(digest)
}

/// Opens a socket and runs it.
pub(crate) async fn open(
    environment: Environment,
    guard: TaskGuard,
    outlet: Outlet,
    socket: SocketId,
    call: HttpCall,
    commands: mpsc::UnboundedReceiver<WsCommand>,
) {
    let opened = timeout(call.limits.connect, handshake(&environment, &guard, &call))
        .await
        .unwrap_or(Err(HttpError::Timeout("opening the WebSocket")));
    match opened {
        Ok((headers, stream, early)) => {
            outlet.send(Input::WsOpened { socket, headers });
            serve(guard, outlet, socket, stream, early, commands, Side::Client).await;
        }
        Err(error) => outlet.send(Input::WsFailed { socket, error }),
    }
}

/// Runs a socket that is open.
pub(crate) async fn serve(
    guard: TaskGuard,
    outlet: Outlet,
    socket: SocketId,
    stream: Stream,
    early: Bytes,
    mut commands: mpsc::UnboundedReceiver<WsCommand>,
    side: Side,
) {
    guard.attach(stream.handle());
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = async {
        let mut buffer = BytesMut::from(&early[..]);
        loop {
            while let Some(frame) = frame::decode(&mut buffer)? {
                outlet.send(Input::WsFrame { socket, frame });
            }
            buffer.reserve(READ_SIZE);
            if reader.read_buf(&mut buffer).await? == 0 {
                return Ok::<(), SocketError>(());
            }
        }
    };
    let mut masks = Masks(guard.serial);
    let writing = async {
        while let Some(WsCommand::Send(frame)) = commands.recv().await {
            let mask = (side == Side::Client).then(|| masks.next());
            writer.write_all(&frame::encode(&frame, mask)).await?;
            writer.flush().await?;
        }
        writer.shutdown().await?;
        Ok::<(), SocketError>(())
    };
    let result = tokio::select! {
        biased;
        result = reading => result,
        result = writing => result,
    };
    outlet.send(match result {
        Ok(()) => Input::WsClosed { socket },
        Err(error) => Input::WsFailed {
            socket,
            error: HttpError::Broken(error.to_string()),
        },
    });
}

async fn handshake(
    environment: &Environment,
    guard: &TaskGuard,
    call: &HttpCall,
) -> Result<(Headers, Stream, Bytes), HttpError> {
    let url = Url::parse(&call.url)?;
    let stream = connect(environment, &url, call, guard).await?;
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let key = STANDARD.encode((u128::from(guard.serial) ^ KEY_PATTERN).to_be_bytes());
    let mut builder = http::Request::builder()
        .method("GET")
        .uri(url.target.as_str())
        .header("Host", url.authority())
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", &key);
    for (name, value) in &call.request.headers.0 {
        builder = builder.header(name, value);
    }
    let request = builder
        .body(Empty::<Bytes>::new())
        .map_err(|_| HttpError::Url(call.url.clone()))?;
    let mut connection = std::pin::pin!(connection.without_shutdown());
    let mut parts = None;
    let response = {
        let mut sending = std::pin::pin!(sender.send_request(request));
        loop {
            tokio::select! {
                biased;
                response = &mut sending => break response.map_err(broken)?,
                ended = &mut connection, if parts.is_none() => parts = Some(ended.map_err(broken)?),
            }
        }
    };
    let headers = read_headers(response.headers());
    let accepted = headers.get("Sec-WebSocket-Accept") == Some(accept_key(&key).as_str());
    if response.status() != http::StatusCode::SWITCHING_PROTOCOLS || !accepted {
        let status = response.status().as_u16();
        let collecting = response.into_body().collect();
        let body = tokio::select! {
            biased;
            body = collecting => body.map(|b| b.to_bytes().to_vec()).unwrap_or_default(),
            _ = &mut connection, if parts.is_none() => Vec::new(),
        };
        return Err(HttpError::Refused(Box::new(Response {
            status,
            headers,
            body,
        })));
    }
    let parts = match parts {
        Some(parts) => parts,
        None => connection.await.map_err(broken)?,
    };
    Ok((headers, parts.io.into_inner(), parts.read_buf))
}

/// Masks need not be secret here, only different.
struct Masks(u64);

impl Masks {
    fn next(&mut self) -> [u8; 4] {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 32) as u32).to_be_bytes()
    }
}

#[derive(Debug, thiserror::Error)]
enum SocketError {
    #[error("{0}")]
    Transport(#[from] std::io::Error),
    #[error("{0}")]
    Frame(#[from] FrameError),
}

const READ_SIZE: usize = 8 * 1024;
const KEY_PATTERN: u128 = 0x6869_6c2d_7369_6d20_7765_6273_6f63_6b65;
