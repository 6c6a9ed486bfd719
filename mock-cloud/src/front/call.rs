//! The harness as caller: requests to faces of the unit, on a connection of their own or, with keep-alive, on one
//! that is kept.

use super::{Host, bytes::ended_by, pieces::Pieces};
use crate::core::Operation;
use hil_fault::MessageEffect;
use hil_link::{Address, StreamHandle};
use hil_trace::{Ending, HttpEnding, Party};
use hil_wire::http::{Headers, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use std::{cell::Cell, io, rc::Rc, time::Duration};

/// A connection to a face of the unit that requests can be sent on.
pub(super) struct Caller {
    sender: SendRequest<Pieces>,
    handle: StreamHandle,
    connection: u32,
    address: Address,
    state: Rc<Cell<State>>,
}

/// How long a call may take in all, and how long the unit may refuse connections before it has failed.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) limit: Duration,
    pub(super) patience: Duration,
}

/// What a connection of ours is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Busy,
    Idle,
    Ended(Ending),
}

impl Host {
    /// Sends a request; the core is told its answer. Faults on messages may withhold, delay, repeat or replace it.
    pub(super) fn call(
        self: &Rc<Self>,
        call: u64,
        face: String,
        mut request: Request,
        operation: &Operation,
        limits: Limits,
    ) {
        let places = self.core.borrow().places();
        let can = |effect: &MessageEffect| match effect {
            MessageEffect::Alter(alteration) => alteration.apply(&request.body, &places, 0).is_some(),
            MessageEffect::Withhold
            | MessageEffect::Delay { .. }
            | MessageEffect::Repeat { .. }
            | MessageEffect::Replace { .. } => true,
            _ => false,
        };
        let struck = self.edge.strike_message(None, operation, can);
        let effect = match struck {
            Some((MessageEffect::Replace { text }, _)) => {
                set_body(&mut request, text.into_bytes());
                None
            }
            Some((MessageEffect::Alter(alteration), draw)) => {
                if let Some(body) = alteration.apply(&request.body, &places, draw) {
                    set_body(&mut request, body);
                }
                None
            }
            other => other.map(|(effect, _)| effect),
        };
        let host = self.clone();
        self.spawn(async move {
            let result = match effect {
                Some(MessageEffect::Withhold) => {
                    host.edge.clock.sleep(limits.limit).await;
                    Err(CallError::Late)
                }
                Some(MessageEffect::Delay { span }) => {
                    host.edge.clock.sleep(span).await;
                    host.call_within(&face, request.clone(), limits).await
                }
                _ => host.call_within(&face, request.clone(), limits).await,
            };
            let result = result.map_err(|error| error.to_string());
            host.tell(|core, now, out| core.answered(now, call, result, out))
                .await;
            if let Some(MessageEffect::Repeat { copies }) = effect {
                for _ in 0..copies {
                    // Only the first answer counts; those of the copies are in the trace.
                    let _ = host.call_within(&face, request.clone(), limits).await;
                }
            }
        });
    }

    async fn call_within(
        self: &Rc<Self>,
        face: &str,
        request: Request,
        Limits { limit, patience }: Limits,
    ) -> Result<Response, CallError> {
        let keeps = keeps_alive(&request.headers);
        let mut progress = Progress::default();
        let result = tokio::select! {
            biased;
            result = self.call_once(face, request, (keeps, patience), &mut progress) => result,
            () = self.edge.clock.sleep(limit) => Err(CallError::Late),
        };
        if let Err(error) = &result
            && let Some(exchange) = progress.unanswered
        {
            self.edge.unanswered(exchange, &error.to_string());
        }
        let Some(caller) = progress.caller else {
            return result;
        };
        let refuses = |response: &Response| response.headers.get("Connection").is_some_and(is_close);
        match (&result, caller.state.get()) {
            (Err(CallError::Http(_)), _) => {
                self.edge
                    .closed(caller.connection, Ending::Broken, ended_by(&caller.handle));
            }
            (_, State::Ended(ending)) => {
                self.edge
                    .closed(caller.connection, ending, ended_by(&caller.handle));
            }
            (Ok(response), _) if keeps && !refuses(response) => {
                caller.state.set(State::Idle);
                self.callers.borrow_mut().insert(face.to_owned(), caller);
            }
            _ => self.edge.closed(caller.connection, Ending::Fin, Party::Cloud),
        }
        result
    }

