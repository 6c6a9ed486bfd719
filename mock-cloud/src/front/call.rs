//! The harness as caller: requests to faces of the unit, and connections opened to them.

use super::{Host, bytes, frame::Role, serial, upgrade, websocket};
use crate::core::Operation;
use ::bytes::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_fault::Effect;
use hil_link::{Address, Network, Stream};
use hil_trace::{Ending, HttpEnding, Party};
use hil_wire::http::{Headers, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rand::Rng;
use std::{io, rc::Rc, time::Duration};

impl Host {
    /// Sends a request; the core is told its answer. Faults on messages may withhold, delay, repeat or replace it.
    pub(super) fn call(
        self: &Rc<Self>,
        call: u64,
        face: String,
        mut request: Request,
        operation: &Operation,
        limit: Duration,
    ) {
        let can = |effect: &Effect| !matches!(effect, Effect::Nack { .. } | Effect::Close { .. });
        let struck = self.edge.strike_message(None, operation, can);
        let effect = struck.map(|struck| struck.spec.effect);
        if let Some(Effect::Replace { text }) = &effect {
            request.body = text.clone().into_bytes();
        }
        let host = self.clone();
        self.spawn(async move {
            let result = match effect {
                Some(Effect::Withhold) => {
                    host.edge.clock.sleep(limit).await;
                    Err(CallError::Late)
                }
                Some(Effect::Delay { span }) => {
                    host.edge.clock.sleep(span).await;
                    host.call_within(&face, request, limit).await
                }
                Some(Effect::Repeat { copies }) => {
                    let first = host.call_within(&face, request.clone(), limit).await;
                    for _ in 0..copies {
                        // Only the first answer counts; the copies are in the trace.
                        let _ = host.call_within(&face, request.clone(), limit).await;
                    }
                    first
                }
                _ => host.call_within(&face, request, limit).await,
            };
            let result = result.map_err(|error| error.to_string());
            host.tell(|core, now, out| core.answered(now, call, result, out))
                .await;
        });
    }

    /// Opens a connection; the core is told its number.
    pub(super) fn open(self: &Rc<Self>, link: u64, face: String, websocket: Option<Request>) {
        let host = self.clone();
        self.spawn(async move {
            let opened = match websocket {
                Some(request) => host.open_websocket(link, &face, request).await,
                None => host.open_stream(link, &face).await,
            };
            if let Err(error) = opened {
                let reason = error.to_string();
                host.tell(|core, now, out| core.link_opened(now, link, Err(reason), out))
                    .await;
            }
        });
    }

    async fn call_within(
        self: &Rc<Self>,
        face: &str,
        request: Request,
        limit: Duration,
    ) -> Result<Response, CallError> {
        let mut progress = Progress::default();
        let result = tokio::select! {
            biased;
            result = self.call_once(face, request, &mut progress) => result,
            () = self.edge.clock.sleep(limit) => Err(CallError::Late),
        };
        if let Err(error) = &result
            && let Some(exchange) = progress.unanswered
        {
            self.edge.unanswered(exchange, &error.to_string());
        }
        if let Some(connection) = progress.connection {
            let (ending, by) = match &result {
                Err(CallError::Http(_)) => (Ending::Broken, Party::Unit),
                _ => (Ending::Fin, Party::Cloud),
            };
            self.edge.closed(connection, ending, by);
        }
        result
    }

    async fn call_once(
        &self,
        face: &str,
        request: Request,
        progress: &mut Progress,
    ) -> Result<Response, CallError> {
        let (address, stream) = self.connect(face).await?;
        let connection = self.edge.opened(face, Party::Cloud);
        progress.connection = Some(connection);
        let (mut sender, driver) = http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await?;
        let (request, message) = message(&address, request)?;
        let exchange = self.edge.request(connection, face, Party::Cloud, &request);
        progress.unanswered = Some(exchange);
        let answer = async {
            let (mut response, body) = head(sender.send_request(message).await?);
            let whole = Limited::new(body, BODY_LIMIT).collect().await;
            let ending = match &whole {
                Ok(_) => HttpEnding::Complete,
                Err(_) => HttpEnding::Cut,
            };
            let error = match whole {
                Ok(whole) => {
                    response.body = whole.to_bytes().to_vec();
                    None
                }
                Err(error) => Some(CallError::Body(error.to_string())),
            };
            progress.unanswered = None;
            self.edge.response(exchange, Party::Unit, &response, ending);
            error.map_or(Ok(response), Err)
        };
        drive(driver, answer).await
    }

    async fn open_stream(self: &Rc<Self>, link: u64, face: &str) -> Result<(), CallError> {
        let (_, stream) = self.connect(face).await?;
        let connection = self.edge.opened(face, Party::Cloud);
        let queue = self.attach(connection, stream.handle());
        self.tell(|core, now, out| core.link_opened(now, link, Ok(connection), out))
            .await;
        let (ending, by) = bytes::serve(self, connection, stream, queue).await;
        bytes::closed(self, connection, ending, by).await;
        Ok(())
    }

    async fn open_websocket(
        self: &Rc<Self>,
        link: u64,
        face: &str,
        mut request: Request,
    ) -> Result<(), CallError> {
        let (address, stream) = self.connect(face).await?;
        let connection = self.edge.opened(face, Party::Cloud);
        let queue = self.attach(connection, stream.handle());
        let key: [u8; 16] = self.random.borrow_mut().random();
        upgrade::ask(&mut request, &STANDARD.encode(key));
        let opened = tokio::select! {
            biased;
            opened = self.handshake(connection, face, &address, request, stream) => opened,
            () = self.edge.clock.sleep(HANDSHAKE_LIMIT) => Err(CallError::Late),
        };
        let (exchange, stream, read) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.edge.closed(connection, Ending::Broken, Party::Cloud);
                self.detach(connection);
                return Err(error);
            }
        };
        self.edge.websocket_opened(connection, exchange);
        self.tell(|core, now, out| core.link_opened(now, link, Ok(connection), out))
            .await;
        let (ending, by) = websocket::serve(self, connection, Role::Client, stream, read, queue).await;
        bytes::closed(self, connection, ending, by).await;
        Ok(())
    }

    async fn handshake(
        &self,
        connection: u32,
        face: &str,
        address: &Address,
        request: Request,
        stream: Stream,
    ) -> Result<(u32, Stream, Bytes), CallError> {
        let (mut sender, driver) = http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await?;
        let (request, message) = message(address, request)?;
        let exchange = self.edge.request(connection, face, Party::Cloud, &request);
        let mut driver = std::pin::pin!(driver.without_shutdown());
        let mut answer = std::pin::pin!(sender.send_request(message));
        let mut parts = None;
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut answer => break answer,
                ended = &mut driver, if parts.is_none() => parts = Some(ended?),
            }
        };
        let response = match answer {
            Ok(response) => head(response).0,
            Err(error) => {
                self.edge.unanswered(exchange, &error.to_string());
                return Err(error.into());
            }
        };
        self.edge
            .response(exchange, Party::Unit, &response, HttpEnding::Complete);
        if !upgrade::is_accepted(&request, &response) {
            return Err(CallError::Refused(response.status));
        }
        let parts = match parts {
            Some(parts) => parts,
            None => driver.await?,
        };
        Ok((exchange, parts.io.into_inner(), parts.read_buf))
    }

    async fn connect(&self, face: &str) -> Result<(Address, Stream), CallError> {
        let address = self.unit_faces.borrow().get(face).cloned();
        let address = address.ok_or_else(|| CallError::UnknownFace(face.to_owned()))?;
        let opened = match (&self.network, &address) {
            (Network::Tcp, Address::Path(path)) if serial::is_serial(path) => {
                serial::open(path, self.baud_rate)
            }
            (network, address) => network.connect(address).await,
        };
        match opened {
            Ok(stream) => Ok((address, stream)),
            Err(error) => Err(CallError::Connect { address, error }),
        }
    }
}

