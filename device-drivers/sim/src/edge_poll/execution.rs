//! Commands from the poll to their result: known or new, refused or started, one at a time, in list order
//! (reference sections 3.1 and 4).

use super::{
    agent::{EdgeAgent, PROGRESS_TIMER, WORK_TIMER},
    defects,
    store::{CommandRecord, CommandState, Settled},
};
use crate::Context;
use hil_wire::{
    edge_poll::{
        Ack, AckStatus, Command, CommandItem, CommandList, Entry, Subnet, error_code, header, parse_payload,
    },
    timestamp,
};
use serde_json::{Map, Value, json};

/// A command that was received and not started.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    id: String,
    /// `None` if what was listed is no valid item.
    item: Option<CommandItem>,
}

/// The command that is being carried out.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// Its id.
    pub(super) id: String,
    /// What it does.
    pub(super) kind: WorkKind,
}

/// What a command does while it runs.
#[derive(Clone, Debug)]
pub(super) enum WorkKind {
    /// Waits for a service to become active.
    Restart {
        /// Which service.
        service: String,
        /// It will not become active in time.
        hopeless: bool,
    },
    /// Restarts the unit, since the service is the agent's own.
    OwnRestart,
    /// Probes addresses.
    Discovery {
        /// Which ones.
        subnet: Subnet,
    },
    /// Updates a snap; see [`super::update`].
    Update,
}

/// The result of a command.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    status: AckStatus,
    error_code: Option<String>,
    message: Option<String>,
    details: Option<Map<String, Value>>,
}

impl Outcome {
    /// The effect is in place.
    pub(super) fn completed(details: Value) -> Self {
        Outcome {
            status: AckStatus::Completed,
            error_code: None,
            message: None,
            details: details.as_object().cloned(),
        }
    }

    /// Started without success.
    pub(super) fn failed(code: &str, message: impl Into<String>) -> Self {
        Outcome {
            status: AckStatus::Failed,
            error_code: Some(code.to_owned()),
            message: Some(message.into()),
            details: None,
        }
    }

    /// Not started.
    pub(super) fn rejected(code: &str, message: impl Into<String>) -> Self {
        Outcome {
            status: AckStatus::Rejected,
            ..Outcome::failed(code, message)
        }
    }

    /// Adds details.
    pub(super) fn with_details(mut self, details: Value) -> Self {
        self.details = details.as_object().cloned();
        self
    }
}

impl EdgeAgent {
    /// Takes over the list of a poll: new commands are queued, known ones are acknowledged again where that helps.
    pub(super) fn accept(&mut self, list: CommandList, context: &mut Context<'_>) {
        for entry in list.entries.into_iter().take(header::POLL_ITEM_LIMIT as usize) {
            let Some(id) = entry.id().map(str::to_owned) else {
                context.console("an item without a usable id is ignored");
                continue;
            };
            let waiting = self.queue.iter().any(|queued| queued.id == id)
                || self.work.as_ref().is_some_and(|work| work.id == id);
            if waiting || self.is_known(&id, context) {
                continue;
            }
            let item = match entry {
                Entry::Item(item) => Some(item),
                Entry::Malformed(_) => None,
            };
            self.queue.push_back(Queued { id, item });
        }
        self.start_next(context);
    }

    /// Starts commands until one takes time.
    pub(super) fn start_next(&mut self, context: &mut Context<'_>) {
        while self.work.is_none() && !self.restarting && !self.silent {
            let Some(queued) = self.queue.pop_front() else {
                return;
            };
            let command = self.admit(&queued, context);
            let (name, payload) = match &queued.item {
                Some(item) => (item.command.as_str(), Value::Object(item.payload.clone())),
                None => ("", Value::Null),
            };
            let record = CommandRecord::running(&queued.id, name, payload);
            match command {
                Ok(command) => {
                    self.commands.put(&mut context.hardware.flash, record);
                    context.console(format!("command {} starts: {name}", queued.id));
                    context.timer(PROGRESS_TIMER, self.interval());
                    self.carry_out(&queued.id, command, context);
                }
                Err(outcome) => self.conclude(record, *outcome, context),
            }
        }
    }

