//! A unit that is a process.

use crate::{
    Values,
    console::{Console, ConsoleLimit},
    hook,
    launch::Launch,
    provision,
    stdio_face::StdioFace,
    supervisor::{Outage, Supervisor},
};
use async_trait::async_trait;
use hil_unit::{
    Surroundings, Unit, UnitError, UnitFile,
    link::Address,
    trace::{ClockKind, UnitChange},
    unit_file::{Hook, StopSignal},
};
use rustix::process::Signal;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// One process with its state folder. Dropping it kills the process group.
pub(crate) struct ProcessUnit {
    file: UnitFile,
    directory: PathBuf,
    state_directory: PathBuf,
    surroundings: Surroundings,
    console: Rc<Console>,
    supervisor: Rc<Supervisor>,
    values: Values,
    provisioned: bool,
    /// Serves the console as a face.
    listening: JoinSet<()>,
}

impl ProcessUnit {
    /// A unit that is not started. Placeholders of its command are checked here; those of templates when the state
    /// folder is made.
    pub(crate) fn new(
        file: UnitFile,
        directory: PathBuf,
        limit: ConsoleLimit,
        surroundings: Surroundings,
    ) -> Result<Self, UnitError> {
        if surroundings.clock.kind() != ClockKind::Real {
            return Err(UnitError::NotSupported(
                "run a process in virtual time".to_owned(),
            ));
        }
        let Some(state_directory) = surroundings.state_directory.clone() else {
            return Err(UnitError::NotSupported(
                "run a process without a state folder".to_owned(),
            ));
        };
        let state_directory = std::path::absolute(&state_directory)
            .map_err(|error| UnitError::Lab(format!("the state folder is nowhere: {error}")))?;
        let mut values = Values::gather(&file, &directory, &state_directory, &surroundings);
        values.running("current", &file, &directory);
        provision::name_certificates(&state_directory, &surroundings.endpoints, &mut values);
        let launch = Launch::new("command", &file.command, &file, &directory, &values)?;
        let recorder = surroundings.recorder.clone();
        let face = file.stdio_face().map(|_| Rc::new(StdioFace::new()));
        let wanted = file.ready.console.clone();
        let console = Rc::new(Console::new(recorder.clone(), limit, wanted, face));
        let lines = surroundings.faces.values().filter_map(|address| match address {
            Address::Path(path) if Path::new(path).starts_with(&state_directory) => Some(PathBuf::from(path)),
            _ => None,
        });
        let supervisor = Supervisor::new(recorder, console.clone(), file.restart, launch, lines.collect());
        Ok(ProcessUnit {
            file,
            directory,
            state_directory,
            surroundings,
            console,
            supervisor,
            values,
            provisioned: false,
            listening: JoinSet::new(),
        })
    }

    /// Makes the state folder, with an image of a role to run.
    fn provision(&mut self, role: &str) -> Result<(), UnitError> {
        self.select(role)?;
        provision::clear(&self.state_directory, &self.surroundings.faces)?;
        provision::write_certificates(&self.state_directory, &self.surroundings.endpoints)?;
        let (templates, directory) = (&self.file.templates, &self.directory);
        provision::configuration(templates, directory, &self.state_directory, &self.values)?;
        let launch = Launch::new("command", &self.file.command, &self.file, directory, &self.values)?;
        self.supervisor.set_launch(launch);
        self.provisioned = true;
        Ok(())
    }

    fn select(&mut self, role: &str) -> Result<(), UnitError> {
        if role != "current" && !self.file.artifacts.contains_key(role) {
            return Err(UnitError::BadArgument {
                name: "running".to_owned(),
                problem: format!("the unit file has no image of role `{role}`"),
            });
        }
        if role != "current" && !self.uses_running_image() {
            let what =
                format!("run the image of role `{role}`: nothing in the unit file uses `{{running_file}}`");
            return Err(UnitError::NotSupported(what));
        }
        self.values.running(role, &self.file, &self.directory);
        Ok(())
    }

    /// The files it is started with, and their digests.
    fn started_with(&self) -> Map<String, Value> {
        let files = self.supervisor.measured(&self.directory, &self.state_directory);
        match files.is_empty() {
            true => Map::new(),
            false => Map::from_iter([("files".to_owned(), json!(files))]),
        }
    }

    fn uses_running_image(&self) -> bool {
        let file = &self.file;
        let mut texts = file.command.iter().chain(file.environment.values());
        texts.any(|text| text.contains("{running_")) || !file.templates.is_empty()
    }

