//! One unit: hardware, agent, timers. Everything here is synchronous; the tasks around it only send events.

use super::{
    environment::Environment,
    event::{Event, Reply},
    keeper::Keeper,
    registry::Registry,
    stream::StreamCommand,
    tampers::Tampers,
    websocket::WsCommand,
};
use crate::{
    Agent, Context, ExchangeId, Hardware, Input, Kind, Output, RequestId, SocketId, StreamId, TimerId,
};
use hil_trace::{ConsoleStream, Party, RecordBody, SharedRecorder, Stamp, UnitChange};
use hil_unit::UnitError;
use rand::rngs::StdRng;
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};
use tokio::sync::{Notify, mpsc, oneshot};

/// The unit as its loop and its driver share it; borrowed only between two awaits.
pub(crate) type SharedCore = Rc<RefCell<Core>>;

/// State of one unit.
pub(crate) struct Core {
    pub(crate) kind: &'static dyn Kind,
    pub(crate) environment: Environment,
    pub(crate) recorder: SharedRecorder,
    pub(crate) hardware: Hardware,
    pub(crate) registry: Rc<Registry>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    pub(crate) requests: BTreeMap<RequestId, u64>,
    pub(crate) sockets: BTreeMap<SocketId, (u64, mpsc::UnboundedSender<WsCommand>)>,
    pub(crate) streams: BTreeMap<StreamId, (u64, mpsc::UnboundedSender<StreamCommand>)>,
    pub(crate) faces: BTreeMap<String, u64>,
    pub(crate) exchanges: BTreeMap<ExchangeId, oneshot::Sender<Reply>>,
    pub(crate) timers: BTreeMap<TimerId, Stamp>,
    pub(crate) reboot_at: Option<Stamp>,
    /// The software has ended with this status.
    pub(crate) exit: Option<i32>,
    pub(crate) next_exchange: u32,
    pub(crate) next_stream: u32,
    /// Told when the software is held up, or no more.
    pub(crate) released: Rc<Notify>,
    /// The software does not run before.
    held: Option<Stamp>,
    agent: Option<Box<dyn Agent>>,
    rng: StdRng,
    keeper: Option<Keeper>,
    /// What stands between the agent and everything else, if the unit misbehaves.
    pub(super) tampers: Tampers,
}

impl Core {
    /// A unit without power.
    pub(crate) fn new(
        kind: &'static dyn Kind,
        environment: Environment,
        recorder: SharedRecorder,
        rng: StdRng,
        keeper: Option<Keeper>,
    ) -> Self {
        let (events, _) = mpsc::unbounded_channel();
        let tampers = Tampers::of(&environment.setup);
        Core {
            kind,
            environment,
            recorder,
            hardware: Hardware::default(),
            registry: Rc::default(),
            events,
            requests: BTreeMap::new(),
            sockets: BTreeMap::new(),
            streams: BTreeMap::new(),
            faces: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            timers: BTreeMap::new(),
            reboot_at: None,
            exit: None,
            next_exchange: 0,
            next_stream: StreamId::SERVED,
            released: Rc::default(),
            held: None,
            agent: None,
            rng,
            keeper,
            tampers,
        }
    }

    /// Records a change in the unit's life.
    pub(crate) fn record(&self, change: UnitChange, facts: Map<String, Value>) {
        self.recorder.record(RecordBody::Unit { change, facts });
    }

    /// Boot loader, new agent, `Input::Boot`.
    pub(crate) fn boot(&mut self) {
        self.hardware.flash.revive();
        self.hardware.boots += 1;
        self.tampers.booting(&mut self.hardware);
        let agent = self.kind.boot(&self.environment.setup, &mut self.hardware);
        let mut facts = Map::new();
        facts.insert("boot".into(), self.hardware.boots.into());
        if let Some(version) = agent.version(&self.hardware) {
            facts.insert("version".into(), version.into());
        }
        self.record(UnitChange::Booted, facts);
        self.agent = Some(agent);
        self.input(Input::Boot);
    }

