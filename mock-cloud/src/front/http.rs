//! HTTP faces: accepts connections, records every request and lets faults strike it; [`super::exchange`] answers.
//! Upgraded connections go to [`super::websocket`].

use super::{
    FaceSecurity, Host, bytes,
    exchange::{Answer, Exchange, Interrupted},
    filter::Filter,
    frame::Role,
    link::Queue,
    websocket,
};
use crate::core::HttpCall;
use hil_link::{Listener, Stream, StreamHandle};
use hil_trace::{CertificateFacts, Ending, Party};
use hil_wire::http::{Headers, Request};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    time::Duration,
};
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
    let stream = host.edge.disturbed(number, face, Party::Unit, stream);
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
        wire: Filter::new(stream),
        peer,
        upgraded: RefCell::default(),
        ended: Cell::new(false),
    });
    connection.serve(queue).await;
}

/// One connection of the unit to an HTTP face.
pub(super) struct Connection {
    pub(super) host: Rc<Host>,
    face: &'static str,
    number: u32,
    pub(super) handle: StreamHandle,
    /// Its bytes, for exchanges that hyper must not answer.
    pub(super) wire: Filter,
    peer: Option<CertificateFacts>,
    /// The upgrade that was accepted, and its exchange.
    pub(super) upgraded: RefCell<Option<(Request, u32)>>,
    /// An exchange was answered past hyper, and the connection ends with it.
    pub(super) ended: Cell<bool>,
}

impl Connection {
    async fn serve(self: Rc<Self>, queue: Queue) {
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
            .serve_connection(TokioIo::new(self.wire.clone()), service);
        let (mut draining, mut drained) = (self.host.draining(), false);
        let served = poll_fn(|cx| {
            if !drained && draining.as_mut().poll(cx).is_ready() {
                drained = true;
                Pin::new(&mut serving).graceful_shutdown();
            }
            serving.poll_without_shutdown(cx)
        });
        let served = served.await;
        let served = served.map(|()| serving.into_parts().read_buf);
        let (host, number) = (&self.host, self.number);
        let (stream, upgraded) = (self.wire.take(), self.upgraded.take());
        let (ending, by) = match (served, stream, upgraded) {
            _ if self.handle.is_reset() => (Ending::Reset, Party::Cloud),
            (Ok(read), Some(stream), Some((request, exchange))) => {
                host.edge.websocket_opened(number, exchange);
                host.tell(|core, now, out| core.websocket_opened(now, number, self.call(&request), out))
                    .await;
                let (ending, by) = websocket::serve(host, number, Role::Server, stream, read, queue).await;
                return bytes::closed(host, number, ending, by).await;
            }
            (Err(_), Some(mut stream), _) if self.ended.get() => {
                websocket::finish(host, &mut stream).await;
                (Ending::Fin, Party::Cloud)
            }
            (Ok(_), Some(mut stream), None) => {
                websocket::finish(host, &mut stream).await;
                (Ending::Fin, bytes::ended_by(&self.handle))
            }
            _ => (Ending::Broken, bytes::ended_by(&self.handle)),
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
        let struck = match operator {
            true => None,
            false => host.edge.strike(number, &operation, &request),
        };
        match struck {
            Some(effect) => exchange.disturbed(&operation, effect).await,
            None => {
                let response = exchange.handled().await;
                let response = match operator {
                    true => response,
                    false => exchange.served(&operation, response, None),
                };
                Ok(exchange.send(response))
            }
        }
    }
}

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

const BODY_LIMIT: usize = 1 << 30;
