//! Commands from the queue to their terminal status: one at a time, by due time (reference sections 3.1, 3.3 and 4).

use super::{
    agent::{DeviceAgent, PROGRESS_TIMER, START_TIMER, WATCHDOG_TIMER, WORK_TIMER},
    defects,
    diagnostics::Testing,
    export::Upload,
    reset::Resetting,
    store::{self, CommandRecord, CommandState, LAST_UPDATE, RESTART, RestartOrder},
    update::Update,
};
use crate::{Context, HttpError};
use hil_wire::{
    device_command::{CommandStatus, CommandType, Parameters, header, status_text},
    http::Response,
};
use std::time::Duration;

/// The command that is being carried out.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// Its id.
    pub(super) id: String,
    /// Its parameters.
    pub(super) parameters: Parameters,
    /// The details announced last.
    pub(super) announced: Option<String>,
    /// What it does now.
    pub(super) step: Step,
}

/// What a command does while it runs.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// `executing` is on its way; the effect comes after it.
    Announcing,
    /// The module was reset.
    Resetting(Resetting),
    /// `completed` is on its way, then the restart.
    RestartAnnounced(u64),
    /// The restart is due at the end of its delay.
    RestartDue,
    /// An image is being fetched, checked or installed.
    Updating(Box<Update>),
    /// The restart into the new image is due.
    UpdateRestart,
    /// The new image tests itself.
    SelfTest(String),
    /// An export is being uploaded.
    Uploading(Box<Upload>),
    /// Endpoints are being tested.
    Testing(Box<Testing>),
    /// Files are being removed.
    Cleaning,
}

impl DeviceAgent {
    /// Starts the command that is due first, if nothing is under way.
    pub(super) fn start_next(&mut self, context: &mut Context<'_>) {
        while self.work.is_none() && !self.silent && !self.on_trial {
            let Some(record) = self.commands.next().cloned() else {
                return;
            };
            let record = match self.commands.iter().last() {
                Some(last) if context.setup.has(defects::SHARED_PARAMETERS) => CommandRecord {
                    parameters: last.parameters.clone(),
                    ..record
                },
                _ => record,
            };
            let now_ms = context.counter_ms();
            if record.due_ms > now_ms {
                context.timer(START_TIMER, Duration::from_millis(record.due_ms - now_ms));
                return;
            }
            match self.may_start(&record, context) {
                Ok(parameters) => self.start(record, parameters, context),
                Err(details) => {
                    context.console(format!("command {} is not started: {details}", record.id));
                    self.conclude(&record.id, CommandStatus::Failed, Some(details), context);
                }
            }
        }
    }

    /// The terminal status of a command: on its way first, then remembered.
    pub(super) fn conclude(
        &mut self,
        id: &str,
        status: CommandStatus,
        details: Option<String>,
        context: &mut Context<'_>,
    ) {
        context.console(format!(
            "command {id}: {} {}",
            status.name(),
            details.as_deref().unwrap_or("")
        ));
        self.report(id, status, details.clone(), context);
        let flash = &mut context.hardware.flash;
        self.commands.change(flash, id, |record| {
            record.state = CommandState::Done;
            record.last = Some((status.name().to_owned(), details));
        });
    }

    /// Ends the work under way.
    pub(super) fn finish(
        &mut self,
        status: CommandStatus,
        details: Option<String>,
        context: &mut Context<'_>,
    ) {
        if let Some(work) = self.work.take() {
            for timer in [WORK_TIMER, PROGRESS_TIMER, WATCHDOG_TIMER] {
                context.cancel(timer);
            }
            self.conclude(&work.id, status, details, context);
        }
        self.start_next(context);
    }

    /// Ends the work under way with `failed`.
    pub(super) fn fail(&mut self, details: &str, context: &mut Context<'_>) {
        self.finish(CommandStatus::Failed, Some(details.to_owned()), context);
    }

