//! The admin interface: a small HTTP server for the people and scripts beside the unit. JSON in, JSON out; what each
//! path does is in [`super::admin_call`]'s table.

use super::{
    admin_call::{self, AdminError},
    data::IdentityFiles,
    trace::TraceKeeper,
};
use bytes::Bytes;
use hil_link::Clock;
use hil_mock_cloud::MockCloud;
use hil_wire::{Protocol, digest::sha256_hex};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN, WWW_AUTHENTICATE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use std::{convert::Infallible, io, rc::Rc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, watch},
    task::{JoinHandle, JoinSet},
};

/// One running cloud.
pub(super) struct Served {
    pub(super) protocol: Protocol,
    pub(super) cloud: Rc<MockCloud>,
    pub(super) trace: Rc<TraceKeeper>,
    pub(super) identities: IdentityFiles,
    pub(super) clock: Clock,
    /// What armed faults wait for.
    pub(super) fuses: Mutex<JoinSet<()>>,
}

/// The interface, bound to its address.
pub(super) struct Admin {
    listener: TcpListener,
    url: String,
    gate: Gate,
    served: Rc<Vec<Served>>,
}

/// The interface while it serves.
pub(super) struct Serving {
    drain: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Gate {
    token_sha256: Rc<str>,
    required: bool,
}

impl Admin {
    pub(super) async fn bind(
        address: &str,
        required: bool,
        token: String,
        served: Rc<Vec<Served>>,
    ) -> io::Result<Admin> {
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let gate = Gate {
            token_sha256: sha256_hex(token.as_bytes()).into(),
            required,
        };
        Ok(Admin {
            listener,
            url,
            gate,
            served,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.listener.local_addr().map_or(0, |address| address.port())
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    pub(super) fn spawn(self) -> Serving {
        let drain = watch::Sender::new(false);
        let task = tokio::task::spawn_local(self.serve(drain.subscribe()));
        Serving { drain, task }
    }

    async fn serve(self, mut drain: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = drained(&mut drain) => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (gate, served) = (self.gate.clone(), self.served.clone());
                        connections.spawn_local(serve_connection(stream, gate, served, drain.clone()));
                    }
                    // Out of descriptors or the like: the next attempt may do better.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }
}

impl Serving {
    /// Ends after the calls under way, at the latest after `limit`.
    pub(super) async fn drain(self, clock: Clock, limit: Duration) {
        self.drain.send_replace(true);
        let abort = self.task.abort_handle();
        tokio::select! {
            _ = self.task => {}
            () = clock.sleep(limit) => abort.abort(),
        }
    }
}

async fn serve_connection(
    stream: TcpStream,
    gate: Gate,
    served: Rc<Vec<Served>>,
    mut drain: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let (gate, served) = (gate.clone(), served.clone());
        async move { Ok::<_, Infallible>(answer(&gate, &served, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // How a connection of an operator ends matters to nobody else.
    tokio::select! {
        biased;
        _ = connection.as_mut() => {}
        () = drained(&mut drain) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answer(gate: &Gate, served: &[Served], request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let result = match gate.admit(&head.headers) {
        Err(refusal) => Err(refusal),
        Ok(()) => match Limited::new(body, BODY_LIMIT).collect().await {
            Err(_) => Err(AdminError::Body),
            Ok(body) => {
                let query = head.uri.query().unwrap_or_default();
                admin_call::execute(
                    served,
                    head.method.as_str(),
                    head.uri.path(),
                    query,
                    &body.to_bytes(),
                )
                .await
            }
        },
    };
    let (status, value) = match &result {
        Ok(value) => (200, value.clone()),
        Err(error) => (error.status(), json!({"error": error.to_string()})),
    };
    let mut text = value.to_string();
    text.push('\n');
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == 401 {
        headers.insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"hil admin\""),
        );
    }
    response
}

impl Gate {
    fn admit(&self, headers: &HeaderMap) -> Result<(), AdminError> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        match text(AUTHORIZATION) {
            Some(given) => {
                let token = given
                    .split_once(' ')
                    .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                    .map(|(_, token)| token.trim());
                // Digests are compared, so that the time taken tells nothing of the token.
                match token.map(|token| sha256_hex(token.as_bytes())) {
                    Some(digest) if *digest == *self.token_sha256 => Ok(()),
                    _ => Err(AdminError::Token),
                }
            }
            None if self.required => Err(AdminError::Token),
            // Without a token only programs of this machine are served, not pages in its browser.
            None if text(ORIGIN).is_some() || !text(HOST).is_none_or(is_local_name) => {
                Err(AdminError::Foreign)
            }
            None => Ok(()),
        }
    }
}

fn is_local_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

async fn drained(drain: &mut watch::Receiver<bool>) {
    // A sender that is gone drains too.
    let _ = drain.wait_for(|draining| *draining).await;
}

/// Uploaded images included.
const BODY_LIMIT: usize = 256 << 20;
