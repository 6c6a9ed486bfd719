//! A bench for whole simulated units: virtual time, memory network, and a scripted peer that shares no code with the
//! mock cloud.

pub mod edge_peer;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use hil_link::{Address, Clock, Network};
use hil_sim::{Defect, SimDriver, default_artifacts, default_ics, default_timing};
use hil_trace::{RecordBody, Recorder};
use hil_unit::{Driver, Endpoints, Surroundings, Unit};
use hil_wire::{
    Protocol,
    http::{Headers, Request, Response},
};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{body::Frame, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::BTreeSet, future::Future, rc::Rc};

/// Runs a test in virtual time on one thread.
pub fn in_virtual_time<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

/// Runs a test in real time on one thread.
pub fn in_real_time<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

/// Keeps records with their time.
pub struct Records {
    clock: Clock,
    pub kept: RefCell<Vec<(f64, RecordBody)>>,
}

impl Recorder for Records {
    fn record(&self, body: RecordBody) -> u64 {
        let mut kept = self.kept.borrow_mut();
        kept.push((self.clock.now().seconds(), body));
        kept.len() as u64 - 1
    }
}

impl Records {
    /// Names of the changes in the unit's life.
    pub fn changes(&self) -> Vec<String> {
        let kept = self.kept.borrow();
        kept.iter()
            .filter_map(|(_, body)| match body {
                RecordBody::Unit { change, facts } => {
                    let version = facts.get("version").and_then(Value::as_str).unwrap_or("");
                    Some(format!("{change:?} {version}").trim().to_owned())
                }
                _ => None,
            })
            .collect()
    }

    /// The whole console output.
    pub fn console(&self) -> String {
        let kept = self.kept.borrow();
        kept.iter()
            .filter_map(|(_, body)| match body {
                RecordBody::Console { payload, .. } => {
                    Some(String::from_utf8_lossy(payload.bytes()).into_owned())
                }
                _ => None,
            })
            .collect()
    }
}

/// A unit and its surroundings.
pub struct Bench {
    pub clock: Clock,
    pub network: Network,
    pub records: Rc<Records>,
    pub surroundings: Surroundings,
}

impl Bench {
    pub fn new(clock: Clock, network: Network, base_url: &str, protocol: Protocol) -> Self {
        let records = Rc::new(Records {
            clock,
            kept: RefCell::default(),
        });
        let mut endpoints = Endpoints::default();
        endpoints.set("base_url", base_url);
        endpoints.set("device_key", KEY);
        let surroundings = Surroundings {
            clock,
            network: network.clone(),
            recorder: records.clone(),
            endpoints,
            artifacts: default_artifacts(protocol),
            faces: Default::default(),
            timing: default_timing(protocol),
            ics: default_ics(protocol),
            seed: 7,
            state_directory: None,
        };
        Bench {
            clock,
            network,
            records,
            surroundings,
        }
    }

    pub fn memory(protocol: Protocol) -> Self {
        Bench::new(
            Clock::new_virtual(),
            Network::new_memory(),
            "http://cloud:80",
            protocol,
        )
    }

    pub fn unit(&self, protocol: Protocol, defects: &[Defect]) -> Box<dyn Unit> {
        let defects: BTreeSet<_> = defects.iter().copied().collect();
        SimDriver::new(protocol, defects)
            .create(self.surroundings.clone())
            .unwrap()
    }

    pub async fn sleep(&self, seconds: f64) {
        self.clock
            .sleep(std::time::Duration::from_secs_f64(seconds))
            .await;
    }
}

pub const KEY: &str = "edk_test_0123456789abcdef0123456789abcdef";

/// A response with this header never ends after its body.
pub const STALL: &str = "x-test-stall";

/// What the scripted peer does with a request; `None` = reset the connection.
pub type Script = dyn FnMut(f64, &Request) -> Option<Response>;

/// Serves a script on an address of the bench's network until the test ends.
pub async fn serve(network: &Network, clock: Clock, address: Address, script: Box<Script>) {
    let mut listener = network.listen(&address).await.unwrap();
    let script = Rc::new(RefCell::new(script));
    tokio::task::spawn_local(async move {
        while let Ok(stream) = listener.accept().await {
            let script = script.clone();
            tokio::task::spawn_local(async move {
                let handle = stream.handle();
                let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
                    let (script, handle) = (script.clone(), handle.clone());
                    async move {
                        let (head, body) = request.into_parts();
                        let headers = head.headers.iter();
                        let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()));
                        let request = Request {
                            method: head.method.to_string(),
                            target: head.uri.to_string(),
                            headers: Headers(headers.collect()),
                            body: body.collect().await.unwrap().to_bytes().to_vec(),
                        };
                        let answer = script.borrow_mut()(clock.now().seconds(), &request);
                        let Some(answer) = answer else {
                            handle.reset();
                            std::future::pending::<()>().await;
                            unreachable!()
                        };
                        let mut builder = http::Response::builder().status(answer.status);
                        for (name, value) in &answer.headers.0 {
                            builder = builder.header(name, value);
                        }
                        let stalls = answer.headers.get(STALL).is_some();
                        let body = Full::new(Bytes::from(answer.body));
                        builder.body(if stalls {
                            let never = futures_util::stream::pending();
                            let frames = body.into_data_stream().map_ok(Frame::data);
                            StreamBody::new(frames.chain(never)).boxed_unsync()
                        } else {
                            body.boxed_unsync()
                        })
                    }
                });
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}

/// Arguments of probes and stimuli.
pub fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}