    /// Opens the face that is the console of the process.
    async fn listen(&mut self) -> Result<(), UnitError> {
        let address = self
            .file
            .stdio_face()
            .and_then(|face| self.surroundings.faces.get(face));
        if let (Some(face), Some(address), true) = (self.console.face(), address, self.listening.is_empty()) {
            let listener = self.surroundings.network.listen(address).await;
            let listener = listener.map_err(|error| {
                UnitError::Lab(format!(
                    "cannot listen on {address} for the unit's console: {error}"
                ))
            })?;
            self.listening.spawn_local(face.clone().serve(listener));
        }
        Ok(())
    }

    async fn wait_until_ready(&self) -> Result<(), UnitError> {
        let ready = &self.file.ready;
        if ready.console.is_none() && ready.face.is_none() {
            // Without a sign of readiness only an immediate failure counts.
            return timeout(SETTLE, self.failed()).await.map_or(Ok(()), Err);
        }
        let sign = async {
            if ready.console.is_some() {
                self.console.appeared().await;
            }
            if let Some(face) = &ready.face {
                self.face_accepts(face).await;
            }
        };
        let either = async {
            tokio::select! {
                biased;
                () = sign => Ok(()),
                error = self.failed() => Err(error),
            }
        };
        timeout(ready.timeout, either)
            .await
            .unwrap_or_else(|_| Err(UnitError::Dead(self.with_output(&self.not_ready()))))
    }

    /// Comes back only if the process ended and is not started again.
    async fn failed(&self) -> UnitError {
        let settles = self.file.ready.console.is_none() && self.file.ready.face.is_none();
        if let Some(run) = self
            .supervisor
            .run()
            .filter(|_| !self.supervisor.restarts_failures())
            && let Some(ending) = run.ended().await
            && (ending.is_failure() || !settles)
        {
            let text = format!("the unit's process ended with {ending} before it was ready");
            return UnitError::Dead(self.with_output(&text));
        }
        std::future::pending().await
    }

    async fn face_accepts(&self, face: &str) {
        let Some(address) = self.surroundings.faces.get(face) else {
            return;
        };
        while self.surroundings.network.connect(address).await.is_err() {
            sleep(FACE_POLL).await;
        }
    }

    fn not_ready(&self) -> String {
        let ready = &self.file.ready;
        let console = ready
            .console
            .as_ref()
            .map(|text| format!("`{text}` on its console"));
        let face = ready
            .face
            .as_ref()
            .map(|face| format!("face {face} accepting connections"));
        let signs: Vec<String> = [console, face].into_iter().flatten().collect();
        let seconds = ready.timeout.as_secs_f64();
        format!("the unit was not ready after {seconds} s: {}", signs.join(", "))
    }

    fn with_output(&self, text: &str) -> String {
        match self.console.last_output() {
            output if output.is_empty() => text.to_owned(),
            output => format!("{text}; its last output: {output}"),
        }
    }

    async fn run_hook(
        &self,
        kind: &'static str,
        hooks: &BTreeMap<String, Hook>,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Value, UnitError> {
        let hook = hooks.get(name).ok_or_else(|| UnitError::UnknownName {
            kind,
            name: name.to_owned(),
        })?;
        let what = format!("{kind} `{name}`");
        self.run_command(&what, &hook.command, hook, arguments).await
    }

    async fn run_command(
        &self,
        what: &str,
        command: &[String],
        hook: &Hook,
        arguments: &Map<String, Value>,
    ) -> Result<Value, UnitError> {
        let values = self.values.with_arguments(arguments);
        let launch = Launch::new(what, command, &self.file, &self.directory, &values)?;
        hook::run(what, hook, &launch).await
    }
}

#[async_trait(?Send)]
impl Unit for ProcessUnit {
    /// Knows `running: <role>` and the states of `prepare` in the unit file; a fresh state folder is committed and has
    /// an empty store.
    async fn prepare(&mut self, state: &Map<String, Value>) -> Result<(), UnitError> {
        let mut role = "current";
        for (name, value) in state {
            match (name.as_str(), value) {
                ("running", Value::String(text)) => role = text,
                ("committed", Value::Bool(true)) => {}
                ("store", Value::String(text)) if text == "empty" => {}
                (name, value) if self.file.prepare.contains_key(name) => self.values.state(name, value),
                _ => return Err(UnitError::NotSupported(format!("prepare `{name}: {value}`"))),
            }
        }
        self.supervisor.kill().await?;
        self.provision(role)
    }

