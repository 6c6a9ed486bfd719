//! A scripted edge poll cloud, as small as can be.

use super::{Bench, serve};
use hil_link::Address;
use hil_sim::default_artifacts;
use hil_wire::{
    Protocol, digest,
    http::{Request, Response},
};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::VecDeque, rc::Rc};

const P: Protocol = Protocol::EdgePoll;

/// A queue of commands, listed until a terminal acknowledgement comes; keeps every request.
#[derive(Default)]
pub struct Peer {
    pub items: Vec<Value>,
    pub seen: Vec<(f64, Request)>,
    /// Answers to give instead, by the beginning of `METHOD path`; `None` = reset.
    pub instead: VecDeque<(&'static str, Option<Response>)>,
    /// Lists commands for ever, acknowledged or not.
    pub relist: bool,
    /// Ends downloads from the beginning after so many bytes, without closing.
    pub stall_at: Option<usize>,
    pub published: Option<(String, Vec<u8>, Value)>,
}

impl Peer {
    fn answer(&mut self, now: f64, request: &Request) -> Option<Response> {
        self.seen.push((now, request.clone()));
        let call = format!("{} {}", request.method, request.target);
        if let Some(place) = self
            .instead
            .iter()
            .position(|(prefix, _)| call.starts_with(prefix))
        {
            return self.instead.remove(place).unwrap().1;
        }
        let segments = request.segments();
        match segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["api", "v1", "commands"] => Some(Response::json(200, &Value::Array(self.items.clone()))),
            ["api", "v1", "commands", id, "ack"] => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                if body["status"] != "in_progress" && !self.relist {
                    self.items.retain(|item| item["id"] != id);
                }
                Some(Response::json(
                    200,
                    &json!({"id": id, "status": body["status"], "acked_at": "2026-03-02T09:00:00Z"}),
                ))
            }
            ["api", "v1", "snaps", "latest"] => Some(match &self.published {
                Some((_, _, answer)) => Response::json(200, answer),
                None => Response::json(404, &json!({"code": "no_snap"})),
            }),
            ["api", "v1", "snaps", "status"] => Some(Response::new(204)),
            ["blob"] => {
                let bytes = &self.published.as_ref().unwrap().1;
                let etag = format!("\"{}\"", digest::sha256_tagged(bytes));
                let from = request
                    .headers
                    .get("range")
                    .and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
                Some(match from {
                    Some(from) => Response {
                        body: bytes[from..].to_vec(),
                        ..Response::new(206)
                    }
                    .header(
                        "Content-Range",
                        format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
                    )
                    .header("ETag", etag),
                    None => {
                        let sent = self.stall_at.map_or(bytes.len(), |stall| stall.min(bytes.len()));
                        let mut whole = Response {
                            body: bytes[..sent].to_vec(),
                            ..Response::new(200)
                        }
                        .header("ETag", etag);
                        if self.stall_at.is_some() {
                            whole.headers.push(super::STALL, "1");
                        }
                        whole
                    }
                })
            }
            _ => Some(Response::new(404)),
        }
    }

    pub fn queue(&mut self, id: &str, command: &str, payload: Value) {
        self.items.push(json!({
            "id": id, "command": command, "payload": payload, "status": "pending",
            "created_at": "2026-03-02T09:00:00.000Z", "expires_at": null, "delivery_count": 1,
        }));
    }

    pub fn publish(&mut self, role: &str) {
        let artifact = default_artifacts(P).get(role).unwrap().clone();
        let answer = json!({
            "snap_name": artifact.name, "version": artifact.version, "download_url": "http://cloud:80/blob",
            "checksum": digest::sha256_tagged(&artifact.bytes), "size": artifact.bytes.len(),
        });
        self.published = Some((artifact.version, artifact.bytes.to_vec(), answer));
    }

    pub fn calls(&self, prefix: &str) -> Vec<(f64, Request)> {
        let fits = |(_, r): &&(f64, Request)| format!("{} {}", r.method, r.target).starts_with(prefix);
        self.seen.iter().filter(fits).cloned().collect()
    }

    /// `id status error_code` of every acknowledgement, in order.
    pub fn acks(&self) -> Vec<String> {
        let acks = self.calls("POST /api/v1/commands/");
        acks.iter()
            .map(|(_, request)| {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let text = |name: &str| body[name].as_str().unwrap_or("").to_owned();
                format!(
                    "{} {} {}",
                    request.segments()[3],
                    text("status"),
                    text("error_code")
                )
                .trim()
                .to_owned()
            })
            .collect()
    }

    pub fn reports(&self) -> Vec<String> {
        let reports = self.calls("POST /api/v1/snaps/status");
        let status = |(_, r): &(f64, Request)| {
            serde_json::from_slice::<Value>(&r.body).unwrap()["status"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        reports.iter().map(status).collect()
    }
}

pub async fn start(bench: &Bench) -> Rc<RefCell<Peer>> {
    let peer: Rc<RefCell<Peer>> = Rc::default();
    let shared = peer.clone();
    let address = Address::Host("cloud".into(), 80);
    let script = Box::new(move |now, request: &Request| shared.borrow_mut().answer(now, request));
    serve(&bench.network, bench.clock, address, script).await;
    peer
}