    /// Announces what the work under way does now.
    pub(super) fn announce(&mut self, details: Option<&str>, context: &mut Context<'_>) {
        let Some(work) = &mut self.work else { return };
        work.announced = details.map(str::to_owned);
        let id = work.id.clone();
        self.report(&id, CommandStatus::Executing, details.map(str::to_owned), context);
        context.timer(PROGRESS_TIMER, context.setup.seconds("progress", 45.0));
    }

    /// Says again that long work goes on, unless that could not even be said yet.
    pub(super) fn announce_again(&mut self, context: &mut Context<'_>) {
        let Some(work) = &self.work else { return };
        if matches!(work.step, Step::RestartAnnounced(_) | Step::RestartDue) {
            return;
        }
        if self.is_announcing(&work.id) {
            context.timer(PROGRESS_TIMER, context.setup.seconds("progress", 45.0));
        } else {
            let details = work.announced.clone();
            self.announce(details.as_deref(), context);
        }
    }

    /// A status is settled; some work waits for that.
    pub(super) fn status_settled(&mut self, id: &str, context: &mut Context<'_>) {
        let Some(work) = self.work.as_ref().filter(|work| work.id == id) else {
            return;
        };
        match work.step {
            Step::Announcing => self.begin(context),
            Step::RestartAnnounced(_) if !self.outbox.has(id) => self.restart_due(context),
            _ => {}
        }
    }

    /// The work under way has taken its time.
    pub(super) fn work_due(&mut self, context: &mut Context<'_>) {
        let Some(work) = &self.work else { return };
        match &work.step {
            Step::Announcing => self.begin(context),
            Step::Resetting(_) => self.check_module(context),
            Step::RestartAnnounced(_) => self.restart_due(context),
            Step::RestartDue | Step::UpdateRestart => context.reboot(Duration::ZERO),
            Step::Updating(_) => self.update_due(context),
            Step::Uploading(_) => self.upload(context),
            Step::Cleaning => self.clean(context),
            Step::Testing(_) | Step::SelfTest(_) => {}
        }
    }

    /// A request of the work under way has its answer, or none.
    pub(super) fn work_answered(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        match self.work.as_ref().map(|work| &work.step) {
            Some(Step::Uploading(_)) => self.uploaded(result, context),
            Some(Step::Testing(_)) => self.tested(result, context),
            Some(Step::Updating(_)) => {
                if let Err(error) = result {
                    self.download_broke(&error, context);
                }
            }
            _ => {}
        }
    }

    /// Work that never ends is ended.
    pub(super) fn watchdog(&mut self, context: &mut Context<'_>) {
        context.console("the work under way is given up");
        context.cancel_http(super::agent::WORK);
        let details = match self.work.as_ref().map(|work| &work.parameters) {
            Some(Parameters::FirmwareUpdate { .. }) => status_text::UPDATE_INCOMPLETE,
            Some(Parameters::NetworkDiagnostics { .. }) => status_text::DIAGNOSTICS_ABORTED,
            Some(Parameters::DataExport { .. }) => status_text::EXPORT_UPLOAD_FAILED,
            _ => status_text::INTERRUPTED,
        };
        self.fail(details, context);
    }

    /// Goes on after a boot with what was under way.
    pub(super) fn recover(&mut self, context: &mut Context<'_>) {
        self.finish_restart(context);
        self.clear_exports(context);
        let trial = self.recover_update(context);
        let executing: Vec<CommandRecord> = self
            .commands
            .iter()
            .filter(|record| record.state == CommandState::Executing && trial.as_ref() != Some(&record.id))
            .cloned()
            .collect();
        for record in executing {
            let terminal = self.outbox.terminal(&record.id).cloned();
            match terminal {
                // Power failed between the two writes of the end.
                Some(entry) => self
                    .commands
                    .change(&mut context.hardware.flash, &record.id, |record| {
                        record.state = CommandState::Done;
                        record.last = Some((entry.status, entry.details));
                    }),
                None => {
                    let details = Some(status_text::INTERRUPTED.to_owned());
                    self.conclude(&record.id, CommandStatus::Failed, details, context);
                }
            }
        }
    }

