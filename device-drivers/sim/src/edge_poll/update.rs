//! `update_snap` from the command to its result (reference section 4): resolving the version, and the order of
//! steps. The steps themselves are in [`super::download`] and [`super::install`].

use super::{
    agent::{EdgeAgent, LATEST, WORK_TIMER},
    defects,
    execution::{Outcome, Work, WorkKind},
    pacing,
    store::{self, CommandState, TEMPORARY, UPDATE, UpdateRecord, UpdateStep, report_status},
};
use crate::{Context, HttpError, Limits, Setup, Url};
use hil_wire::{
    digest,
    edge_poll::{LatestAnswer, ReportStatus, StatusReport, compare_versions, error_code},
    http::Response,
    timestamp,
};
use serde_json::{Value, json};
use std::{cmp::Ordering, time::Duration};

/// The update under way: what flash says of it, and what is volatile.
#[derive(Clone, Debug)]
pub(super) struct Update {
    /// What survives; written to flash once the attempt really begins.
    pub(super) record: UpdateRecord,
    /// Whether the record is in flash.
    pub(super) begun: bool,
    /// What the work timer stands for.
    pub(super) waiting: Waiting,
    /// The operator allows an older version.
    allow_downgrade: bool,
    /// The digest the operator expects.
    expected: Option<String>,
    /// Failures in a row of the step under way.
    pub(super) failures: u32,
    /// The transfer under way.
    pub(super) transfer: super::download::Transfer,
}

/// What an update waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The next attempt to resolve the version.
    Resolve,
    /// The next attempt to download.
    Download,
    /// The digest of the stored file.
    Verify,
    /// The installation.
    Apply,
    /// The end of the trial; `true` = healthy.
    Trial(bool),
}

impl EdgeAgent {
    /// Begins with the question which blob the version is.
    pub(super) fn begin_update(
        &mut self,
        id: &str,
        snap_name: String,
        version: String,
        expected: Option<String>,
        allow_downgrade: bool,
        context: &mut Context<'_>,
    ) {
        let previous = store::load_snap(&context.hardware.flash, &snap_name).map(|snap| snap.version);
        self.work = Some(Work {
            id: id.to_owned(),
            kind: WorkKind::Update,
        });
        let update = Update {
            record: UpdateRecord {
                attempt: new_attempt(context),
                command: id.to_owned(),
                snap_name,
                version,
                previous,
                url: String::new(),
                checksum: String::new(),
                size: None,
                etag: None,
                tries: 0,
                step: UpdateStep::Download,
            },
            begun: false,
            waiting: Waiting::Resolve,
            allow_downgrade,
            expected,
            failures: 0,
            transfer: Default::default(),
        };
        let installed = update.record.previous.as_deref() == Some(&update.record.version)
            && !context.setup.has(defects::INSTALLS_AGAIN);
        self.update = Some(update);
        if installed {
            self.conclude_update(ReportStatus::AlreadyInstalled, None, None, context);
        } else {
            self.resolve(context);
        }
    }

    /// Goes on with the step flash names; false if no attempt of this command had begun.
    pub(super) fn resume_update(&mut self, id: &str, context: &mut Context<'_>) -> bool {
        let record: Option<UpdateRecord> = store::load(&context.hardware.flash, UPDATE);
        let Some(record) = record.filter(|record| record.command == id) else {
            return false;
        };
        let step = record.step.clone();
        self.update = Some(Update {
            record,
            begun: true,
            waiting: Waiting::Download,
            allow_downgrade: false,
            expected: None,
            failures: 0,
            transfer: Default::default(),
        });
        match step {
            UpdateStep::Download => self.download(context),
            UpdateStep::Verify => self.begin_verify(context),
            UpdateStep::Apply => self.begin_apply(context),
            UpdateStep::Trial => self.begin_trial(context),
            UpdateStep::Finish {
                report,
                error,
                message,
            } => self.finish_update(report_status(&report), error, message, context),
        }
        true
    }

