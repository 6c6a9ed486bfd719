//! A sensor module beside the unit, as a stub the unit's own driver of it talks to: lines over TCP or a Unix socket.

use crate::instrument::Instrument;
use async_trait::async_trait;
use hil_unit::{
    UnitError,
    link::{Clock, Listener, Stream},
    trace::{Party, RecordBody, SharedRecorder, Stamp},
};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    task::JoinSet,
};

/// The module, whoever is connected to it.
pub(crate) struct Module {
    clock: Clock,
    recorder: SharedRecorder,
    state: RefCell<State>,
}

#[derive(Clone, Debug)]
struct State {
    restarts: u64,
    resets: BTreeMap<&'static str, u64>,
    calibrated: bool,
    halted: bool,
    /// When it answers; never without a time.
    online_at: Option<Stamp>,
    behaviour: Behaviour,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Behaviour {
    Well,
    Silent,
    Slow(Duration),
    Deaf,
    Forgetful,
}

impl Default for State {
    fn default() -> Self {
        State {
            restarts: 0,
            resets: BTreeMap::new(),
            calibrated: true,
            halted: false,
            online_at: Some(Stamp::ZERO),
            behaviour: Behaviour::Well,
        }
    }
}

impl Module {
    pub(crate) const PROBES: &[&str] = &["module", "module_resets", "calibration"];
    pub(crate) const STIMULI: &[&str] = &["module"];

    pub(crate) fn new(clock: Clock, recorder: SharedRecorder) -> Rc<Module> {
        Rc::new(Module {
            clock,
            recorder,
            state: RefCell::default(),
        })
    }

    /// Serves connections until cancelled.
    pub(crate) async fn serve(self: Rc<Self>, mut listener: Listener) {
        let mut connections = JoinSet::new();
        while let Ok(stream) = listener.accept().await {
            connections.spawn_local(self.clone().talk(stream));
            while connections.try_join_next().is_some() {}
        }
    }

    async fn talk(self: Rc<Self>, stream: Stream) {
        let (from, mut to) = tokio::io::split(stream);
        let mut from = BufReader::new(from);
        loop {
            let mut line = Vec::new();
            match (&mut from).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
                Ok(1..) if line.ends_with(b"\n") => {}
                _ => return,
            }
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            self.note(Party::Unit, &text);
            // One that is away hears nothing and says nothing.
            let Some(mut answer) = self.answer(&text) else {
                continue;
            };
            self.note(Party::Cloud, &answer);
            answer.push('\n');
            if to.write_all(answer.as_bytes()).await.is_err() || to.flush().await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, text: &str) -> Option<String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        // The reset line works whether the module answers or not.
        if let ["reset", kind, how @ ..] = &words[..] {
            let Some(kind) = KINDS.into_iter().find(|known| known == kind) else {
                return Some("error".to_owned());
            };
            state.reset(kind, how.contains(&"erase"), how.contains(&"halt"), now);
            return Some("ok".to_owned());
        }
        if !state.is_online(now) {
            return None;
        }
        Some(match words[..] {
            ["status"] => "online".to_owned(),
            ["restarts"] => state.restarts.to_string(),
            ["calibration"] => state.calibration().to_owned(),
            _ => "error".to_owned(),
        })
    }

    fn note(&self, from: Party, text: &str) {
        self.recorder.record(RecordBody::Datagram {
            face: "module".to_owned(),
            from,
            facts: Map::from_iter([("text".to_owned(), text.into())]),
            payload: text.as_bytes().into(),
        });
    }
}

impl State {
    fn reset(&mut self, kind: &'static str, erase: bool, halt: bool, now: Stamp) {
        *self.resets.entry(kind).or_default() += 1;
        if self.behaviour == Behaviour::Deaf {
            return;
        }
        self.restarts += 1;
        self.halted = halt;
        self.calibrated &= !(kind == "factory" && erase) && self.behaviour != Behaviour::Forgetful;
        let after = match self.behaviour {
            Behaviour::Slow(after) => Some(after),
            Behaviour::Silent => None,
            Behaviour::Well | Behaviour::Deaf | Behaviour::Forgetful => Some(USUAL),
        };
        self.online_at = after.map(|after| now + after);
    }

    fn is_online(&self, now: Stamp) -> bool {
        !self.halted && self.online_at.is_some_and(|at| at <= now)
    }

    fn word(&self, now: Stamp) -> &'static str {
        match self.online_at {
            _ if self.halted => "halted",
            Some(at) if at <= now => "online",
            Some(_) => "resetting",
            None => "offline",
        }
    }

    fn calibration(&self) -> &'static str {
        if self.calibrated { "calibrated" } else { "erased" }
    }
}

#[async_trait(?Send)]
impl Instrument for Module {
    fn probes(&self) -> &'static [&'static str] {
        Module::PROBES
    }

    fn stimuli(&self) -> &'static [&'static str] {
        Module::STIMULI
    }

    fn prepare(&self) {
        self.state.replace(State::default());
    }

    async fn probe(&self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let state = self.state.borrow();
        Ok(match name {
            "module" => state.word(self.clock.now()).into(),
            "calibration" => state.calibration().into(),
            _ => match arguments.get("type").and_then(Value::as_str) {
                Some(kind) => state.resets.get(kind).copied().unwrap_or_default().into(),
                None => state.resets.values().sum::<u64>().into(),
            },
        })
    }

    async fn stimulate(
        &self,
        _: &str,
        arguments: &Map<String, Value>,
        undo: bool,
    ) -> Result<Value, UnitError> {
        let word = arguments
            .get("behaviour")
            .and_then(Value::as_str)
            .filter(|_| !undo);
        let seconds = arguments.get("seconds").and_then(Value::as_f64);
        let after = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let behaviour = match word.unwrap_or("well") {
            "well" => Behaviour::Well,
            "silent" => Behaviour::Silent,
            "deaf" => Behaviour::Deaf,
            "forgetful" => Behaviour::Forgetful,
            "slow" => Behaviour::Slow(after.unwrap_or(USUAL)),
            other => {
                return Err(UnitError::BadArgument {
                    name: "behaviour".to_owned(),
                    problem: format!("a module cannot behave `{other}`"),
                });
            }
        };
        let mut state = self.state.borrow_mut();
        state.behaviour = behaviour;
        if undo && state.online_at.is_none() {
            // One that fell silent for good answers again.
            state.online_at = Some(self.clock.now());
        }
        Ok(json!({"behaviour": word.unwrap_or("well"), "seconds": seconds.filter(|_| !undo)}))
    }
}

const KINDS: [&str; 3] = ["soft", "hard", "factory"];
/// How long a module that behaves takes to come back.
const USUAL: Duration = Duration::from_secs(2);
const LONGEST_LINE: u64 = 4096;
