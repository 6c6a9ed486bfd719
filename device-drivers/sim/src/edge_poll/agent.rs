//! The appliance's agent: its state, and where each input goes.

use super::{
    execution::{Queued, Work},
    outbox::Outbox,
    polling::Polling,
    probe,
    store::{self, Commands, Configuration},
    update::Update,
};
use crate::{Agent, Context, Hardware, HttpCall, Input, RequestId, Setup, TimerId, Url};
use hil_trace::Stamp;
use hil_unit::UnitError;
use hil_wire::edge_poll::header;
use hil_wire::http::{Headers, Response};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The agent between two boots.
pub(crate) struct EdgeAgent {
    /// Where the cloud is; `None` if what was given is no URL.
    pub(super) base: Option<Url>,
    /// The interval it was given at first.
    pub(super) default_interval: Duration,
    /// The snap this agent is in, also the name of its own service.
    pub(super) primary: String,
    /// Commands it knows.
    pub(super) commands: Commands,
    /// Its configuration.
    pub(super) configuration: Configuration,
    /// The rhythm of polling.
    pub(super) polling: Polling,
    /// Acknowledgements and reports on their way.
    pub(super) outbox: Outbox,
    /// Commands received and not started.
    pub(super) queue: VecDeque<Queued>,
    /// What is being carried out.
    pub(super) work: Option<Work>,
    /// The update under way.
    pub(super) update: Option<Update>,
    /// Before when an origin must not be asked again.
    pub(super) not_before: BTreeMap<(bool, String, u16), Stamp>,
    /// Cloud time in Unix milliseconds at a stamp, from the last `Date`.
    pub(super) cloud_time: Option<(i64, Stamp)>,
    /// It restarts as soon as nothing is on its way.
    pub(super) restarting: bool,
    /// The software does not work: it neither polls nor sends.
    pub(super) silent: bool,
}

/// About what a remembered thing takes.
const ENTRY: usize = 256;
/// Timer of the next poll.
pub(super) const POLL_TIMER: TimerId = TimerId(1);
/// Timer of the next attempt to deliver.
pub(super) const OUTBOX_TIMER: TimerId = TimerId(2);
/// Timer of the work under way.
pub(super) const WORK_TIMER: TimerId = TimerId(3);
/// Timer after which work under way is announced.
pub(super) const PROGRESS_TIMER: TimerId = TimerId(4);
/// Timer after which a restart waits no longer.
pub(super) const RESTART_TIMER: TimerId = TimerId(5);
/// Timer after which a configuration that leads nowhere is taken back.
pub(super) const CONFIGURATION_TIMER: TimerId = TimerId(6);
/// The poll.
pub(super) const POLL: RequestId = RequestId(1);
/// The delivery of an acknowledgement or report.
pub(super) const DELIVERY: RequestId = RequestId(2);
/// The question which snap to fetch.
pub(super) const LATEST: RequestId = RequestId(3);
/// The download.
pub(super) const DOWNLOAD: RequestId = RequestId(4);

impl EdgeAgent {
    /// An agent with what flash says; it does nothing before `Input::Boot`.
    pub(crate) fn new(setup: &Setup, hardware: &Hardware) -> Self {
        let flash = &hardware.flash;
        let primary = flash
            .read(store::PRIMARY)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .unwrap_or_else(|| super::kind::PRIMARY.to_owned());
        EdgeAgent {
            base: Url::parse(setup.endpoints.get("base_url")).ok(),
            default_interval: setup
                .seconds("poll_interval", 30.0)
                .max(Duration::from_millis(100)),
            primary,
            commands: Commands::load(flash),
            configuration: store::load(flash, store::CONFIGURATION).unwrap_or_default(),
            polling: Polling::default(),
            outbox: Outbox::default(),
            queue: VecDeque::new(),
            work: None,
            update: None,
            not_before: BTreeMap::new(),
            cloud_time: None,
            restarting: false,
            silent: false,
        }
    }

    /// The poll interval in force: the last hint, else the configuration, else the default.
    pub(super) fn interval(&self) -> Duration {
        let configured = self
            .configuration
            .values
            .get("poll_interval_s")
            .and_then(Value::as_u64)
            .map(Duration::from_secs);
        self.polling.hint.or(configured).unwrap_or(self.default_interval)
    }

    /// Bytes of memory in use: those of the agent and of what it has to remember, about.
    pub(super) fn memory(&self) -> usize {
        let remembered = [
            self.commands.len() * ENTRY,
            self.queue.len() * size_of::<Queued>(),
            self.outbox.len() * ENTRY,
            self.polling.settled_meanwhile.len() * ENTRY,
            self.not_before.len() * ENTRY,
            self.configuration.values.len() * ENTRY,
        ];
        size_of::<Self>() + remembered.iter().sum::<usize>()
    }

    /// Plain transport is allowed.
    pub(super) fn is_lab(&self) -> bool {
        self.base.as_ref().is_some_and(|base| !base.secure)
    }

    /// A request to the API, with the key.
    pub(super) fn api(&self, method: &str, path: &str, context: &Context<'_>) -> HttpCall {
        let base = self.base.as_ref().map(Url::to_string).unwrap_or_default();
        HttpCall::new(method, format!("{}{path}", base.trim_end_matches('/')))
            .header(header::DEVICE_KEY, device_key(context))
    }

    /// Whether a URL belongs to the API's own origin.
    pub(super) fn is_own_origin(&self, url: &Url) -> bool {
        self.base
            .as_ref()
            .is_some_and(|base| base.origin() == url.origin())
    }

