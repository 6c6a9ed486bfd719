//! The unit's agent: its state, and where each input goes.

use super::{
    alert::Alerts, certificate::PendingKey, connection::Connection, outbox::Outbox, store::Store, update::Run,
};
use crate::{Agent, Context, Hardware, Input, RequestId, Setup, TimerId};
use hil_trace::Stamp;
use hil_unit::UnitError;
use hil_wire::{aos::Dialect, timestamp::format_micros};
use rand::RngCore;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// The agent between two boots.
pub(crate) struct AosAgent {
    /// What is in flash.
    pub(super) store: Store,
    /// Who sends what.
    pub(super) dialect: Dialect,
    /// Id of the unit.
    pub(super) system_id: String,
    /// Discovery and WebSocket.
    pub(super) connection: Connection,
    /// Messages on their way.
    pub(super) outbox: Outbox,
    /// Transactions of the cloud that were handled, oldest first.
    pub(super) handled: VecDeque<String>,
    /// The update run under way.
    pub(super) run: Option<Run>,
    /// Items whose state changed since the last report.
    pub(super) changed_items: BTreeSet<(String, String)>,
    /// Other parts that changed since the last report.
    pub(super) changed_parts: BTreeSet<&'static str>,
    /// A delta is due at some time.
    pub(super) delta_planned: bool,
    /// Alerts that wait, and what raises them.
    pub(super) alerts: Alerts,
    /// Certificate requests without an answer, by type and node.
    pub(super) keys: BTreeMap<(String, String), PendingKey>,
    /// Nodes whose provisioning began.
    pub(super) provisioning: BTreeSet<String>,
    /// Lines of the node's journal: Unix microseconds and text.
    pub(super) journal: VecDeque<(i64, String)>,
    /// The journal cannot be read.
    pub(super) journal_broken: bool,
    /// When certificates were renewed last.
    pub(super) renewed: Option<Stamp>,
}

/// The next attempt to connect.
pub(super) const CONNECT_TIMER: TimerId = TimerId(1);
/// The next message that must be sent again.
pub(super) const OUTBOX_TIMER: TimerId = TimerId(2);
/// The next delta.
pub(super) const STATUS_TIMER: TimerId = TimerId(3);
/// The next monitoringData.
pub(super) const MONITORING_TIMER: TimerId = TimerId(4);
/// The next alerts.
pub(super) const ALERT_TIMER: TimerId = TimerId(5);
/// The next step of the update run.
pub(super) const WORK_TIMER: TimerId = TimerId(6);
/// The end of the next variable.
pub(super) const VARIABLE_TIMER: TimerId = TimerId(7);
/// The next look at the age of certificates.
pub(super) const CERTIFICATE_TIMER: TimerId = TimerId(8);
/// Quota of the processor.
pub(super) const CPU_TIMER: TimerId = TimerId(9);
/// Quota of the memory.
pub(super) const RAM_TIMER: TimerId = TimerId(10);
/// The next ping.
pub(super) const PING_TIMER: TimerId = TimerId(11);
/// Service discovery.
pub(super) const DISCOVERY: RequestId = RequestId(1);
/// The download of a blob.
pub(super) const DOWNLOAD: RequestId = RequestId(2);

impl AosAgent {
    /// An agent with what flash says; it does nothing before `Input::Boot`.
    pub(crate) fn new(setup: &Setup, hardware: &Hardware) -> Self {
        let publisher = setup.ics.get("dialect").and_then(Value::as_str) == Some("publisher");
        AosAgent {
            store: Store::load(&hardware.flash),
            dialect: if publisher {
                Dialect::Publisher
            } else {
                Dialect::Seed
            },
            system_id: setup.endpoints.get("system_id").to_owned(),
            connection: Connection::default(),
            outbox: Outbox::default(),
            handled: VecDeque::new(),
            run: None,
            changed_items: BTreeSet::new(),
            changed_parts: BTreeSet::new(),
            delta_planned: false,
            alerts: Alerts::default(),
            keys: BTreeMap::new(),
            provisioning: BTreeSet::new(),
            journal: VecDeque::new(),
            journal_broken: false,
            renewed: None,
        }
    }