    /// Starts a command that was admitted.
    pub(super) fn carry_out(&mut self, id: &str, command: Command, context: &mut Context<'_>) {
        match command {
            Command::UpdateSnap {
                snap_name,
                version,
                checksum,
                allow_downgrade,
            } => self.begin_update(id, snap_name, version, checksum, allow_downgrade, context),
            Command::RestartService { service } => self.restart_service(id, service, context),
            Command::RunDiscovery { subnet } => self.discover(id, subnet, context),
            Command::ConfigUpdate(update) => self.configure(id, &update, context),
            // Not admitted.
            Command::Unknown { .. } => {}
        }
    }

    /// The result of a started command; the next one may start.
    pub(super) fn finish(&mut self, id: &str, outcome: Outcome, context: &mut Context<'_>) {
        if let Some(record) = self.commands.get(id).cloned() {
            self.conclude(record, outcome, context);
        }
        self.start_next(context);
    }

    /// The work under way has taken its time.
    pub(super) fn work_due(&mut self, context: &mut Context<'_>) {
        let Some(work) = self.work.clone() else { return };
        match work.kind {
            WorkKind::Restart { service, hopeless } => self.restarted(&work.id, &service, hopeless, context),
            WorkKind::Discovery { subnet } => self.discovered(&work.id, subnet, context),
            WorkKind::Update => self.update_due(context),
            WorkKind::OwnRestart => self.announced(&work.id, context),
        }
    }

    /// Tells the cloud that the command takes longer.
    pub(super) fn announce(&mut self, context: &mut Context<'_>) {
        let Some(work) = &self.work else { return };
        let id = work.id.clone();
        if matches!(work.kind, WorkKind::Update) && self.is_resolving() {
            // It may still be rejected, which is not possible after `in_progress`.
            context.timer(PROGRESS_TIMER, self.interval() / 4);
            return;
        }
        let flash = &mut context.hardware.flash;
        self.commands.change(flash, &id, |record| record.announced = true);
        let body = self.body(
            Outcome {
                status: AckStatus::InProgress,
                error_code: None,
                message: None,
                details: None,
            },
            context,
        );
        self.send_ack(&id, body, false, context);
    }

    /// Goes on after a boot with what was under way.
    pub(super) fn recover(&mut self, context: &mut Context<'_>) {
        self.recover_outbox(context);
        let open: Vec<CommandRecord> = self
            .commands
            .iter()
            .filter(|record| record.state != CommandState::Done)
            .cloned()
            .collect();
        for record in open {
            context.console(format!("command {} goes on after the restart", record.id));
            self.resume(record, context);
        }
        self.clean_up(context);
    }

    fn resume(&mut self, record: CommandRecord, context: &mut Context<'_>) {
        let id = record.id.clone();
        let interrupted = Outcome::failed(error_code::INTERRUPTED, "the unit lost its power");
        match parse_payload(&record.command, &record.payload) {
            Ok(Command::RestartService { service }) if record.state == CommandState::Restarting => {
                let details = self.active_details(&service, context);
                self.conclude(record, Outcome::completed(details), context);
            }
            Ok(Command::ConfigUpdate(_)) if self.configuration.by.as_deref() == Some(&id) => {
                let details = json!({"changed": self.configuration.changed});
                self.conclude(record, Outcome::completed(details), context);
            }
            Ok(command @ Command::UpdateSnap { .. }) => {
                self.work = Some(Work {
                    id: id.clone(),
                    kind: WorkKind::Update,
                });
                if !record.announced {
                    context.timer(PROGRESS_TIMER, self.interval());
                }
                if !self.resume_update(&id, context) {
                    self.carry_out(&id, command, context);
                }
            }
            _ => self.conclude(record, interrupted, context),
        }
    }

