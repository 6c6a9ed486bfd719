//! HTTP faces: accepts connections, records every exchange, lets faults strike, asks the core; hands upgraded
//! connections to [`super::websocket`].

use super::{
    FaceSecurity, Host,
    body::{Part, PlannedBody},
    bytes,
    frame::Role,
    link::Queue,
    upgrade, websocket,
};
use crate::core::{Core, HttpCall, Outputs};
use ::bytes::Bytes;
use hil_fault::{ExchangeEffect, ResetPoint};
use hil_link::{Listener, Stream, StreamHandle};
use hil_trace::{CertificateFacts, Ending, HttpEnding, Party};
use hil_wire::{
    http::{Headers, Request, Response},
    timestamp::format_http_date,
};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{cell::RefCell, future::poll_fn, pin::Pin, rc::Rc, time::Duration};
use tokio::task::JoinSet;

/// Serves a face until cancelled; once the cloud drains, until its connections have ended.
pub(crate) async fn serve_face(
    host: Rc<Host>,
    face: &'static str,
    security: Option<FaceSecurity>,
    mut listener: Listener,
) {
    let mut connections = JoinSet::new();
    let mut draining = host.draining();
    loop {
        tokio::select! {
            biased;
            () = &mut draining => break,
            accepted = listener.accept() => match accepted {
                Ok(stream) => {
                    connections.spawn_local(serve_accepted(host.clone(), face, security.clone(), stream));
                }
                // Out of descriptors or the like: the next attempt may do better.
                Err(_) => host.edge.clock.sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve_accepted(host: Rc<Host>, face: &'static str, security: Option<FaceSecurity>, stream: Stream) {
    let number = host.edge.opened(face, Party::Unit);
    let (stream, peer) = match security {
        None => (stream, None),
        Some(security) => match security.accept(&host, number, stream).await {
            Some(secured) => secured,
            None => return,
        },
    };
    let handle = stream.handle();
    let queue = host.attach(number, handle.clone());
    let connection = Rc::new(Connection {
        host,
        face,
        number,
        handle,
        peer,
        upgraded: RefCell::default(),
    });
    connection.serve(stream, queue).await;
}

/// One connection of the unit to an HTTP face.
struct Connection {
    host: Rc<Host>,
    face: &'static str,
    number: u32,
    handle: StreamHandle,
    peer: Option<CertificateFacts>,
    /// The upgrade that was accepted, and its exchange.
    upgraded: RefCell<Option<(Request, u32)>>,
}

type Answer = hyper::Response<PlannedBody>;

impl Connection {
    async fn serve(self: Rc<Self>, stream: Stream, queue: Queue) {
        let service = {
            let connection = self.clone();
            service_fn(move |request: hyper::Request<Incoming>| {
                let connection = connection.clone();
                Box::pin(async move { connection.exchange(request).await })
            })
        };
        let mut serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .auto_date_header(false)
            .preserve_header_case(true)
            .title_case_headers(true)
            .serve_connection(TokioIo::new(stream), service);
        let (mut draining, mut drained) = (self.host.draining(), false);
        let served = poll_fn(|cx| {
            if !drained && draining.as_mut().poll(cx).is_ready() {
                drained = true;
                Pin::new(&mut serving).graceful_shutdown();
            }
            serving.poll_without_shutdown(cx)
        });
        let served = served.await;
        let served = served.map(|()| serving.into_parts());
        let (host, number) = (&self.host, self.number);
        let upgraded = self.upgraded.take();
        let (ending, by) = match (served, upgraded) {
            _ if self.handle.is_reset() => (Ending::Reset, Party::Cloud),
            (Ok(parts), Some((request, exchange))) => {
                host.edge.websocket_opened(number, exchange);
                host.tell(|core, now, out| core.websocket_opened(now, number, self.call(&request), out))
                    .await;
                let (stream, read) = (parts.io.into_inner(), parts.read_buf);
                let (ending, by) = websocket::serve(host, number, Role::Server, stream, read, queue).await;
                return bytes::closed(host, number, ending, by).await;
            }
            (Ok(parts), None) => {
                websocket::finish(host, &mut parts.io.into_inner()).await;
                (Ending::Fin, Party::Unit)
            }
            (Err(_), _) => (Ending::Broken, Party::Unit),
        };
        host.edge.closed(number, ending, by);
        host.detach(number);
    }

    fn call<'a>(&'a self, request: &'a Request) -> HttpCall<'a> {
        HttpCall {
            face: self.face,
            request,
            peer: self.peer.as_ref(),
        }
    }

    async fn exchange(&self, request: hyper::Request<Incoming>) -> Result<Answer, Interrupted> {
        let host = &self.host;
        let request = read(request).await?;
        let call = self.call(&request);
        let operator = host.core.borrow().is_operator(call);
        let from = if operator { Party::Operator } else { Party::Unit };
        let number = host.edge.request(self.number, self.face, from, &request);
        let operation = host.core.borrow().operation(call);
        let exchange = Exchange {
            connection: self,
            host,
            call,
            number,
            head: request.method == "HEAD",
        };
        let struck = if operator {
            None
        } else {
            host.edge.strike(number, &operation)
        };
        match struck {
            Some(effect) => exchange.disturbed(effect).await,
            None => Ok(exchange.send(exchange.handled().await)),
        }
    }
}

/// One request and what is needed to answer it.
struct Exchange<'a> {
    connection: &'a Connection,
    host: &'a Rc<Host>,
    call: HttpCall<'a>,
    number: u32,
    head: bool,
}

impl Exchange<'_> {
    async fn disturbed(&self, effect: ExchangeEffect) -> Result<Answer, Interrupted> {
        let host = self.host;
        match effect {
            ExchangeEffect::Reset(ResetPoint::BeforeHandling) => self.interrupt(),
            ExchangeEffect::Reset(ResetPoint::AfterHandling) => {
                self.handled().await;
                self.interrupt()
            }
            ExchangeEffect::Stall {
                after_bytes: None,
                span: None,
            } => {
                host.edge.unanswered(self.number, "stalled");
                std::future::pending().await
            }
            ExchangeEffect::Stall {
                after_bytes: None,
                span: Some(span),
            } => {
                host.edge.clock.sleep(span).await;
                Ok(self.send(self.handled().await))
            }
            ExchangeEffect::Status {
                status,
                retry_after,
                body,
            } => {
                let mut response = Response::new(status);
                response
                    .headers
                    .0
                    .extend(retry_after.map(|value| ("Retry-After".to_owned(), value)));
                response.body = body.unwrap_or_default().into_bytes();
                Ok(self.send(response))
            }
            ExchangeEffect::Body { body, content_type } => {
                let mut response = Response::new(200).header("Content-Type", content_type);
                response.body = body.into_bytes();
                Ok(self.send(response))
            }
            ExchangeEffect::Redirect { target, status } => {
                let location = host.core.borrow().redirect_target(host.now(), &target, self.call);
                Ok(self.send(Response::new(status).header("Location", location)))
            }
            ExchangeEffect::Corrupt { byte } => {
                let mut response = self.handled().await;
                flip_bit(&mut response.body, byte);
                Ok(self.send(response))
            }
            ExchangeEffect::Reset(ResetPoint::InBody(after)) => {
                let response = self.handled().await;
                let first = cut(&response.body, after);
                // The pause lets the first part leave before the reset discards it.
                let parts = vec![
                    Part::Data(first),
                    Part::Pause(Some(Duration::from_millis(5))),
                    Part::Reset,
                ];
                Ok(self.send_planned(response, parts, true))
            }
            ExchangeEffect::Truncate {
                after_bytes,
                announce,
            } => {
                let response = self.handled().await;
                let parts = vec![Part::Data(cut(&response.body, after_bytes))];
                Ok(self.send_planned(response, parts, announce))
            }
            ExchangeEffect::Stall {
                after_bytes: Some(after),
                span,
            } => {
                let response = self.handled().await;
                let first = cut(&response.body, after);
                let rest = Bytes::copy_from_slice(&response.body[first.len()..]);
                let parts = vec![Part::Data(first), Part::Pause(span), Part::Data(rest)];
                Ok(self.send_planned(response, parts, true))
            }
            ExchangeEffect::Drip { bytes, every } => {
                let mut response = self.handled().await;
                let mut parts = Vec::new();
                for piece in response
                    .body
                    .chunks(usize::try_from(bytes).unwrap_or(usize::MAX).max(1))
                {
                    parts.push(Part::Data(Bytes::copy_from_slice(piece)));
                    parts.push(Part::Pause(Some(every)));
                }
                parts.pop();
                finish_headers(host, &mut response, true);
                host.edge
                    .response(self.number, Party::Cloud, &response, HttpEnding::Complete);
                let announced = Some(response.body.len() as u64);
                let body = PlannedBody::new(parts, announced, self.connection.handle.clone());
                Ok(build(&response, body))
            }
        }
    }

    /// What the core answers, to an upgrade too.
    async fn handled(&self) -> Response {
        let call = self.call;
        let answered = if upgrade::is_upgrade(call.request) {
            if let Some(refusal) = upgrade::refusal(call.request) {
                return refusal;
            }
            let decide = |core: &mut dyn Core, now, out: &mut Outputs| {
                core.upgrade(now, call, out)
                    .map(|()| core.subprotocols(call.face))
            };
            let decided = self.host.ask(decide).await;
            decided.map(|decision| match decision {
                Err(refusal) => refusal,
                Ok(subprotocols) => {
                    let upgraded = Some((call.request.clone(), self.number));
                    self.connection.upgraded.replace(upgraded);
                    upgrade::acceptance(call.request, subprotocols)
                }
            })
        } else {
            self.host.http(call).await
        };
        answered.unwrap_or_else(|error| {
            let mut response = Response::new(503).header("Retry-After", "5");
            response.body = error.to_string().into_bytes();
            response
        })
    }

    fn interrupt(&self) -> Result<Answer, Interrupted> {
        self.host.edge.unanswered(self.number, "reset");
        self.connection.handle.reset();
        Err(Interrupted)
    }

    fn send(&self, mut response: Response) -> Answer {
        finish_headers(self.host, &mut response, true);
        self.host
            .edge
            .response(self.number, Party::Cloud, &response, HttpEnding::Complete);
        let body = if self.head {
            Vec::new()
        } else {
            std::mem::take(&mut response.body)
        };
        build(
            &response,
            PlannedBody::whole(body, self.connection.handle.clone()),
        )
    }

    fn send_planned(&self, mut response: Response, parts: Vec<Part>, announce: bool) -> Answer {
        finish_headers(self.host, &mut response, announce);
        self.host
            .edge
            .response(self.number, Party::Cloud, &response, HttpEnding::Cut);
        let announced = announce.then_some(response.body.len() as u64);
        let body = PlannedBody::new(parts, announced, self.connection.handle.clone());
        build(&response, body)
    }
}

/// The exchange has no answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is given up")]
struct Interrupted;

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Interrupted> {
    let (parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or_else(|| parts.uri.to_string(), ToString::to_string);
    let mut headers = Headers::new();
    for (name, value) in &parts.headers {
        headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    let body = Limited::new(body, BODY_LIMIT)
        .collect()
        .await
        .map_err(|_| Interrupted)?
        .to_bytes();
    Ok(Request {
        method: parts.method.to_string(),
        target,
        headers,
        body: body.to_vec(),
    })
}

fn finish_headers(host: &Host, response: &mut Response, announce: bool) {
    let has_body = !matches!(response.status, 100..=199 | 204 | 304);
    if announce && has_body && response.headers.get("Content-Length").is_none() {
        response
            .headers
            .push("Content-Length", response.body.len().to_string());
    }
    if response.headers.get("Date").is_none() {
        response
            .headers
            .push("Date", format_http_date(host.now().unix_ms));
    }
}

fn build(response: &Response, body: PlannedBody) -> Answer {
    let mut answer = hyper::Response::new(body);
    *answer.status_mut() = hyper::StatusCode::from_u16(response.status).unwrap_or_default();
    for (name, value) in &response.headers.0 {
        let name = hyper::header::HeaderName::try_from(name.as_str());
        let value = hyper::header::HeaderValue::try_from(value.as_str());
        if let (Ok(name), Ok(value)) = (name, value) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

fn cut(body: &[u8], after: u64) -> Bytes {
    Bytes::copy_from_slice(&body[..body.len().min(after as usize)])
}

fn flip_bit(body: &mut [u8], byte: i64) {
    let index = if byte < 0 { body.len() as i64 + byte } else { byte };
    if let Some(byte) = usize::try_from(index).ok().and_then(|index| body.get_mut(index)) {
        *byte ^= 1;
    }
}

const BODY_LIMIT: usize = 1 << 30;