    /// Keeps what must outlive a power cut.
    pub(super) fn save(&self, context: &mut Context<'_>) {
        self.store.save(&mut context.hardware.flash);
    }

    /// Writes a line to the journal.
    pub(super) fn journal(&mut self, text: impl Into<String>, context: &Context<'_>) {
        if self.journal.len() >= JOURNAL_LINES {
            self.journal.pop_front();
        }
        self.journal.push_back((context.wall_us(), text.into()));
    }

    fn boot(&mut self, context: &mut Context<'_>) {
        context.console(format!(
            "unit {} starts, boot {}",
            self.system_id, context.hardware.boots
        ));
        self.journal(format!("boot {}", context.hardware.boots), context);
        let period = context.setup.seconds("monitoring_period", 60.0);
        context.timer(MONITORING_TIMER, period);
        context.timer(CERTIFICATE_TIMER, Duration::from_secs(1));
        self.drop_old_variables(context);
        self.connect(context);
        self.resume(context);
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        match timer {
            CONNECT_TIMER => self.connect(context),
            OUTBOX_TIMER => self.outbox_due(context),
            STATUS_TIMER => self.delta_due(context),
            MONITORING_TIMER => self.monitoring_due(context),
            ALERT_TIMER => self.alerts_due(context),
            WORK_TIMER => self.work_due(context),
            VARIABLE_TIMER => self.drop_old_variables(context),
            CERTIFICATE_TIMER => self.certificates_due(context),
            CPU_TIMER => self.quota_due("cpu", context),
            RAM_TIMER => self.quota_due("ram", context),
            PING_TIMER => self.ping_due(context),
            _ => {}
        }
    }
}

impl Agent for AosAgent {
    fn handle(&mut self, input: Input, context: &mut Context<'_>) {
        match input {
            Input::Boot => self.boot(context),
            Input::Timer(timer) => self.timer(timer, context),
            Input::HttpAnswer {
                request: DISCOVERY,
                response,
            } => self.discovered(Ok(response), context),
            Input::HttpFailed {
                request: DISCOVERY,
                error,
            } => self.discovered(Err(error), context),
            Input::HttpHead {
                request: DOWNLOAD,
                status,
                headers,
            } => self.download_head(status, &headers, context),
            Input::HttpChunk {
                request: DOWNLOAD,
                bytes,
            } => self.download_chunk(&bytes),
            Input::HttpEnd { request: DOWNLOAD } => self.download_end(context),
            Input::HttpFailed {
                request: DOWNLOAD,
                error,
            } => self.download_broke(&error.to_string(), context),
            Input::WsOpened { socket, .. } => self.opened(socket, context),
            Input::WsFrame { socket, frame } => self.frame(socket, frame, context),
            Input::WsClosed { socket } => self.closed(socket, None, context),
            Input::WsFailed { socket, error } => self.closed(socket, Some(error), context),
            _ => {}
        }
    }

    fn version(&self, _: &Hardware) -> Option<String> {
        let built_in = self.store.items.iter().find(|item| item.built_in);
        built_in.map(|item| item.version.clone())
    }

    fn probe(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        hardware: &Hardware,
    ) -> Result<Value, UnitError> {
        self.answer_probe(name, arguments, hardware)
    }

    fn stimulate(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, UnitError> {
        let result = self.stimulated(name, arguments, context)?;
        self.save(context);
        Ok(result)
    }
}

/// A fresh UUID of version 4.
pub(super) fn uuid(context: &mut Context<'_>) -> String {
    let mut bytes = [0; 16];
    context.rng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The unit's own time as messages write it.
pub(super) fn timestamp(context: &Context<'_>) -> String {
    format_micros(context.wall_us())
}

/// An `errorInfo`.
pub(super) fn error_info(code: i64, message: &str) -> Value {
    let message: String = message.chars().take(64).collect();
    json!({"aosCode": code, "exitCode": 0, "message": message})
}

/// The node everything runs on.
pub(super) const MAIN_NODE: &str = "main-node";
/// The node that can be provisioned.
pub(super) const SECOND_NODE: &str = "second-node";

const JOURNAL_LINES: usize = 400;
