//! HTTP faces: accepts connections, records every exchange, lets faults strike, asks the core.

use super::{
    Host,
    body::{Part, PlannedBody},
};
use crate::core::HttpCall;
use bytes::Bytes;
use hil_fault::{Effect, ResetPoint};
use hil_link::{Listener, Stream, StreamHandle};
use hil_trace::{Ending, HttpEnding, Party};
use hil_wire::{
    http::{Headers, Request, Response},
    timestamp::format_http_date,
};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{rc::Rc, time::Duration};
use tokio::task::JoinSet;

/// Serves a face until cancelled.
pub(crate) async fn serve_face(host: Rc<Host>, face: &'static str, mut listener: Listener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => match accepted {
                Ok(stream) => {
                    connections.spawn_local(serve_connection(host.clone(), face, stream));
                }
                // Out of descriptors or the like: the next attempt may do better.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(host: Rc<Host>, face: &'static str, stream: Stream) {
    let connection = host.edge.opened(face, Party::Unit);
    let handle = stream.handle();
    let service = {
        let (host, handle) = (host.clone(), handle.clone());
        service_fn(move |request: hyper::Request<Incoming>| {
            let (host, handle) = (host.clone(), handle.clone());
            async move { exchange(&host, face, connection, handle, request).await }
        })
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .auto_date_header(false)
        .preserve_header_case(true)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    let (ending, by) = match served {
        _ if handle.is_reset() => (Ending::Reset, Party::Cloud),
        Ok(()) => (Ending::Fin, Party::Unit),
        Err(_) => (Ending::Broken, Party::Unit),
    };
    host.edge.closed(connection, ending, by);
}

type Answer = hyper::Response<PlannedBody>;

async fn exchange(
    host: &Rc<Host>,
    face: &'static str,
    connection: u32,
    handle: StreamHandle,
    request: hyper::Request<Incoming>,
) -> Result<Answer, Interrupted> {
    let head = request.method() == hyper::Method::HEAD;
    let request = read(request).await?;
    let call = HttpCall {
        face,
        request: &request,
        peer: None,
    };
    let operator = host.core.borrow().is_operator(call);
    let from = if operator { Party::Operator } else { Party::Unit };
    let number = host.edge.request(connection, face, from, &request);
    let operation = host.core.borrow().operation(call);
    let struck = if operator {
        None
    } else {
        host.edge.strike(number, &operation)
    };
    let Some(struck) = struck else {
        let response = handled(host, call).await;
        return Ok(send(host, number, response, head, handle));
    };
    match struck.spec.effect {
        Effect::Reset(ResetPoint::BeforeHandling) => interrupt(host, number, &handle).await,
        Effect::Reset(ResetPoint::AfterHandling) => {
            handled(host, call).await;
            interrupt(host, number, &handle).await
        }
        Effect::Stall {
            after_bytes: None,
            span: None,
        } => {
            host.edge.unanswered(number, "stalled");
            std::future::pending().await
        }
        Effect::Stall {
            after_bytes: None,
            span: Some(span),
        } => {
            host.edge.clock.sleep(span).await;
            let response = handled(host, call).await;
            Ok(send(host, number, response, head, handle))
        }
        Effect::Status {
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
            Ok(send(host, number, response, head, handle))
        }
        Effect::Body { body, content_type } => {
            let mut response = Response::new(200).header("Content-Type", content_type);
            response.body = body.into_bytes();
            Ok(send(host, number, response, head, handle))
        }
        Effect::Redirect { target } => {
            let location = host.core.borrow().redirect_target(host.now(), &target, call);
            let response = Response::new(302).header("Location", location);
            Ok(send(host, number, response, head, handle))
        }
        Effect::Corrupt { byte } => {
            let mut response = handled(host, call).await;
            flip_bit(&mut response.body, byte);
            Ok(send(host, number, response, head, handle))
        }
        Effect::Reset(ResetPoint::InBody(after)) => {
            let response = handled(host, call).await;
            let first = cut(&response.body, after);
            // The pause lets the first part leave before the reset discards it.
            let parts = vec![
                Part::Data(first),
                Part::Pause(Some(Duration::from_millis(5))),
                Part::Reset,
            ];
            Ok(send_planned(host, number, response, parts, true, handle))
        }
        Effect::Truncate {
            after_bytes,
            announce,
        } => {
            let response = handled(host, call).await;
            let parts = vec![Part::Data(cut(&response.body, after_bytes))];
            Ok(send_planned(host, number, response, parts, announce, handle))
        }
        Effect::Stall {
            after_bytes: Some(after),
            span,
        } => {
            let response = handled(host, call).await;
            let first = cut(&response.body, after);
            let rest = Bytes::copy_from_slice(&response.body[first.len()..]);
            let parts = vec![Part::Data(first), Part::Pause(span), Part::Data(rest)];
            Ok(send_planned(host, number, response, parts, true, handle))
        }
        // Effects on messages never strike here.
        Effect::Withhold
        | Effect::Nack { .. }
        | Effect::Repeat { .. }
        | Effect::Delay { .. }
        | Effect::Close { .. }
        | Effect::Replace { .. } => {
            let response = handled(host, call).await;
            Ok(send(host, number, response, head, handle))
        }
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

async fn handled(host: &Host, call: HttpCall<'_>) -> Response {
    host.http(call).await.unwrap_or_else(|error| {
        let mut response = Response::new(503).header("Retry-After", "5");
        response.body = error.to_string().into_bytes();
        response
    })
}

async fn interrupt(host: &Host, exchange: u32, handle: &StreamHandle) -> Result<Answer, Interrupted> {
    host.edge.unanswered(exchange, "reset");
    handle.reset();
    Err(Interrupted)
}

fn send(host: &Host, exchange: u32, mut response: Response, head: bool, handle: StreamHandle) -> Answer {
    finish_headers(host, &mut response, true);
    host.edge
        .response(exchange, Party::Cloud, &response, HttpEnding::Complete);
    let body = if head {
        Vec::new()
    } else {
        std::mem::take(&mut response.body)
    };
    build(&response, PlannedBody::whole(body, handle))
}

fn send_planned(
    host: &Host,
    exchange: u32,
    mut response: Response,
    parts: Vec<Part>,
    announce: bool,
    handle: StreamHandle,
) -> Answer {
    finish_headers(host, &mut response, announce);
    host.edge
        .response(exchange, Party::Cloud, &response, HttpEnding::Cut);
    let announced = announce.then_some(response.body.len() as u64);
    build(&response, PlannedBody::new(parts, announced, handle))
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