    /// Hands one input to the agent and carries out what it wants.
    pub(crate) fn input(&mut self, input: Input) {
        self.hardware.inputs += 1;
        if self.tampers.is_empty() {
            self.handle(input);
        } else {
            self.input_tampered(input);
        }
    }

    /// Hands the agent what nobody changes any more.
    pub(super) fn handle(&mut self, input: Input) {
        self.with_agent(|agent, context| agent.handle(input, context));
    }

    /// Turns an event into an input, unless it is out of date.
    pub(crate) fn event(&mut self, event: Event) {
        match event {
            Event::Wake => {}
            Event::Opened { serial, input } => {
                if self.is_current(serial, &input) {
                    self.input(input);
                }
            }
            Event::Request { face, request, reply } => {
                let exchange = ExchangeId(self.next_exchange);
                self.next_exchange = self.next_exchange.wrapping_add(1);
                self.exchanges.insert(exchange, reply);
                self.input(Input::ServerRequest {
                    exchange,
                    face,
                    request,
                });
            }
            Event::Gone => {
                let gone: Vec<_> = self
                    .exchanges
                    .extract_if(.., |_, reply| reply.is_closed())
                    .collect();
                for (exchange, _) in gone {
                    self.input(Input::ServerGone { exchange });
                }
            }
            Event::Upgraded {
                socket,
                stream,
                early,
            } => self.adopt_socket(socket, stream, early),
            Event::Stream {
                face,
                stream,
                half_closing,
            } => self.adopt_stream(face, stream, half_closing),
        }
    }

    /// Hands every timer that is due to the agent, earliest first.
    pub(crate) fn fire_timers(&mut self) {
        let now = self.environment.clock.now();
        while let Some(timer) = self.due(now) {
            self.timers.remove(&timer);
            self.input(Input::Timer(timer));
        }
        self.catch_up(now);
    }

    /// When the loop has to act by itself.
    pub(crate) fn next_deadline(&self) -> Option<Stamp> {
        let timers = self.timers.values().copied();
        timers
            .chain(self.reboot_at)
            .chain(self.tampers.next_deadline())
            .min()
    }

    /// True once a reboot is due.
    pub(crate) fn reboot_due(&self) -> bool {
        self.reboot_at
            .is_some_and(|at| at <= self.environment.clock.now())
    }

    /// Keeps the software from running for so long, from now on.
    pub(crate) fn hold(&mut self, span: Duration) {
        self.held = Some(self.environment.clock.now() + span);
        self.released.notify_one();
    }

    /// Until when the software must not run.
    pub(crate) fn held_until(&self) -> Option<Stamp> {
        self.held.filter(|until| *until > self.environment.clock.now())
    }

    /// Everything volatile is gone; connections break.
    pub(crate) fn lose_power(&mut self) {
        self.agent = None;
        self.timers.clear();
        self.tampers.lose_power();
        self.reboot_at = None;
        self.exit = None;
        self.held = None;
        self.requests.clear();
        self.sockets.clear();
        self.streams.clear();
        self.faces.clear();
        self.exchanges.clear();
        self.registry.cut_all();
        for service in self.hardware.services.values_mut() {
            service.active_since = None;
        }
    }