    async fn start(&mut self) -> Result<(), UnitError> {
        self.supervisor.kill().await?;
        if !self.provisioned {
            self.provision("current")?;
        }
        self.listen().await?;
        self.supervisor.record(UnitChange::Started, self.started_with());
        self.supervisor.boot()?;
        self.wait_until_ready().await
    }

    async fn stop(&mut self) -> Result<(), UnitError> {
        self.supervisor.unlink_lines();
        let stop = self.file.stop;
        let facts = self.supervisor.stop(signal(stop.signal), stop.timeout).await?;
        self.supervisor.record(UnitChange::Stopped, facts);
        Ok(())
    }

    async fn cut_power(&mut self) -> Result<(), UnitError> {
        self.supervisor.record(UnitChange::PowerCut, Map::new());
        self.supervisor.unlink_lines();
        self.supervisor.kill().await
    }

    async fn restore_power(&mut self) -> Result<(), UnitError> {
        self.supervisor.kill().await?;
        self.supervisor.record(UnitChange::PowerRestored, Map::new());
        self.supervisor.boot()
    }

    async fn reboot(&mut self) -> Result<(), UnitError> {
        self.supervisor.record(UnitChange::Rebooted, Map::new());
        self.supervisor.unlink_lines();
        let stop = self.file.stop;
        self.supervisor.stop(signal(stop.signal), stop.timeout).await?;
        self.supervisor.boot()
    }

    async fn probe(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        self.run_hook("probe", &self.file.probes, name, arguments).await
    }

    async fn stimulate(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        if name == BUSY && !self.file.stimuli.contains_key(BUSY) {
            let span = span(arguments.get("seconds"))?.unwrap_or_default();
            self.supervisor.hold(span)?;
            return Ok(json!({"seconds": span.as_secs_f64()}));
        }
        if name == CUT_AT_WRITE {
            // Before the hook runs: the unit may write at once.
            let outage = span(arguments.get("seconds"))?;
            self.supervisor.expect_power_cut(Some(outage));
        }
        let value = self
            .run_hook("stimulus", &self.file.stimuli, name, arguments)
            .await
            .inspect_err(|_| self.supervisor.expect_power_cut(None))?;
        Ok(value)
    }

    async fn undo(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let what = format!("undoing stimulus `{name}`");
        match self.file.stimuli.get(name) {
            None if name == BUSY => {
                self.supervisor.hold(Duration::ZERO)?;
                Ok(json!({"seconds": 0}))
            }
            Some(hook) if hook.undo.is_some() => {
                let undo = hook.undo.as_deref().unwrap_or_default();
                self.run_command(&what, undo, hook, arguments).await
            }
            // A clock jumps back by the same command.
            Some(hook) if name == CLOCK_JUMP => {
                let seconds = arguments
                    .get("seconds")
                    .and_then(Value::as_f64)
                    .unwrap_or_default();
                let back = Map::from_iter([("seconds".to_owned(), json!(-seconds))]);
                self.run_command(&what, &hook.command, hook, &back).await
            }
            _ => Err(UnitError::NotSupported(format!("undo stimulus `{name}`"))),
        }
    }
}

/// A time in seconds; null is none.
fn span(seconds: Option<&Value>) -> Result<Outage, UnitError> {
    let Some(seconds) = seconds.filter(|seconds| !seconds.is_null()) else {
        return Ok(None);
    };
    let time = seconds.as_f64().map(Duration::try_from_secs_f64);
    match time {
        Some(Ok(time)) => Ok(Some(time)),
        _ => Err(UnitError::BadArgument {
            name: "seconds".to_owned(),
            problem: format!("{seconds} is no number of seconds"),
        }),
    }
}

fn signal(signal: StopSignal) -> Signal {
    match signal {
        StopSignal::Term => Signal::TERM,
        StopSignal::Int => Signal::INT,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Hup => Signal::HUP,
        StopSignal::Kill => Signal::KILL,
    }
}

/// A stimulus after which the process ends by itself at the write it names, as if power had failed.
const CUT_AT_WRITE: &str = "cut_at_write";
/// A stimulus every process can have: it is stopped and continued.
const BUSY: &str = "busy";
/// A stimulus that undoes itself.
const CLOCK_JUMP: &str = "clock_jump";
const SETTLE: Duration = Duration::from_millis(150);
const FACE_POLL: Duration = Duration::from_millis(50);