    /// Seconds until another firmware update may start.
    pub(super) fn update_wait(&self, context: &mut Context<'_>) -> Option<u64> {
        if context.setup.has(defects::NO_UPDATE_LIMIT) {
            return None;
        }
        let stored: Option<u64> = store::load(&context.hardware.flash, LAST_UPDATE);
        let last = stored.or(context.setup.has(defects::LIMITED_AFTER_BOOT).then_some(0))?;
        let passed = context.counter_ms().saturating_sub(last);
        let interval = header::FIRMWARE_UPDATE_INTERVAL_S * 1_000;
        (passed < interval).then(|| (interval - passed).div_ceil(1_000))
    }

    fn may_start(&self, record: &CommandRecord, context: &mut Context<'_>) -> Result<Parameters, String> {
        let kind = CommandType::from_name(&record.type_name)
            .ok_or_else(|| status_text::UNSUPPORTED_COMMAND_TYPE.to_owned())?;
        if record.expires_ms.is_some_and(|at| at <= context.wall_ms()) {
            return Err(status_text::EXPIRED.to_owned());
        }
        let parameters = Parameters::parse_with(kind, &record.parameters, self.url_policy())
            .map_err(|error| error.failed_details())?;
        if kind == CommandType::FirmwareUpdate && self.update_wait(context).is_some() {
            return Err(status_text::RATE_LIMITED.to_owned());
        }
        Ok(parameters)
    }

    fn start(&mut self, record: CommandRecord, parameters: Parameters, context: &mut Context<'_>) {
        context.console(format!("command {} starts: {}", record.id, record.type_name));
        if matches!(parameters, Parameters::FirmwareUpdate { .. }) {
            let now_ms = context.counter_ms();
            store::save(&mut context.hardware.flash, LAST_UPDATE, &now_ms);
        }
        let flash = &mut context.hardware.flash;
        self.commands
            .change(flash, &record.id, |record| record.state = CommandState::Executing);
        let details = match parameters {
            Parameters::BcgmcuReset { .. } | Parameters::SystemRestart { .. } => None,
            Parameters::FirmwareUpdate { .. } => Some(status_text::DOWNLOADING_FIRMWARE),
            Parameters::DataExport { .. } => Some(status_text::EXPORTING),
            Parameters::NetworkDiagnostics { .. } => Some(status_text::RUNNING_DIAGNOSTICS),
            Parameters::StorageCleanup { .. } => Some(status_text::CLEANING),
        };
        self.work = Some(Work {
            id: record.id,
            parameters,
            announced: None,
            step: Step::Announcing,
        });
        self.announce(details, context);
        context.timer(WORK_TIMER, ANNOUNCE_PATIENCE);
        context.timer(WATCHDOG_TIMER, WATCHDOG_LIMIT);
    }

    /// The effect begins.
    fn begin(&mut self, context: &mut Context<'_>) {
        let Some(work) = &self.work else { return };
        context.cancel(WORK_TIMER);
        context.hardware.count(&format!("executions/{}", work.id));
        match work.parameters.clone() {
            Parameters::BcgmcuReset {
                reset_type,
                preserve_calibration,
                restart_mode,
            } => self.reset_module(reset_type, preserve_calibration, restart_mode, context),
            Parameters::SystemRestart {
                restart_delay,
                preserve_config,
                clear_queues,
            } => {
                let order = RestartOrder {
                    preserve_config,
                    clear_queues,
                };
                store::save(&mut context.hardware.flash, RESTART, &order);
                self.begin_restart(restart_delay, context);
            }
            Parameters::FirmwareUpdate { .. } => self.begin_update(context),
            Parameters::DataExport { .. } => self.begin_export(context),
            Parameters::NetworkDiagnostics { .. } => self.begin_tests(context),
            Parameters::StorageCleanup { .. } => self.begin_cleanup(context),
        }
    }
}

/// The effect waits no longer than this for `executing` to be delivered.
const ANNOUNCE_PATIENCE: Duration = Duration::from_millis(1500);
const WATCHDOG_LIMIT: Duration = Duration::from_secs(30 * 60);