    /// Puts what must outlive the process where it does.
    pub(crate) fn keep(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(&self.hardware, &self.recorder);
        }
    }

    /// Asks the agent, or one that never booted.
    pub(crate) fn probe(&self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        match &self.agent {
            Some(agent) => agent.probe(name, arguments, &self.hardware),
            None => {
                let mut copy = self.hardware.clone();
                let agent = self.kind.boot(&self.environment.setup, &mut copy);
                agent.probe(name, arguments, &copy)
            }
        }
    }

    /// Hands a stimulus to the agent.
    pub(crate) fn stimulate(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Value, UnitError> {
        let result = self.with_agent(|agent, context| agent.stimulate(name, arguments, context));
        let _ = self.events.send(Event::Wake);
        result.unwrap_or_else(|| Err(UnitError::NotSupported("reach a unit that does not run".into())))
    }

    /// Has the agent take back a stimulus.
    pub(crate) fn undo(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let result = self.with_agent(|agent, context| agent.undo(name, arguments, context));
        let _ = self.events.send(Event::Wake);
        result.unwrap_or_else(|| Err(UnitError::NotSupported("reach a unit that does not run".into())))
    }

    /// Prints a line on the unit's console.
    pub(crate) fn console(&self, line: &str) {
        self.recorder.record(RecordBody::Console {
            stream: ConsoleStream::Serial,
            payload: format!("{line}\n").as_bytes().into(),
        });
    }

    /// What a tap on the unit's segment sees.
    fn tell_packets(&mut self) {
        for facts in self.hardware.segment.take() {
            self.recorder.record(RecordBody::Datagram {
                face: "tap".to_owned(),
                from: Party::Unit,
                facts,
                payload: (&[][..]).into(),
            });
        }
    }

    /// Plans a reboot.
    pub(crate) fn reboot_after(&mut self, after: Duration) {
        let at = self.environment.clock.now() + after;
        self.reboot_at = Some(self.reboot_at.map_or(at, |earlier| earlier.min(at)));
    }

    fn with_agent<T>(&mut self, act: impl FnOnce(&mut dyn Agent, &mut Context<'_>) -> T) -> Option<T> {
        let mut agent = self.agent.take()?;
        let mut outputs: Vec<Output> = Vec::new();
        let now = self.environment.clock.now();
        let setup = self.environment.setup.clone();
        let mut context = Context::new(
            &mut self.hardware,
            &mut self.rng,
            &setup,
            now,
            self.environment.clock.unix_us(now),
            &mut outputs,
        );
        let result = act(agent.as_mut(), &mut context);
        self.agent = Some(agent);
        self.keep();
        if self.tampers.is_empty() {
            for output in outputs {
                self.perform(output);
            }
        } else {
            self.perform_tampered(outputs);
        }
        self.tell_packets();
        Some(result)
    }

    fn due(&self, now: Stamp) -> Option<TimerId> {
        let (timer, at) = self.timers.iter().min_by_key(|(timer, at)| (**at, **timer))?;
        (*at <= now).then_some(*timer)
    }

    fn is_current(&mut self, serial: u64, input: &Input) -> bool {
        match input {
            Input::HttpAnswer { request, .. }
            | Input::HttpEnd { request }
            | Input::HttpFailed { request, .. } => {
                let current = self.requests.get(request) == Some(&serial);
                if current {
                    self.requests.remove(request);
                }
                current
            }
            Input::HttpHead { request, .. } | Input::HttpChunk { request, .. } => {
                self.requests.get(request) == Some(&serial)
            }
            Input::WsClosed { socket } | Input::WsFailed { socket, .. } => {
                let current = self.sockets.get(socket).is_some_and(|(own, _)| *own == serial);
                if current {
                    self.sockets.remove(socket);
                }
                current
            }
            Input::WsOpened { socket, .. } | Input::WsFrame { socket, .. } => {
                self.sockets.get(socket).is_some_and(|(own, _)| *own == serial)
            }
            Input::StreamClosed { stream } => {
                let current = self.streams.get(stream).is_some_and(|(own, _)| *own == serial);
                if current {
                    self.streams.remove(stream);
                }
                current
            }
            Input::StreamOpened { stream, .. }
            | Input::StreamData { stream, .. }
            | Input::StreamEnded { stream } => {
                self.streams.get(stream).is_some_and(|(own, _)| *own == serial)
            }
            Input::Boot | Input::Timer(_) | Input::ServerRequest { .. } | Input::ServerGone { .. } => true,
        }
    }
}
