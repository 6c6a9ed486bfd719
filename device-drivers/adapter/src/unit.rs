//! A unit behind an adapter.

use crate::{Hello, Request, life::Life, notice::facts, session::Session};
use async_trait::async_trait;
use hil_process::{Launch, Values, clear, configuration, name_certificates, write_certificates};
use hil_unit::{
    Surroundings, Unit, UnitError, UnitFile,
    trace::{ClockKind, ConsoleStream, UnitChange},
};
use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

/// One adapter with the unit it drives, for one instance. Dropping it kills the adapter.
pub(crate) struct AdapterUnit {
    file: UnitFile,
    directory: PathBuf,
    state_directory: PathBuf,
    surroundings: Surroundings,
    values: Values,
    launch: Launch,
    life: Rc<Life>,
    adapter: Option<(Session, Hello)>,
    provisioned: bool,
    /// Whether it was started, and neither stopped nor cut off since.
    runs: bool,
}

impl AdapterUnit {
    /// A unit whose adapter is not started yet.
    pub(crate) fn new(
        file: UnitFile,
        directory: PathBuf,
        launch: Launch,
        surroundings: Surroundings,
    ) -> Result<Self, UnitError> {
        let cannot = |what: &str| UnitError::NotSupported(what.to_owned());
        if surroundings.clock.kind() != ClockKind::Real {
            return Err(cannot("run an adapter in virtual time"));
        }
        let folder = surroundings.state_directory.clone();
        let folder = folder.ok_or_else(|| cannot("run an adapter without a state folder"))?;
        let state_directory = std::path::absolute(&folder)
            .map_err(|error| UnitError::Lab(format!("the state folder is nowhere: {error}")))?;
        let mut values = Values::gather(&file, &directory, &state_directory, &surroundings);
        values.running("current", &file, &directory);
        name_certificates(&state_directory, &surroundings.endpoints, &mut values);
        Ok(AdapterUnit {
            life: Rc::new(Life::new(surroundings.recorder.clone())),
            file,
            directory,
            state_directory,
            surroundings,
            values,
            launch,
            adapter: None,
            provisioned: false,
            runs: false,
        })
    }

    /// Starts the adapter if it does not run, and has it introduce itself.
    async fn meet(&mut self) -> Result<(), UnitError> {
        if self.adapter.is_none() {
            let mut session = Session::start(&self.launch, self.life.clone())?;
            let hello = introduce(&mut session, &self.file).await?;
            self.adapter = Some((session, hello));
        }
        Ok(())
    }

    async fn ask(&mut self, request: Request, arguments: Value) -> Result<Value, UnitError> {
        self.meet().await?;
        let limit = limit(&self.file, request);
        match &mut self.adapter {
            Some((session, hello)) if hello.implements(request) => {
                session.ask(request, &arguments, limit).await
            }
            _ => Err(UnitError::NotImplemented(request.name().to_owned())),
        }
    }

    fn hello(&self) -> Option<&Hello> {
        self.adapter.as_ref().map(|(_, hello)| hello)
    }

    /// The software of the unit begins to run; an adapter that tells that by itself knows better when.
    fn booted(&self) {
        if !self.hello().is_some_and(Hello::tells_boots) {
            self.life.change(UnitChange::Booted, Map::new());
        }
    }

    async fn provision(&mut self, role: &str, states: &Map<String, Value>) -> Result<(), UnitError> {
        if role != "current" && !self.file.artifacts.contains_key(role) {
            return Err(UnitError::BadArgument {
                name: "running".to_owned(),
                problem: format!("the unit file has no image of role `{role}`"),
            });
        }
        self.values.running(role, &self.file, &self.directory);
        clear(&self.state_directory, &self.surroundings.faces)?;
        write_certificates(&self.state_directory, &self.surroundings.endpoints)?;
        let templates = &self.file.templates;
        configuration(templates, &self.directory, &self.state_directory, &self.values)?;
        let values = self.values.environment();
        let values: Map<String, Value> = values.map(|(name, value)| (name, value.into())).collect();
        let arguments = json!({"running": role, "prepare": states, "values": values});
        self.ask(Request::Provision, arguments).await?;
        self.provisioned = true;
        Ok(())
    }
}

