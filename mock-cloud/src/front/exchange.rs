//! One exchange of an HTTP face: the core's answer, and what a fault makes of it.

use super::{Host, answer::without, bad_json, http::Connection, image, upgrade, wrong_url};
use crate::core::{Core, HttpCall, Operation, Outputs};
use bytes::Bytes;
use hil_fault::{AnswerPart, ExchangeEffect, KeyState, ResetPoint};
use hil_trace::{HttpEnding, Party};
use hil_wire::{
    http::{Request, Response},
    timestamp::format_http_date,
};
use http_body_util::Full;
use serde_json::json;
use std::{rc::Rc, time::Duration};

/// What hyper is answered.
pub(super) type Answer = hyper::Response<Full<Bytes>>;

/// One request and what is needed to answer it.
pub(super) struct Exchange<'a> {
    pub(super) connection: &'a Connection,
    pub(super) host: &'a Rc<Host>,
    pub(super) call: HttpCall<'a>,
    pub(super) number: u32,
    /// It was asked with HEAD.
    pub(super) head: bool,
}

/// Hyper has nothing to answer, and the connection nothing to carry any more.
#[derive(Debug, thiserror::Error)]
#[error("the connection is given up")]
pub(super) struct Interrupted;

impl Exchange<'_> {
    /// The answer of an exchange that a fault struck; the image it may carry can be struck as well.
    pub(super) async fn disturbed(
        &self,
        operation: &Operation,
        effect: ExchangeEffect,
    ) -> Result<Answer, Interrupted> {
        match effect {
            ExchangeEffect::Reset(ResetPoint::BeforeHandling) => self.interrupt(),
            ExchangeEffect::Reset(ResetPoint::AfterHandling) => {
                self.handled().await;
                self.interrupt()
            }
            ExchangeEffect::Stall {
                after_bytes: None,
                span: None,
                ..
            } => {
                self.host.edge.unanswered(self.number, "stalled");
                std::future::pending().await
            }
            ExchangeEffect::Stall {
                after_bytes: None,
                span: Some(span),
                ..
            } => {
                self.host.edge.clock.sleep(span).await;
                Ok(self.send(self.served(operation, self.handled().await, None)))
            }
            ExchangeEffect::Reset(ResetPoint::InBody(_))
            | ExchangeEffect::Stall { .. }
            | ExchangeEffect::Drip { .. }
            | ExchangeEffect::Truncate { .. }
            | ExchangeEffect::Length { .. }
            | ExchangeEffect::Framed(_)
            | ExchangeEffect::Padding { .. } => {
                let response = self.served(operation, self.handled().await, sent(&effect));
                let sent = self.send_on_wire(response, effect).await;
                self.after(sent)
            }
            other => Ok(self.send(self.served(operation, self.altered(other).await, None))),
        }
    }

    /// What is answered where another message goes out in good order.
    async fn altered(&self, effect: ExchangeEffect) -> Response {
        let host = self.host;
        match effect {
            ExchangeEffect::Status {
                status,
                retry_after,
                retry_in,
                body,
            } => {
                let date = |span: Duration| {
                    let span_ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
                    format_http_date(host.now().unix_ms.saturating_add(span_ms))
                };
                refusal(status, retry_after.or(retry_in.map(date)), body)
            }
            ExchangeEffect::StorageFull { status, retry_after } => refusal(status, retry_after, None),
            ExchangeEffect::Body { body, content_type } => {
                let mut response = Response::new(200).header("Content-Type", content_type);
                response.body = body.into_bytes();
                response
            }
            ExchangeEffect::Redirect { target, status } => {
                let location = host.core.borrow().redirect_target(host.now(), &target, self.call);
                Response::new(status).header("Location", location)
            }
            ExchangeEffect::Key(KeyState::Disabled) => Response::json(
                403,
                &json!({"error": "This unit is disabled.", "code": "device_disabled"}),
            ),
            ExchangeEffect::Key(KeyState::Revoked) => {
                self.handled_as(&with_another_key(self.call.request)).await
            }
            ExchangeEffect::IgnoreRange => self.handled_as(&whole_asked(self.call.request)).await,
            ExchangeEffect::EntityTag { tag } => {
                // A server whose file is another one answers only who asks for a part of whatever there is with a part.
                let mut request = self.call.request.clone();
                if request.headers.get("If-Range").is_some() {
                    request = whole_asked(&request);
                }
                without(&mut request.headers, "If-None-Match");
                let mut response = self.handled_as(&request).await;
                without(&mut response.headers, "ETag");
                response.header("ETag", tag)
            }
            ExchangeEffect::Header { name, value } => {
                let mut response = self.handled().await;
                without(&mut response.headers, &name);
                response.headers.0.extend(value.map(|value| (name, value)));
                response
            }
            ExchangeEffect::BadJson(bad) => {
                let mut response = self.handled().await;
                bad_json::spoil(&mut response, bad);
                unannounced(response)
            }
            ExchangeEffect::WrongUrl(place) => {
                let mut response = self.handled().await;
                wrong_url::mislead(&mut response, self.call.request.headers.get("Host"), place);
                unannounced(response)
            }
            ExchangeEffect::ListTwice => {
                let mut response = self.handled().await;
                bad_json::twice(&mut response);
                unannounced(response)
            }
            ExchangeEffect::ListReversed => {
                let mut response = self.handled().await;
                bad_json::reversed(&mut response);
                unannounced(response)
            }
            ExchangeEffect::Reset(_)
            | ExchangeEffect::Stall { .. }
            | ExchangeEffect::Drip { .. }
            | ExchangeEffect::Truncate { .. }
            | ExchangeEffect::Length { .. }
            | ExchangeEffect::Framed(_)
            | ExchangeEffect::Padding { .. } => self.handled().await,
        }
    }

    /// What the core answers, to an upgrade too.
    pub(super) async fn handled(&self) -> Response {
        self.handled_as(self.call.request).await
    }

    /// An answer that may be an image, which faults strike once it is there to be served; `sent` = how many bytes of
    /// it leave, if not all.
    pub(super) fn served(&self, operation: &Operation, response: Response, sent: Option<u64>) -> Response {
        if !matches!(response.status, 200 | 206) {
            return response;
        }
        let can = |effect: &_| image::can_spoil(self.host, &response, effect, sent);
        match self.host.edge.strike_artifact(self.number, operation, can) {
            Some(effect) => image::spoil(self.host, response, effect),
            None => response,
        }
    }

    /// What the core answers to another request than came.
    async fn handled_as(&self, request: &Request) -> Response {
        let call = HttpCall { request, ..self.call };
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
        answered.unwrap_or_else(|error| refusal(503, Some("5".to_owned()), Some(error.to_string())))
    }

    fn interrupt(&self) -> Result<Answer, Interrupted> {
        self.host.edge.unanswered(self.number, "reset");
        self.connection.handle.reset();
        Err(Interrupted)
    }

    /// An answer in good order, by hyper.
    pub(super) fn send(&self, mut response: Response) -> Answer {
        finish_headers(self.host, &mut response, true);
        self.host
            .edge
            .response(self.number, Party::Cloud, &response, HttpEnding::Complete);
        let body = match self.head {
            true => Vec::new(),
            false => std::mem::take(&mut response.body),
        };
        build(&response, body)
    }
}

