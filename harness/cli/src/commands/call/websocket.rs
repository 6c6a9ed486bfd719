//! A call over a WebSocket: frames as text messages.

use super::{Call, CallError, connect::own_host};
use futures_util::{SinkExt, StreamExt};
use hil_wire::ota_rpc::{Frame, decode, encode};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, header::ORIGIN},
        protocol::WebSocketConfig,
    },
};

pub(super) async fn call(call: &Call, authority: &str, path: &str, secure: bool) -> Result<Frame, CallError> {
    let stream = call.trust.connect(authority, secure).await?;
    let host = own_host(authority, secure);
    let scheme = if secure { "https" } else { "http" };
    let mut request = format!("ws://{host}{path}")
        .into_client_request()
        .map_err(refused)?;
    let origin = HeaderValue::try_from(format!("{scheme}://{host}"));
    let origin = origin.map_err(|error| CallError::Refused(error.to_string()))?;
    request.headers_mut().insert(ORIGIN, origin);
    let config = WebSocketConfig::default().read_buffer_size(READ_SIZE);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config))
        .await
        .map_err(refused)?;
    let mut repeated = false;
    socket.send(text(&call.frame)).await.map_err(broken)?;
    while let Some(message) = socket.next().await {
        let message = message.map_err(broken)?;
        if !(message.is_text() || message.is_binary()) {
            continue;
        }
        let Some(frame) = decode(&message.into_data()).value else {
            continue;
        };
        if !call.is_answered_by(&frame) {
            continue;
        }
        match call.repeated_for(&frame, repeated)? {
            Some(again) => {
                repeated = true;
                socket.send(text(&again)).await.map_err(broken)?;
            }
            None => {
                // The reply is here; how the connection ends changes nothing.
                let _ = socket.close(None).await;
                return Ok(frame);
            }
        }
    }
    Err(CallError::Broken("the unit closed the WebSocket".to_owned()))
}

fn text(frame: &Frame) -> Message {
    Message::text(String::from_utf8_lossy(&encode(frame)).into_owned())
}

fn refused(error: Error) -> CallError {
    match error {
        Error::Http(response) => CallError::Status(response.status().as_u16()),
        other => CallError::Refused(other.to_string()),
    }
}

fn broken(error: Error) -> CallError {
    CallError::Broken(error.to_string())
}

const READ_SIZE: usize = 4096;