/// Asks an adapter who it is.
pub(crate) async fn introduce(session: &mut Session, file: &UnitFile) -> Result<Hello, UnitError> {
    let arguments = json!({
        "protocol": crate::hello::PROTOCOL, "unit": file.name, "speaks": file.protocol.name(),
    });
    let result = session
        .ask(Request::Hello, &arguments, limit(file, Request::Hello))
        .await
        .map_err(|error| match error {
            UnitError::NotImplemented(_) => {
                UnitError::Lab("the adapter does not implement `hello`".to_owned())
            }
            other => other,
        })?;
    Hello::read(&result).map_err(|error| UnitError::Lab(format!("the adapter cannot be used: {error}")))
}

fn limit(file: &UnitFile, request: Request) -> Duration {
    let given = file.timeouts.get(request.name()).copied();
    given.unwrap_or_else(|| request.usual_limit())
}

#[async_trait(?Send)]
impl Unit for AdapterUnit {
    /// Knows `running: <role>` and the states of `prepare` in the unit file, like a process.
    async fn prepare(&mut self, state: &Map<String, Value>) -> Result<(), UnitError> {
        let mut role = "current";
        let mut states = self.file.prepare.clone();
        for (name, value) in state {
            match (name.as_str(), value) {
                ("running", Value::String(text)) => role = text,
                ("committed", Value::Bool(true)) => {}
                ("store", Value::String(text)) if text == "empty" => {}
                (name, value) if self.file.prepare.contains_key(name) => {
                    self.values.state(name, value);
                    states.insert(name.to_owned(), value.clone());
                }
                _ => return Err(UnitError::NotSupported(format!("prepare `{name}: {value}`"))),
            }
        }
        self.provision(role, &states).await
    }

    async fn start(&mut self) -> Result<(), UnitError> {
        if !self.provisioned {
            let states = self.file.prepare.clone();
            self.provision("current", &states).await?;
        }
        self.life.change(UnitChange::Started, Map::new());
        self.runs = true;
        self.booted();
        self.ask(Request::Start, json!({})).await.map(drop)
    }

    async fn stop(&mut self) -> Result<(), UnitError> {
        self.runs = false;
        let told = self.ask(Request::Stop, json!({})).await?;
        let told = told.as_object().cloned().unwrap_or_default();
        let facts = facts(&told, &["status", "signal", "forced"]);
        self.life.change(UnitChange::Stopped, facts);
        Ok(())
    }

    async fn cut_power(&mut self) -> Result<(), UnitError> {
        self.runs = false;
        self.life.change(UnitChange::PowerCut, Map::new());
        self.ask(Request::PowerCut, json!({})).await.map(drop)
    }

    /// `start` gives power back.
    async fn restore_power(&mut self) -> Result<(), UnitError> {
        self.runs = true;
        self.life.change(UnitChange::PowerRestored, Map::new());
        self.booted();
        self.ask(Request::Start, json!({})).await.map(drop)
    }

    async fn reboot(&mut self) -> Result<(), UnitError> {
        self.life.change(UnitChange::Rebooted, Map::new());
        self.ask(Request::Reboot, json!({})).await?;
        self.booted();
        Ok(())
    }

    async fn probe(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        self.meet().await?;
        match self.hello().and_then(|hello| hello.probe(name)) {
            Some(Request::Version) => self.ask(Request::Version, json!(arguments)).await,
            Some(Request::BootState) => {
                let state = self.ask(Request::BootState, json!({})).await?;
                state.get(name).cloned().ok_or_else(|| {
                    UnitError::Lab(format!(
                        "the adapter answered `boot_state` without `{name}`: {state}"
                    ))
                })
            }
            Some(request) => {
                let result = self
                    .ask(request, json!({"name": name, "arguments": arguments}))
                    .await;
                named(result, "probe", name)
            }
            None => Err(UnitError::NotImplemented(format!("probe `{name}`"))),
        }
    }

