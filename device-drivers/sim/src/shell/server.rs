//! The faces a unit serves: HTTP with upgrades to WebSocket, and byte streams.

use super::{
    client::read_headers,
    event::{Event, Reply},
    registry::{Registry, TaskGuard},
    websocket,
};
use bytes::Bytes;
use hil_link::{Address, Network, Stream};
use hil_trace::{Blame, RecordBody, SharedRecorder};
use hil_wire::http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{cell::Cell, rc::Rc};
use tokio::sync::{mpsc, oneshot};

/// A face and who hears of its connections.
pub(crate) struct Service {
    pub(crate) face: String,
    pub(crate) address: Address,
    pub(crate) http: bool,
    pub(crate) half_closing: bool,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    pub(crate) registry: Rc<Registry>,
    pub(crate) recorder: SharedRecorder,
}

/// Listens until it is ended.
pub(crate) async fn run(_guard: TaskGuard, network: Network, service: Service) {
    let mut listener = match network.listen(&service.address).await {
        Ok(listener) => listener,
        Err(error) => {
            let text = format!(
                "the unit cannot serve {} at {}: {error}",
                service.face, service.address
            );
            service.recorder.record(RecordBody::Trouble {
                blame: Blame::Lab,
                text,
            });
            return;
        }
    };
    while let Ok(stream) = listener.accept().await {
        let (face, events) = (service.face.clone(), service.events.clone());
        if service.http {
            service
                .registry
                .spawn(|guard| connection(guard, stream, face, events));
        } else {
            let half_closing = service.half_closing;
            let event = Event::Stream {
                face,
                stream,
                half_closing,
            };
            if events.send(event).is_err() {
                return;
            }
        }
    }
}

/// Serves one HTTP connection, up to an upgrade.
async fn connection(guard: TaskGuard, stream: Stream, face: String, events: mpsc::UnboundedSender<Event>) {
    guard.attach(stream.handle());
    let upgrade = Rc::new(Cell::new(None));
    let service = service_fn(|request| answer(request, &face, &events, upgrade.clone()));
    let served = http1::Builder::new()
        // A date would be this machine's, not the bench's.
        .auto_date_header(false)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .without_shutdown()
        .await;
    let Ok(parts) = served else { return };
    match upgrade.take() {
        Some(socket) => {
            // From here on the connection belongs to the socket's own task.
            drop(guard);
            let _ = events.send(Event::Upgraded {
                socket,
                stream: parts.io.into_inner(),
                early: parts.read_buf,
            });
        }
        None => {
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut parts.io.into_inner()).await;
        }
    }
}

async fn answer(
    request: http::Request<Incoming>,
    face: &str,
    events: &mpsc::UnboundedSender<Event>,
    upgrade: Rc<Cell<Option<crate::SocketId>>>,
) -> Result<http::Response<Full<Bytes>>, Abandoned> {
    let (head, body) = request.into_parts();
    let headers = read_headers(&head.headers);
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return Ok(message(Response::new(413)));
    };
    let target = head.uri.path_and_query().map_or("/", |t| t.as_str()).to_owned();
    let key = headers.get("Sec-WebSocket-Key").map(str::to_owned);
    let request = Request {
        method: head.method.as_str().to_owned(),
        target,
        headers,
        body: body.to_bytes().to_vec(),
    };
    let (reply, answer) = oneshot::channel();
    let mut waiting = Waiting {
        events,
        answered: false,
    };
    let event = Event::Request {
        face: face.to_owned(),
        request,
        reply,
    };
    events.send(event).map_err(|_| Abandoned)?;
    let reply = answer.await;
    waiting.answered = true;
    match reply {
        Ok(Reply::Answer(response)) => Ok(message(response)),
        Ok(Reply::Upgrade(socket, headers)) => {
            upgrade.set(Some(socket));
            let mut response = Response::new(101)
                .header("Upgrade", "websocket")
                .header("Connection", "Upgrade")
                .header(
                    "Sec-WebSocket-Accept",
                    websocket::accept_key(&key.unwrap_or_default()),
                );
            response.headers.0.extend(headers.0);
            Ok(message(response))
        }
        Ok(Reply::Abandon) | Err(_) => Err(Abandoned),
    }
}

fn message(response: Response) -> http::Response<Full<Bytes>> {
    let mut builder = http::Response::builder().status(response.status);
    for (name, value) in &response.headers.0 {
        builder = builder.header(name, value);
    }
    builder
        .body(Full::new(Bytes::from(response.body)))
        .unwrap_or_else(|_| {
            let mut failed = http::Response::new(Full::default());
            *failed.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            failed
        })
}

/// The agent wants no answer to be sent, or has lost its power.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct Abandoned;

/// Tells the loop if the caller goes away while the answer is still open.
struct Waiting<'e> {
    events: &'e mpsc::UnboundedSender<Event>,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let _ = self.events.send(Event::Gone);
        }
    }
}

const BODY_LIMIT: usize = 64 * 1024 * 1024;
