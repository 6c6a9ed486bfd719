//! A desk for agents in unit tests: no tokio, no network, time by hand.

use crate::{Agent, Context, Hardware, HttpCall, HttpError, Input, Kind, Output, RequestId, Setup, TimerId};
use hil_trace::Stamp;
use hil_wire::http::Response;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// One unit on a desk.
pub(crate) struct Desk {
    kind: &'static dyn Kind,
    setup: Setup,
    agent: Box<dyn Agent>,
    rng: StdRng,
    timers: BTreeMap<TimerId, Stamp>,
    now: Stamp,
    /// What survives.
    pub(crate) hardware: Hardware,
    /// Everything the agent wanted and no method has taken yet; timers are kept apart.
    pub(crate) outputs: VecDeque<Output>,
}

impl Desk {
    /// A provisioned unit that has booted.
    pub(crate) fn new(kind: &'static dyn Kind, setup: Setup) -> Self {
        let mut hardware = Hardware::default();
        kind.provision(&Map::new(), &setup, &mut hardware).unwrap();
        let agent = kind.boot(&setup, &mut hardware);
        let mut desk = Desk {
            kind,
            rng: StdRng::seed_from_u64(setup.seed),
            setup,
            agent,
            timers: BTreeMap::new(),
            now: Stamp::ZERO,
            hardware,
            outputs: VecDeque::new(),
        };
        desk.boot();
        desk
    }

    /// Cuts and restores power.
    pub(crate) fn boot(&mut self) {
        self.timers.clear();
        self.outputs.clear();
        self.hardware.flash.revive();
        self.hardware.boots += 1;
        self.agent = self.kind.boot(&self.setup, &mut self.hardware);
        self.input(Input::Boot);
    }

    /// Hands one input to the agent.
    pub(crate) fn input(&mut self, input: Input) {
        let mut outputs = Vec::new();
        let mut context = Context::new(
            &mut self.hardware,
            &mut self.rng,
            &self.setup,
            self.now,
            EPOCH_US + self.now.0 as i64,
            &mut outputs,
        );
        self.agent.handle(input, &mut context);
        for output in outputs {
            match output {
                Output::Timer(timer, after) => {
                    self.timers.insert(timer, self.now + after);
                }
                Output::Cancel(timer) => {
                    self.timers.remove(&timer);
                }
                other => self.outputs.push_back(other),
            }
        }
    }

    /// Lets time pass until the agent sends a request, and takes it; at most a day.
    pub(crate) fn next_request(&mut self) -> (RequestId, HttpCall) {
        loop {
            while let Some(output) = self.outputs.pop_front() {
                if let Output::Http(request, call) = output {
                    return (request, *call);
                }
            }
            assert!(self.fire(Duration::from_secs(86_400)), "no request in a day");
        }
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while self.fire(end.since(self.now)) {}
        self.now = end;
    }

    /// Answers a request.
    pub(crate) fn answer(&mut self, request: RequestId, response: Response) {
        self.input(Input::HttpAnswer { request, response });
    }

    /// Breaks a request.
    pub(crate) fn fail(&mut self, request: RequestId) {
        let error = HttpError::Broken("reset".into());
        self.input(Input::HttpFailed { request, error });
    }

    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> f64 {
        self.now.seconds()
    }

    /// Reads a fact.
    pub(crate) fn probe(&self, name: &str, arguments: Value) -> Value {
        let arguments = arguments.as_object().unwrap();
        self.agent.probe(name, arguments, &self.hardware).unwrap()
    }

    fn fire(&mut self, within: Duration) -> bool {
        let next = self.timers.iter().min_by_key(|(timer, at)| (**at, **timer));
        let Some((timer, at)) = next.map(|(timer, at)| (*timer, *at)) else {
            return false;
        };
        if at > self.now + within {
            return false;
        }
        self.now = self.now.max(at);
        self.timers.remove(&timer);
        self.input(Input::Timer(timer));
        true
    }
}

/// 2026-03-02T09:00:00Z.
pub(crate) const EPOCH_US: i64 = 1_772_442_000_000_000;