    /// Removes what an update left behind that is over.
    pub(super) fn clean_up(&mut self, context: &mut Context<'_>) {
        let flash = &mut context.hardware.flash;
        let own = self
            .update
            .as_ref()
            .map(|update| store::part_file(&update.record.attempt));
        let left: Vec<String> = flash
            .names(TEMPORARY)
            .filter(|name| Some(*name) != own.as_deref())
            .map(str::to_owned)
            .collect();
        for name in left {
            let _ = flash.remove(&name);
        }
        if self.update.is_none() {
            let _ = flash.remove(UPDATE);
        }
    }

    /// Whether the version is not resolved yet, so that the command may still be rejected.
    pub(super) fn is_resolving(&self) -> bool {
        self.update.as_ref().is_some_and(|update| !update.begun)
    }

    /// The step under way has taken its time.
    pub(super) fn update_due(&mut self, context: &mut Context<'_>) {
        match self.update.as_ref().map(|update| update.waiting) {
            Some(Waiting::Resolve) => self.resolve(context),
            Some(Waiting::Download) => self.download(context),
            Some(Waiting::Verify) => self.verify(context),
            Some(Waiting::Apply) => self.apply(context),
            Some(Waiting::Trial(healthy)) => self.end_trial(healthy, context),
            None => {}
        }
    }

    /// Asks for the blob of the version.
    pub(super) fn resolve(&mut self, context: &mut Context<'_>) {
        let Some(update) = &mut self.update else { return };
        update.waiting = Waiting::Resolve;
        let record = &update.record;
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let mut path = format!(
            "/api/v1/snaps/latest?snap_name={}&version={}&arch=amd64",
            encode(&record.snap_name),
            encode(&record.version)
        );
        if let Some(current) = &record.previous {
            path += &format!("&current_version={}", encode(current));
        }
        let wait = self.held(self.base.as_ref(), Duration::ZERO, context.now());
        if !wait.is_zero() {
            context.timer(WORK_TIMER, wait);
            return;
        }
        let call = self.api("GET", &path.replace("%2D", "-").replace("%2E", "."), context);
        context.http(
            LATEST,
            call.limits(Limits {
                idle: Duration::from_secs(20),
                total: Some(Duration::from_secs(60)),
                body: 64 * 1024,
                ..Limits::default()
            }),
        );
    }

    /// The cloud said which blob it is, or did not.
    pub(super) fn resolved(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        if let Ok(response) = &result {
            self.note_answer(response, context);
        }
        let unavailable = |message: &str| Some((error_code::VERSION_UNAVAILABLE, message.to_owned()));
        let failure = match &result {
            Ok(response) if response.status == 200 => match LatestAnswer::decode(&response.body).value {
                Some(answer) => {
                    self.decide(answer, context);
                    return;
                }
                None => unavailable("the answer about the version is malformed"),
            },
            Ok(response) if matches!(response.status, 401 | 403) => None,
            Ok(response) if pacing::is_retryable(response.status) => self.give_up(&format!(
                "the version cannot be resolved: status {}",
                response.status
            )),
            Ok(response) => unavailable(&format!("the version is not offered: status {}", response.status)),
            Err(error) => self.give_up(&format!("the version cannot be resolved: {error}")),
        };
        match failure {
            Some((code, message)) => self.fail_update(code, message, context),
            None => self.retry_update(Waiting::Resolve, context),
        }
    }

    /// Waits, longer after each failure, and tries the step again.
    pub(super) fn retry_update(&mut self, waiting: Waiting, context: &mut Context<'_>) {
        let interval = self.interval();
        let Some(update) = &mut self.update else { return };
        update.waiting = waiting;
        update.failures += 1;
        let gap = pacing::backoff(interval, update.failures, context.rng);
        context.timer(WORK_TIMER, gap);
    }

