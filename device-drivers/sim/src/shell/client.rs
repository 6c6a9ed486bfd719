//! The HTTP client: one connection per request, whole or streamed answers.

use super::{connect::connect, environment::Environment, event::Outlet, registry::TaskGuard};
use crate::{HttpCall, HttpError, Input, RequestId, Url};
use bytes::Bytes;
use hil_wire::http::{Headers, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{error::Error, future::Future, time::Duration};
use tokio::time::timeout;

/// Carries out one request and tells the agent what came of it.
pub(crate) async fn run(
    environment: Environment,
    guard: TaskGuard,
    outlet: Outlet,
    request: RequestId,
    call: HttpCall,
) {
    let whole = exchange(&environment, &guard, &outlet, request, &call);
    let result = match call.limits.total {
        Some(total) => timeout(total, whole)
            .await
            .unwrap_or(Err(HttpError::Timeout("waiting for the whole answer"))),
        None => whole.await,
    };
    if let Err(error) = result {
        outlet.send(Input::HttpFailed { request, error });
    }
}

async fn exchange(
    environment: &Environment,
    guard: &TaskGuard,
    outlet: &Outlet,
    request: RequestId,
    call: &HttpCall,
) -> Result<(), HttpError> {
    let url = Url::parse(&call.url)?;
    let message = message(&url, call)?;
    let opening = async {
        let stream = connect(environment, &url, call, guard).await?;
        http1::Builder::new()
            .title_case_headers(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)
    };
    let (mut sender, connection) = timeout(call.limits.connect, opening)
        .await
        .unwrap_or(Err(HttpError::Timeout("connecting")))?;
    let mut connection = Driven::new(connection);
    let idle = call.limits.idle;
    let answer = connection
        .alongside(limited(idle, sender.send_request(message)))
        .await?
        .map_err(broken)?;
    let (head, mut body) = answer.into_parts();
    let headers = read_headers(&head.headers);
    if call.streamed {
        outlet.send(Input::HttpHead {
            request,
            status: head.status.as_u16(),
            headers,
        });
        while let Some(bytes) = next(&mut connection, &mut body, idle).await? {
            outlet.send(Input::HttpChunk { request, bytes });
        }
        outlet.send(Input::HttpEnd { request });
    } else {
        let mut response = Response {
            status: head.status.as_u16(),
            headers,
            body: Vec::new(),
        };
        while let Some(bytes) = next(&mut connection, &mut body, idle).await? {
            if response.body.len() + bytes.len() > call.limits.body {
                return Err(HttpError::TooLarge(call.limits.body));
            }
            response.body.extend_from_slice(&bytes);
        }
        outlet.send(Input::HttpAnswer { request, response });
    }
    drop(sender);
    connection.finish().await;
    Ok(())
}

/// Reads headers in the order the library keeps them.
pub(crate) fn read_headers(map: &http::HeaderMap) -> Headers {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Headers(
        map.iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
    )
}

/// An error with its causes.
pub(crate) fn broken(error: hyper::Error) -> HttpError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    HttpError::Broken(text)
}

fn message(url: &Url, call: &HttpCall) -> Result<http::Request<Full<Bytes>>, HttpError> {
    let mut builder = http::Request::builder()
        .method(call.request.method.as_str())
        .uri(url.target.as_str())
        .header("Host", url.authority());
    for (name, value) in &call.request.headers.0 {
        builder = builder.header(name, value);
    }
    let body = Full::new(Bytes::from(call.request.body.clone()));
    builder.body(body).map_err(|_| HttpError::Url(call.url.clone()))
}

async fn limited<T>(idle: Duration, future: impl Future<Output = T>) -> Result<T, HttpError> {
    timeout(idle, future)
        .await
        .map_err(|_| HttpError::Timeout("waiting for the answer"))
}

async fn next<C: Future<Output = hyper::Result<()>> + Unpin>(
    connection: &mut Driven<C>,
    body: &mut Incoming,
    idle: Duration,
) -> Result<Option<Bytes>, HttpError> {
    loop {
        let frame = connection.alongside(limited(idle, body.frame())).await?;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => return Err(broken(error)),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// A connection that is driven while something else is awaited, in the same task.
struct Driven<C> {
    connection: Option<C>,
}

impl<C: Future<Output = hyper::Result<()>> + Unpin> Driven<C> {
    fn new(connection: C) -> Self {
        Driven {
            connection: Some(connection),
        }
    }

    async fn alongside<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        while let Some(connection) = &mut self.connection {
            tokio::select! {
                biased;
                output = &mut future => return output,
                // An error of the connection also reaches the future.
                _ = connection => self.connection = None,
            }
        }
        future.await
    }

    async fn finish(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = timeout(CLOSING, connection).await;
        }
    }
}

const CLOSING: Duration = Duration::from_secs(1);