    /// Notes what every answer of the API tells: the time, and when to come back.
    pub(super) fn note_headers(
        &mut self,
        status: u16,
        headers: &Headers,
        origin: &Url,
        context: &Context<'_>,
    ) {
        if self.is_own_origin(origin)
            && let Some(date) = headers.get("Date").and_then(hil_wire::timestamp::parse_http_date)
        {
            self.cloud_time = Some((date, context.now()));
        }
        if matches!(status, 429 | 503)
            && let Some(wait) = super::pacing::retry_after(headers, context.wall_ms())
        {
            self.not_before.insert(origin.origin(), context.now() + wait);
        }
    }

    /// As [`EdgeAgent::note_headers`] for the API's origin.
    pub(super) fn note_answer(&mut self, response: &Response, context: &Context<'_>) {
        if let Some(base) = self.base.clone() {
            self.note_headers(response.status, &response.headers, &base, context);
        }
    }

    /// A delay, made longer if the origin must not be asked that soon.
    pub(super) fn held(&self, url: Option<&Url>, delay: Duration, now: Stamp) -> Duration {
        let until = url.and_then(|url| self.not_before.get(&url.origin()));
        until.map_or(delay, |until| delay.max(until.since(now)))
    }

    /// The cloud's time as far as known, else the unit's own, in Unix milliseconds.
    pub(super) fn cloud_now(&self, context: &Context<'_>) -> i64 {
        match self.cloud_time {
            Some((date, at)) => date + context.now().since(at).as_millis() as i64,
            None => context.wall_ms(),
        }
    }

    /// Restarts the unit once nothing is on its way any more, or after a while.
    pub(super) fn restart_soon(&mut self, context: &mut Context<'_>) {
        self.restarting = true;
        context.cancel(POLL_TIMER);
        context.timer(RESTART_TIMER, RESTART_PATIENCE);
        self.restart_if_idle(context);
    }

    /// Restarts now if that was wanted and nothing is on its way.
    pub(super) fn restart_if_idle(&mut self, context: &mut Context<'_>) {
        if self.restarting && !self.polling.is_in_flight() && self.outbox.is_quiet() {
            context.reboot(Duration::ZERO);
        }
    }

    fn boot(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        for service in context.hardware.services.values_mut() {
            service.active_since = (!service.broken).then_some(now);
        }
        let version = self.version(context.hardware).unwrap_or_default();
        context.console(format!(
            "edge agent {version} starts, boot {}",
            context.hardware.boots
        ));
        self.use_api_url(context);
        self.recover(context);
        if !self.silent {
            self.begin_polling(context);
        }
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        match timer {
            POLL_TIMER => self.poll(context),
            OUTBOX_TIMER => self.deliver(context),
            WORK_TIMER => self.work_due(context),
            PROGRESS_TIMER => self.announce(context),
            CONFIGURATION_TIMER => self.undo_configuration(context),
            RESTART_TIMER if self.restarting => context.reboot(Duration::ZERO),
            _ => {}
        }
    }
}

impl Agent for EdgeAgent {
    fn handle(&mut self, input: Input, context: &mut Context<'_>) {
        match input {
            Input::Boot => self.boot(context),
            Input::Timer(timer) => self.timer(timer, context),
            Input::HttpAnswer { request, response } => match request {
                POLL => self.polled(Ok(response), context),
                DELIVERY => self.delivered(Ok(response), context),
                LATEST => self.resolved(Ok(response), context),
                _ => {}
            },
            Input::HttpFailed { request, error } => match request {
                POLL => self.polled(Err(error), context),
                DELIVERY => self.delivered(Err(error), context),
                LATEST => self.resolved(Err(error), context),
                DOWNLOAD => self.download_broke(&error.to_string(), context),
                _ => {}
            },
            Input::HttpHead {
                request: DOWNLOAD,
                status,
                headers,
            } => self.download_head(status, &headers, context),
            Input::HttpChunk {
                request: DOWNLOAD,
                bytes,
            } => self.download_chunk(&bytes, context),
            Input::HttpEnd { request: DOWNLOAD } => self.download_end(context),
            _ => {}
        }
    }

    fn version(&self, hardware: &Hardware) -> Option<String> {
        store::load_snap(&hardware.flash, &self.primary).map(|snap| snap.version)
    }

    fn probe(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        hardware: &Hardware,
    ) -> Result<Value, UnitError> {
        probe::answer(self, name, arguments, hardware)
    }

    fn stimulate(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, UnitError> {
        match (name, arguments.get("key").and_then(Value::as_str)) {
            ("device_key", Some(key)) => {
                let written = context.hardware.flash.replace(store::KEY, key.as_bytes());
                written.map_err(|error| UnitError::Dead(error.to_string()))?;
                Ok(json!({"length": key.len()}))
            }
            ("device_key", None) => Err(UnitError::BadArgument {
                name: "key".into(),
                problem: "a text is expected".into(),
            }),
            _ => Err(UnitError::UnknownName {
                kind: "stimulus",
                name: name.to_owned(),
            }),
        }
    }
}

fn device_key(context: &Context<'_>) -> String {
    match context.hardware.flash.read(store::KEY) {
        Some(key) => String::from_utf8_lossy(key).into_owned(),
        None => context.setup.endpoints.get("device_key").to_owned(),
    }
}

const RESTART_PATIENCE: Duration = Duration::from_secs(10);
