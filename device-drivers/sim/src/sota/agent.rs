//! The client: its state, one command at a time, polling, and where each input goes (reference section 5).

use super::{
    bus::{BUS_TIMER, Bus},
    configuration::Configuration,
    gateways::Gateways,
    kind::SYSTEM_INFO,
    packages,
};
use crate::{Agent, Context, Hardware, Input, RequestId, Setup, TimerId};
use hil_trace::Stamp;
use hil_unit::UnitError;
use hil_wire::{
    digest::sha256_hex,
    sota::{Authentication, ClientCredentials, Command, Dialect, Event, Package},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The software between two boots.
pub(crate) struct SotaAgent {
    pub(super) configuration: Configuration,
    pub(super) dialect: Dialect,
    pub(super) core_url: String,
    pub(super) auth_url: String,
    pub(super) credentials: ClientCredentials,
    pub(super) device: String,
    pub(super) system_info: Option<String>,
    pub(super) token: Option<String>,
    pub(super) gateways: Gateways,
    pub(super) bus: Bus,
    /// Commands that wait, oldest first.
    pub(super) queue: VecDeque<Job>,
    pub(super) running: Option<Running>,
    /// Packages of the updates Core listed.
    pub(super) known: BTreeMap<String, Package>,
    pub(super) authentication: Retry,
    /// A poll waits until the client is idle.
    poll_due: bool,
    /// There is no folder for images.
    pub(super) folder_gone: bool,
}

/// A command and who wants its outcome.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) origin: Origin,
}

/// Who gave a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The client itself.
    Own,
    /// The poll timer.
    Poll,
    /// A caller on the HTTP gateway.
    Http(crate::ExchangeId),
    /// A WebSocket.
    WebSocket(crate::SocketId),
    /// A connection to the commands socket.
    Stream(crate::StreamId),
    /// Whoever types on the console.
    Console(crate::StreamId),
    /// A caller on the bus, who was answered at once.
    Bus,
}

/// The command under way.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) job: Job,
    /// Request under way, to follow redirects.
    pub(super) call: Option<crate::HttpCall>,
    pub(super) hops: u32,
}

/// When the next attempt to authenticate may begin.
#[derive(Debug, Default)]
pub(super) struct Retry {
    pub(super) last: Option<Stamp>,
    pub(super) failures: u32,
}

/// The only request there is at a time.
pub(super) const CALL: RequestId = RequestId(1);
/// The next poll.
pub(super) const POLL_TIMER: TimerId = TimerId(1);
/// The next attempt to authenticate.
pub(super) const AUTH_TIMER: TimerId = TimerId(2);
/// The end of an installation.
pub(super) const INSTALL_TIMER: TimerId = TimerId(3);

impl SotaAgent {
    /// A client that has not begun to run.
    pub(crate) fn new(setup: &Setup, hardware: &Hardware) -> Self {
        let endpoint = |name: &str| setup.endpoints.get(name).trim_end_matches('/').to_owned();
        let configuration = Configuration::load(&hardware.flash);
        let text = setup.ics.get("system_info").and_then(Value::as_str);
        let dialect = match setup.ics.get("dialect").and_then(Value::as_str) {
            Some("serde") => Dialect::Serde,
            _ => Dialect::Rustc,
        };
        SotaAgent {
            dialect,
            core_url: endpoint("core_url"),
            auth_url: endpoint("auth_url"),
            credentials: ClientCredentials {
                client_id: setup.endpoints.get("client_id").to_owned(),
                client_secret: setup.endpoints.get("client_secret").to_owned(),
            },
            device: setup.endpoints.get("device_uuid").to_owned(),
            system_info: configuration
                .system_info
                .then(|| text.unwrap_or(SYSTEM_INFO).to_owned()),
            configuration,
            token: None,
            gateways: Gateways::new(setup.endpoints.get("events_socket")),
            bus: Bus::new(setup),
            queue: VecDeque::new(),
            running: None,
            known: BTreeMap::new(),
            authentication: Retry::default(),
            poll_due: false,
            folder_gone: false,
        }
    }

    /// Whether commands may reach Core.
    pub(super) fn is_authenticated(&self) -> bool {
        !self.configuration.auth || self.token.is_some()
    }

    /// Takes a command; it runs when those before it have ended.
    pub(super) fn enqueue(&mut self, command: Command, origin: Origin, context: &mut Context<'_>) {
        self.queue.push_back(Job { command, origin });
        self.advance(context);
    }

