//! A whole edge poll unit in virtual time against a scripted peer.

#[allow(dead_code, unreachable_pub)]
mod support;

use hil_link::Address;
use hil_sim::default_artifacts;
use hil_wire::{
    Protocol, digest,
    http::{Request, Response},
};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::VecDeque, rc::Rc};
use support::{Bench, KEY, arguments, in_virtual_time, serve};

const P: Protocol = Protocol::EdgePoll;

/// A queue of commands, listed until a terminal acknowledgement comes; keeps every request.
#[derive(Default)]
struct Peer {
    items: Vec<Value>,
    seen: Vec<(f64, Request)>,
    /// Answers to give instead, by the beginning of `METHOD path`; `None` = reset.
    instead: VecDeque<(&'static str, Option<Response>)>,
    published: Option<(String, Vec<u8>, Value)>,
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
                if body["status"] != "in_progress" {
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
                    None => Response {
                        body: bytes.clone(),
                        ..Response::new(200)
                    }
                    .header("ETag", etag),
                })
            }
            _ => Some(Response::new(404)),
        }
    }

    fn queue(&mut self, id: &str, command: &str, payload: Value) {
        self.items.push(json!({
            "id": id, "command": command, "payload": payload, "status": "pending",
            "created_at": "2026-03-02T09:00:00.000Z", "expires_at": null, "delivery_count": 1,
        }));
    }

    fn publish(&mut self, role: &str) {
        let artifact = default_artifacts(P).get(role).unwrap().clone();
        let answer = json!({
            "snap_name": artifact.name, "version": artifact.version, "download_url": "http://cloud:80/blob",
            "checksum": digest::sha256_tagged(&artifact.bytes), "size": artifact.bytes.len(),
        });
        self.published = Some((artifact.version, artifact.bytes.to_vec(), answer));
    }

    fn calls(&self, prefix: &str) -> Vec<(f64, Request)> {
        let fits = |(_, r): &&(f64, Request)| format!("{} {}", r.method, r.target).starts_with(prefix);
        self.seen.iter().filter(fits).cloned().collect()
    }

    /// `id status error_code` of every acknowledgement, in order.
    fn acks(&self) -> Vec<String> {
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

    fn reports(&self) -> Vec<String> {
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

async fn peer(bench: &Bench) -> Rc<RefCell<Peer>> {
    let peer: Rc<RefCell<Peer>> = Rc::default();
    let shared = peer.clone();
    let address = Address::Host("cloud".into(), 80);
    let script = Box::new(move |now, request: &Request| shared.borrow_mut().answer(now, request));
    serve(&bench.network, bench.clock, address, script).await;
    peer
}

#[test]
fn polls_with_jitter_and_its_key() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = peer(&bench).await;
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(3600.0).await;
        let polls = peer.borrow().calls("GET /api/v1/commands");
        assert!((114..=126).contains(&polls.len()), "{}", polls.len());
        let gaps: Vec<_> = polls.windows(2).map(|w| w[1].0 - w[0].0).collect();
        assert!(gaps.iter().all(|gap| (27.0..=33.01).contains(gap)), "{gaps:?}");
        assert!(
            polls
                .iter()
                .all(|(_, r)| r.headers.get_all("x-device-key").eq([KEY]))
        );
        assert_eq!(polls[0].1.headers.get("x-agent-version"), Some("1.0.0"));
        assert_eq!(bench.records.changes(), ["Started", "Booted 1.0.0"]);
        assert!(!bench.records.console().contains(KEY));
    });
}

#[test]
fn carries_out_commands_in_order() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = peer(&bench).await;
        {
            let mut peer = peer.borrow_mut();
            peer.queue("c1", "restart_service", json!({"service": "telemetry"}));
            peer.queue("c2", "format_disk", json!({}));
            peer.queue("c3", "run_discovery", json!({"subnet": "192.168.10.0/28"}));
            peer.queue(
                "c4",
                "config_update",
                json!({"log_level": "debug", "poll_interval_s": 15}),
            );
            peer.queue("c5", "config_update", json!({"log_level": "warn", "colour": 1}));
            peer.queue("c6", "restart_service", json!({"service": "; touch canary"}));
        }
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(60.0).await;
        assert_eq!(
            peer.borrow().acks(),
            [
                "c1 completed",
                "c2 rejected unsupported_command",
                "c3 completed",
                "c4 completed",
                "c5 rejected invalid_config",
                "c6 rejected unknown_service"
            ]
        );
        let starts = |service: &str| arguments(json!({"service": service}));
        assert_eq!(
            unit.probe("service_starts", &starts("telemetry")).await.unwrap(),
            json!(1)
        );
        assert_eq!(
            unit.probe("service_starts", &starts("gateway")).await.unwrap(),
            json!(0)
        );
        let key = arguments(json!({"key": "log_level"}));
        assert_eq!(unit.probe("config", &key).await.unwrap(), json!("debug"));
    });
}

#[test]
fn updates_its_own_snap() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = peer(&bench).await;
        peer.borrow_mut().publish("next");
        peer.borrow_mut().queue(
            "u1",
            "update_snap",
            json!({"snap_name": "edge-agent", "version": "1.1.0"}),
        );
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(90.0).await;
        let nothing = arguments(json!({}));
        assert_eq!(unit.probe("version", &nothing).await.unwrap(), json!("1.1.0"));
        assert_eq!(unit.probe("installs", &nothing).await.unwrap(), json!(1));
        assert_eq!(unit.probe("temporary_files", &nothing).await.unwrap(), json!(0));
        let peer = peer.borrow();
        assert_eq!(
            peer.reports(),
            ["downloading", "verifying", "installing", "rebooting", "success"]
        );
        assert_eq!(peer.acks(), ["u1 completed"]);
        assert_eq!(
            bench.records.changes(),
            ["Started", "Booted 1.0.0", "Rebooted", "Booted 1.1.0"]
        );
        let order: Vec<_> = peer
            .seen
            .iter()
            .filter(|(_, r)| r.method == "POST")
            .map(|(_, r)| r.target.clone())
            .collect();
        assert_eq!(order.last().map(String::as_str), Some("/api/v1/commands/u1/ack"));
    });
}