    /// Writes the record with its next step.
    pub(super) fn save_update(&mut self, step: UpdateStep, context: &mut Context<'_>) {
        if let Some(update) = &mut self.update {
            update.record.step = step;
            update.begun = true;
            store::save(&mut context.hardware.flash, UPDATE, &update.record);
        }
    }

    /// Reports a state that is not the last one.
    pub(super) fn report_progress(&mut self, status: ReportStatus, context: &mut Context<'_>) {
        if let Some(body) = self.report_body(status, None, None, context) {
            self.send_report(body, false, context);
        }
    }

    /// Ends the attempt without the new version.
    pub(super) fn fail_update(&mut self, code: &str, message: impl Into<String>, context: &mut Context<'_>) {
        self.conclude_update(
            ReportStatus::Failure,
            Some(code.to_owned()),
            Some(message.into()),
            context,
        );
    }

    /// Stores the result, so that a power loss cannot undo it, and finishes.
    pub(super) fn conclude_update(
        &mut self,
        status: ReportStatus,
        error: Option<String>,
        message: Option<String>,
        context: &mut Context<'_>,
    ) {
        if self.update.as_ref().is_some_and(|update| update.begun) {
            self.save_update(
                UpdateStep::Finish {
                    report: status.name().to_owned(),
                    error: error.clone(),
                    message: message.clone(),
                },
                context,
            );
        }
        self.finish_update(status, error, message, context);
    }

    /// Terminal report, then terminal acknowledgement, then the update is forgotten.
    fn finish_update(
        &mut self,
        status: ReportStatus,
        error: Option<String>,
        message: Option<String>,
        context: &mut Context<'_>,
    ) {
        if let Some(body) = self.report_body(status, error.as_deref(), message.as_deref(), context)
            && !self.is_report_waiting(&body)
        {
            self.send_report(body, true, context);
        }
        let Some(update) = self.update.take() else { return };
        let record = update.record;
        let part = store::part_file(&record.attempt);
        let _ = context.hardware.flash.remove(&part);
        let outcome = match error {
            None => Outcome::completed(json!({
                "from_version": record.previous,
                "to_version": record.version,
                "already_installed": status == ReportStatus::AlreadyInstalled,
            })),
            Some(code) => Outcome::failed(&code, message.unwrap_or_default()),
        };
        let open = self
            .commands
            .get(&record.command)
            .filter(|command| command.state != CommandState::Done)
            .cloned();
        if let Some(command) = open {
            self.conclude(command, outcome, context);
        }
        let _ = context.hardware.flash.remove(UPDATE);
        self.start_next(context);
    }

    fn decide(&mut self, answer: LatestAnswer, context: &mut Context<'_>) {
        let lab = self.is_lab() || context.setup.has(defects::PLAIN_DOWNLOADS);
        let Some(update) = &mut self.update else { return };
        update.failures = 0;
        let record = &mut update.record;
        let refused = match check(
            &answer,
            update.allow_downgrade,
            update.expected.as_deref(),
            record,
            lab,
            context.setup,
        ) {
            Err(refusal) => Some(refusal),
            Ok(()) if update.begun => None,
            Ok(()) => answer
                .size
                .filter(|size| size.saturating_mul(2) > context.hardware.flash.free())
                .map(|size| Refusal {
                    code: error_code::NO_SPACE,
                    rejected: false,
                    message: format!("{size} bytes cannot be stored twice"),
                }),
        };
        record.version = answer.version;
        record.url = answer.download_url;
        record.checksum = answer.checksum.unwrap_or_default();
        record.size = answer.size;
        match refused {
            Some(refusal) if refusal.rejected && !update.begun => {
                let id = record.command.clone();
                self.update = None;
                self.finish(&id, Outcome::rejected(refusal.code, refusal.message), context);
            }
            Some(refusal) => self.fail_update(refusal.code, refusal.message, context),
            None => {
                let renewed = update.begun;
                self.save_update(UpdateStep::Download, context);
                if !renewed {
                    self.report_progress(ReportStatus::Downloading, context);
                }
                self.download(context);
            }
        }
    }