    /// Runs what waits until something takes time.
    pub(super) fn advance(&mut self, context: &mut Context<'_>) {
        while self.running.is_none() {
            let Some(job) = self.queue.pop_front().or_else(|| self.due_poll()) else {
                return;
            };
            self.running = Some(Running {
                job: job.clone(),
                call: None,
                hops: 0,
            });
            if let Some(event) = self.begin(&job.command, context) {
                self.conclude(event, context);
            }
        }
    }

    /// Ends the command under way with its final event.
    pub(super) fn conclude(&mut self, event: Event, context: &mut Context<'_>) {
        let Some(running) = self.running.take() else {
            return;
        };
        self.announce(&event, context);
        self.reply(running.job.origin, &event, context);
        self.react(&running.job.command, &event, context);
        if running.job.origin == Origin::Poll {
            self.plan_poll(context);
        }
    }

    fn due_poll(&mut self) -> Option<Job> {
        std::mem::take(&mut self.poll_due).then_some(Job {
            command: Command::GetUpdateRequests,
            origin: Origin::Poll,
        })
    }

    fn plan_poll(&self, context: &mut Context<'_>) {
        let ordinary = context.setup.seconds("poll_interval", 10.0);
        let interval = match self.configuration.polling_sec {
            Some(seconds) => Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            None => ordinary,
        };
        if self.configuration.polling && interval > Duration::ZERO {
            context.timer(POLL_TIMER, interval);
        }
    }

    fn boot(&mut self, context: &mut Context<'_>) {
        context.console("sota client starts");
        self.gateways.open(context);
        self.open_bus(context);
        self.plan_poll(context);
        self.enqueue(Command::Authenticate(Authentication::None), Origin::Own, context);
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        match timer {
            POLL_TIMER => {
                self.poll_due = true;
                self.advance(context);
            }
            AUTH_TIMER => self.enqueue(Command::Authenticate(Authentication::None), Origin::Own, context),
            INSTALL_TIMER => self.installed(context),
            BUS_TIMER => self.open_bus(context),
            _ => {}
        }
    }
}

impl Agent for SotaAgent {
    fn handle(&mut self, input: Input, context: &mut Context<'_>) {
        match input {
            Input::Boot => self.boot(context),
            Input::Timer(timer) => self.timer(timer, context),
            Input::HttpAnswer {
                request: CALL,
                response,
            } => self.called(Ok(response), context),
            Input::HttpFailed { request: CALL, error } => self.called(Err(error), context),
            other => self.gateway_input(other, context),
        }
    }

    fn version(&self, hardware: &Hardware) -> Option<String> {
        let primary = primary(hardware)?;
        let packages = packages::load(&hardware.flash);
        let package = packages.into_iter().find(|package| package.name == primary);
        package.map(|package| package.version)
    }

    fn probe(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        hardware: &Hardware,
    ) -> Result<Value, UnitError> {
        let word = |name: &str| arguments.get(name).and_then(Value::as_str);
        let flash = &hardware.flash;
        Ok(match name {
            "image" => {
                let file = word("id").and_then(packages::image_file);
                json!(file.and_then(|file| flash.read(&file)).map(sha256_hex))
            }
            "files" => {
                let names = flash.names(packages::FOLDER);
                json!(
                    names
                        .map(|name| name.trim_start_matches(packages::FOLDER))
                        .collect::<Vec<_>>()
                )
            }
            "foreign_files" => {
                let ours = |name: &&str| name.starts_with(packages::FOLDER) || name.starts_with("state/");
                json!(flash.names("").filter(|name| !ours(name)).count())
            }
            "installed" => {
                let name = word("name").map(str::to_owned).or_else(|| primary(hardware));
                let packages = packages::load(flash);
                let found = packages
                    .into_iter()
                    .find(|package| Some(&package.name) == name.as_ref());
                json!(found.map(|package| package.version))
            }
            "installs" => json!(hardware.counted("installs")),
            _ => {
                return Err(UnitError::UnknownName {
                    kind: "probe",
                    name: name.to_owned(),
                });
            }
        })
    }

    fn stimulate(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, UnitError> {
        if name != "images_folder" {
            return Err(UnitError::UnknownName {
                kind: "stimulus",
                name: name.to_owned(),
            });
        }
        let there = arguments.get("there").and_then(Value::as_bool);
        let there = there.ok_or_else(|| UnitError::BadArgument {
            name: "there".to_owned(),
            problem: "true or false is expected".to_owned(),
        })?;
        if !there {
            packages::remove_images(&mut context.hardware.flash);
        }
        self.folder_gone = !there;
        Ok(json!({"there": there}))
    }
}

fn primary(hardware: &Hardware) -> Option<String> {
    let name = hardware.flash.read("state/primary")?;
    Some(String::from_utf8_lossy(name).into_owned())
}