    async fn call_once(
        self: &Rc<Self>,
        face: &str,
        request: Request,
        (keeps, patience): (bool, Duration),
        progress: &mut Progress,
    ) -> Result<Response, CallError> {
        let kept = if keeps {
            self.callers.borrow_mut().remove(face)
        } else {
            None
        };
        let caller = match kept.filter(|caller| caller.state.get() == State::Idle) {
            Some(caller) => caller,
            None => self.patient_caller(face, patience).await?,
        };
        caller.state.set(State::Busy);
        let (request, message) = message(&caller.address, request)?;
        let connection = caller.connection;
        let caller = progress.caller.insert(caller);
        let exchange = self.edge.request(connection, face, Party::Cloud, &request);
        progress.unanswered = Some(exchange);
        let (mut response, body) = head(caller.sender.send_request(message).await?);
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
    }

    /// A new connection, tried again while the unit refuses it and patience lasts.
    async fn patient_caller(self: &Rc<Self>, face: &str, patience: Duration) -> Result<Caller, CallError> {
        let deadline = self.edge.clock.now() + patience;
        loop {
            match self.caller(face).await {
                Err(CallError::Connect { error, .. })
                    if error.kind() == io::ErrorKind::ConnectionRefused
                        && self.edge.clock.now() < deadline =>
                {
                    self.edge.clock.sleep(CONNECT_AGAIN).await;
                }
                result => return result,
            }
        }
    }

    /// A new connection; its end is recorded by the call that uses it, or here while none does.
    async fn caller(self: &Rc<Self>, face: &str) -> Result<Caller, CallError> {
        let (address, stream) = self.connect(face).await?;
        let connection = self.edge.opened(face, Party::Cloud);
        let stream = self.edge.disturbed(connection, face, Party::Cloud, stream);
        let handle = stream.handle();
        let (sender, driver) = http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await?;
        let state = Rc::new(Cell::new(State::Busy));
        let (host, shared, at_end) = (self.clone(), state.clone(), handle.clone());
        self.spawn(async move {
            let ending = match driver.await {
                Ok(()) => Ending::Fin,
                Err(_) => Ending::Broken,
            };
            if shared.replace(State::Ended(ending)) == State::Idle {
                host.edge.closed(connection, ending, ended_by(&at_end));
            }
        });
        Ok(Caller {
            sender,
            handle,
            connection,
            address,
            state,
        })
    }
}

/// Why a call has no answer, or a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
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
    caller: Option<Caller>,
    unanswered: Option<u32>,
}

/// Another body; a length that was given is that of the new one.
fn set_body(request: &mut Request, body: Vec<u8>) {
    for (name, value) in &mut request.headers.0 {
        if name.eq_ignore_ascii_case("Content-Length") {
            *value = body.len().to_string();
        }
    }
    request.body = body;
}

/// Whether a request asks to keep the connection.
fn keeps_alive(headers: &Headers) -> bool {
    let value = headers.get("Connection").unwrap_or_default();
    value.eq_ignore_ascii_case("keep-alive")
}

fn is_close(value: &str) -> bool {
    value.eq_ignore_ascii_case("close")
}

/// The request as it goes out, and the same for hyper.
pub(super) fn message(
    address: &Address,
    mut request: Request,
) -> Result<(Request, hyper::Request<Pieces>), CallError> {
    if request.headers.get("Host").is_none() {
        let host = match address {
            Address::Host(host, port) => format!("{host}:{port}"),
            Address::Path(_) => "localhost".to_owned(),
        };
        request.headers.0.insert(0, ("Host".to_owned(), host));
    }
    let has_body = !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    let chunked = request.headers.get("Transfer-Encoding").is_some();
    if has_body && !chunked && request.headers.get("Content-Length").is_none() {
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
    let message = builder.body(match chunked {
        true => Pieces::chunked(&request.body),
        false => Pieces::whole(request.body.clone()),
    })?;
    Ok((request, message))
}

/// The head of an answer as plain data, and its body.
pub(super) fn head(response: hyper::Response<Incoming>) -> (Response, Incoming) {
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

const CONNECT_AGAIN: Duration = Duration::from_millis(100);
const BODY_LIMIT: usize = 64 << 20;