/// How many bytes of a body leave under an effect, if not all.
pub(super) fn sent(effect: &ExchangeEffect) -> Option<u64> {
    match effect {
        ExchangeEffect::Reset(ResetPoint::InBody(after)) => Some(*after),
        ExchangeEffect::Truncate { after_bytes, .. } => Some(*after_bytes),
        ExchangeEffect::Stall {
            part: AnswerPart::Body,
            after_bytes: Some(after),
            span: None,
        } => Some(*after),
        ExchangeEffect::Stall { span: None, .. } => Some(0),
        _ => None,
    }
}

/// A refusal without further ado.
fn refusal(status: u16, retry_after: Option<String>, body: Option<String>) -> Response {
    let mut response = Response::new(status);
    let retry_after = retry_after.map(|value| ("Retry-After".to_owned(), value));
    response.headers.0.extend(retry_after);
    response.body = body.unwrap_or_default().into_bytes();
    response
}

/// The same request with credentials nobody knows.
fn with_another_key(request: &Request) -> Request {
    let mut request = request.clone();
    for (name, value) in &mut request.headers.0 {
        if CREDENTIALS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            let scheme = value.rsplit_once(' ').map_or("", |(scheme, _)| scheme);
            let key = "x".repeat(value.len() - scheme.len());
            *value = format!("{scheme} {key}").trim_start().to_owned();
        }
    }
    request
}

/// The same request for the whole.
fn whole_asked(request: &Request) -> Request {
    let mut request = request.clone();
    without(&mut request.headers, "Range");
    without(&mut request.headers, "If-Range");
    request
}

/// Whether an effect can be made on the answer to a request.
pub(super) fn can_strike(effect: &ExchangeEffect, request: &Request) -> bool {
    match effect {
        ExchangeEffect::IgnoreRange => request.headers.get("Range").is_some(),
        ExchangeEffect::StorageFull { .. } => !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS"),
        ExchangeEffect::Key(_) => CREDENTIALS.iter().any(|name| request.headers.get(name).is_some()),
        _ => true,
    }
}

/// The same answer, its length to be counted anew.
fn unannounced(mut response: Response) -> Response {
    without(&mut response.headers, "Content-Length");
    response
}

/// Headers every answer has; its length too where it is announced.
pub(super) fn finish_headers(host: &Host, response: &mut Response, announce: bool) {
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

fn build(response: &Response, body: Vec<u8>) -> Answer {
    let mut answer = Answer::new(Full::from(body));
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

/// Headers that carry a unit's key or token.
const CREDENTIALS: [&str; 2] = ["X-Device-Key", "Authorization"];