    /// Decides whether a command may start, without doing anything.
    fn admit(&self, queued: &Queued, context: &Context<'_>) -> Result<Command, Box<Outcome>> {
        let refuse = |code, message: &str| Err(Box::new(Outcome::rejected(code, message)));
        let Some(item) = &queued.item else {
            return refuse(error_code::INVALID_PAYLOAD, "the item is malformed");
        };
        let now = self.cloud_now(context);
        if item.expires_at_millis().is_some_and(|at| at <= now) {
            return refuse(error_code::EXPIRED, "the command has expired");
        }
        let size = serde_json::to_vec(&item.payload).map_or(0, |bytes| bytes.len());
        if size > header::PAYLOAD_LIMIT {
            return refuse(error_code::INVALID_PAYLOAD, "the payload is too large");
        }
        let command = match item.parse_payload() {
            Ok(command) => command,
            Err(error) => return refuse(error.error_code(), &error.to_string()),
        };
        match &command {
            Command::Unknown { .. } => refuse(
                error_code::UNSUPPORTED_COMMAND,
                "the type of the command is not known",
            ),
            Command::RestartService { service } if !context.hardware.services.contains_key(service) => {
                refuse(error_code::UNKNOWN_SERVICE, "there is no such service")
            }
            Command::RunDiscovery { .. } if !self.discovery_enabled() => {
                refuse(error_code::UNSUPPORTED_COMMAND, "discovery is switched off")
            }
            Command::ConfigUpdate(update) => match self.unfit_keys(update) {
                keys if keys.is_empty() => Ok(command),
                keys => {
                    let outcome = Outcome::rejected(error_code::INVALID_CONFIG, "keys that cannot be set");
                    Err(Box::new(outcome.with_details(json!({"keys": keys}))))
                }
            },
            _ => Ok(command),
        }
    }

    /// Whether a listed command was carried out or refused before; its result is sent again where the cloud lacks
    /// it.
    fn is_known(&mut self, id: &str, context: &mut Context<'_>) -> bool {
        let Some(record) = self.commands.get(id) else {
            return false;
        };
        if record.state != CommandState::Done {
            return true;
        }
        if context.setup.has(defects::NO_DUPLICATE_DETECTION) {
            return false;
        }
        let sent = self.outbox.has_ack(id) || self.polling.settled_meanwhile.contains(id);
        if record.settled != Some(Settled::Dropped) && !sent {
            let body = record.ack.clone().unwrap_or_default();
            self.send_ack(id, body, true, context);
        }
        true
    }

    /// Stores a result, then hands its acknowledgement over.
    pub(super) fn conclude(
        &mut self,
        mut record: CommandRecord,
        mut outcome: Outcome,
        context: &mut Context<'_>,
    ) {
        if record.announced && outcome.status == AckStatus::Rejected {
            outcome.status = AckStatus::Failed;
        }
        let id = record.id.clone();
        context.console(format!("command {id}: {}", outcome.status.name()));
        let body = self.body(outcome, context);
        record.state = CommandState::Done;
        record.ack = Some(body.clone());
        let wanted = record.settled != Some(Settled::Dropped);
        if context.setup.has(defects::ACKS_NOT_PERSISTED) {
            record.settled = Some(Settled::Dropped);
        }
        self.commands.put(&mut context.hardware.flash, record);
        if self.work.as_ref().is_some_and(|work| work.id == id) {
            self.work = None;
            context.cancel(WORK_TIMER);
        }
        if self.work.is_none() {
            context.cancel(PROGRESS_TIMER);
        }
        if wanted {
            self.send_ack(&id, body, true, context);
        }
    }

    fn body(&self, outcome: Outcome, context: &Context<'_>) -> Value {
        let ack = Ack {
            status: outcome.status,
            error_code: outcome.error_code,
            message: outcome
                .message
                .map(|m| m.chars().take(header::MESSAGE_LIMIT).collect()),
            details: outcome.details,
            timestamp: Some(timestamp::format_millis(context.wall_ms())),
        };
        serde_json::to_value(ack).unwrap_or_default()
    }
}