    async fn stimulate(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        self.apply(name, arguments, false).await
    }

    async fn undo(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let undoable = self
            .hello()
            .is_some_and(|hello| hello.all_undoable().contains(name));
        match undoable {
            true => self.apply(name, arguments, true).await,
            false => Err(UnitError::NotSupported(format!("undo stimulus `{name}`"))),
        }
    }

    async fn last_words(&mut self) -> Result<(), UnitError> {
        let alive = self
            .adapter
            .as_ref()
            .is_some_and(|(session, hello)| session.is_whole() && hello.implements(Request::ReadLog));
        // What is off has nothing to say, and an adapter may say so in any way.
        if !alive || !self.runs {
            return Ok(());
        }
        let told = match self.ask(Request::ReadLog, json!({})).await {
            Ok(told) => told,
            Err(UnitError::NotImplemented(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let text = told.get("text").unwrap_or(&told).as_str().ok_or_else(|| {
            UnitError::Lab("the adapter answered `read_log` with something else than text".to_owned())
        })?;
        self.life.output(ConsoleStream::Serial, text.as_bytes());
        Ok(())
    }

    async fn put_away(&mut self) -> Result<(), UnitError> {
        let stopped = match &self.adapter {
            Some((session, _)) if session.is_whole() => self.stop().await,
            _ => Ok(()),
        };
        if let Some((session, _)) = &mut self.adapter {
            session.end().await;
        }
        stopped
    }
}

impl AdapterUnit {
    async fn apply(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
        undo: bool,
    ) -> Result<Value, UnitError> {
        self.meet().await?;
        let request = self.hello().and_then(|hello| hello.stimulus(name));
        let asked = match request {
            Some(Request::SetClock) => clock(name, arguments, undo),
            Some(Request::FillStorage) => {
                let bytes = arguments.get("bytes").filter(|_| !undo).unwrap_or(&Value::Null);
                json!({"free": bytes})
            }
            Some(_) => json!({"name": name, "arguments": arguments, "undo": undo}),
            None => return Err(UnitError::NotImplemented(format!("stimulus `{name}`"))),
        };
        let request = request.unwrap_or(Request::Stimulate);
        named(self.ask(request, asked).await, "stimulus", name)
    }
}

/// What `set_clock` is asked: `by` seconds from what it is, `to` a time, or null for the right time.
fn clock(name: &str, arguments: &Map<String, Value>, undo: bool) -> Value {
    let seconds = arguments
        .get("seconds")
        .and_then(Value::as_f64)
        .unwrap_or_default();
    match (name, undo) {
        ("clock_jump", false) => json!({"by": seconds}),
        ("clock_jump", true) => json!({"by": -seconds}),
        (_, false) => json!({"to": "1970-01-01T00:00:00Z"}),
        (_, true) => json!({"to": null}),
    }
}

/// Says which of its names a request was about.
fn named(result: Result<Value, UnitError>, kind: &str, name: &str) -> Result<Value, UnitError> {
    result.map_err(|error| match error {
        UnitError::NotImplemented(_) => UnitError::NotImplemented(format!("{kind} `{name}`")),
        other => other,
    })
}

/// The command that starts the adapter of a unit file: it knows where the file stands, and is told the rest later.
pub(crate) fn launch(file: &UnitFile, directory: &Path) -> Result<Launch, UnitError> {
    let mut values = Values::default();
    values.set("unit_dir", directory.display().to_string());
    values.set("unit_name", &file.name);
    Launch::new("command", &file.command, file, directory, &values)
}