/// Why a call has no answer, or a connection could not be opened.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("the unit has no face `{0}`")]
    UnknownFace(String),
    #[error("cannot connect to {address}: {error}")]
    Connect { address: Address, error: io::Error },
    #[error("the request cannot be sent: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("the body of the answer: {0}")]
    Body(String),
    #[error("the upgrade was answered with status {0}")]
    Refused(u16),
    #[error("no answer in time")]
    Late,
}

/// How far a call came, should it be given up.
#[derive(Default)]
struct Progress {
    connection: Option<u32>,
    unanswered: Option<u32>,
}

/// The request as it goes out, and the same for hyper.
fn message(
    address: &Address,
    mut request: Request,
) -> Result<(Request, hyper::Request<Full<Bytes>>), CallError> {
    if request.headers.get("Host").is_none() {
        let host = match address {
            Address::Host(host, port) => format!("{host}:{port}"),
            Address::Path(_) => "localhost".to_owned(),
        };
        request.headers.0.insert(0, ("Host".to_owned(), host));
    }
    let has_body = !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if has_body && request.headers.get("Content-Length").is_none() {
        request
            .headers
            .push("Content-Length", request.body.len().to_string());
    }
    let mut builder = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(request.target.as_str());
    for (name, value) in &request.headers.0 {
        builder = builder.header(name, value);
    }
    let message = builder.body(Full::new(Bytes::from(request.body.clone())))?;
    Ok((request, message))
}

/// The head of an answer as plain data, and its body.
fn head(response: hyper::Response<Incoming>) -> (Response, Incoming) {
    let (parts, body) = response.into_parts();
    let mut headers = Headers::new();
    for (name, value) in &parts.headers {
        headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    let response = Response {
        status: parts.status.as_u16(),
        headers,
        body: Vec::new(),
    };
    (response, body)
}

/// Runs a connection until the answer is there.
async fn drive<T>(
    driver: impl Future<Output = hyper::Result<()>>,
    answer: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    let (mut driver, mut answer) = (std::pin::pin!(driver), std::pin::pin!(answer));
    let mut done = false;
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            // Its error reaches the answer too.
            _ = &mut driver, if !done => done = true,
        }
    }
}

const BODY_LIMIT: usize = 64 << 20;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