    fn give_up(&self, message: &str) -> Option<(&'static str, String)> {
        let failures = self.update.as_ref().map_or(0, |update| update.failures);
        (failures + 1 >= RESOLVE_TRIES).then(|| (error_code::DOWNLOAD_FAILED, message.to_owned()))
    }

    fn report_body(
        &self,
        status: ReportStatus,
        error: Option<&str>,
        message: Option<&str>,
        context: &Context<'_>,
    ) -> Option<Value> {
        let record = &self.update.as_ref()?.record;
        let mut report = StatusReport::new(&record.snap_name, &record.version, status, &record.attempt);
        report.previous_version = record.previous.clone();
        report.command_id = Some(record.command.clone());
        report.error_code = error.map(str::to_owned);
        report.message = message.map(|m| m.chars().take(MESSAGE_LIMIT).collect());
        report.timestamp = Some(timestamp::format_millis(context.wall_ms()));
        serde_json::to_value(report).ok()
    }
}

struct Refusal {
    code: &'static str,
    rejected: bool,
    message: String,
}

/// Whether what the cloud offers may be fetched: the right version, not older, a usable digest, a usable URL.
fn check(
    answer: &LatestAnswer,
    allow_downgrade: bool,
    expected: Option<&str>,
    record: &UpdateRecord,
    lab: bool,
    setup: &Setup,
) -> Result<(), Refusal> {
    let failed = |code, message: &str| Refusal {
        code,
        rejected: false,
        message: message.to_owned(),
    };
    let other_snap = answer
        .snap_name
        .as_ref()
        .is_some_and(|name| *name != record.snap_name);
    let other_version = answer.version != record.version && !setup.has(defects::TAKES_ANY_VERSION);
    if other_version || other_snap {
        return Err(failed(
            error_code::VERSION_UNAVAILABLE,
            "another version is offered",
        ));
    }
    let older =
        record
            .previous
            .as_deref()
            .is_some_and(|running| match setup.has(defects::VERSIONS_AS_TEXT) {
                true => record.version.as_str() < running,
                false => compare_versions(&record.version, running) == Some(Ordering::Less),
            });
    if older && !allow_downgrade && answer.allow_downgrade != Some(true) {
        return Err(Refusal {
            code: error_code::DOWNGRADE_REFUSED,
            rejected: true,
            message: "the version is older than the one that runs".to_owned(),
        });
    }
    let digest = answer
        .checksum
        .as_deref()
        .and_then(|text| digest::parse_sha256(text).ok());
    if digest.is_none() && !setup.has(defects::CHECKSUM_OPTIONAL) {
        return Err(failed(
            error_code::CHECKSUM_UNSUPPORTED,
            "there is no usable checksum",
        ));
    }
    if expected.is_some_and(|text| digest::parse_sha256(text).ok() != digest) {
        return Err(failed(
            error_code::CHECKSUM_MISMATCH,
            "the offered digest is not the expected one",
        ));
    }
    match Url::parse(&answer.download_url) {
        Ok(url) if url.secure || lab => Ok(()),
        _ => Err(failed(
            error_code::DOWNLOAD_FAILED,
            "the download URL cannot be used",
        )),
    }
}

fn new_attempt(context: &mut Context<'_>) -> String {
    let next = store::load::<u64>(&context.hardware.flash, ATTEMPTS).unwrap_or(0) + 1;
    store::save(&mut context.hardware.flash, ATTEMPTS, &next);
    format!("att_{:08x}_{next}", context.setup.seed as u32)
}

const ATTEMPTS: &str = "state/attempts";
const RESOLVE_TRIES: u32 = 5;
const MESSAGE_LIMIT: usize = 1024;
