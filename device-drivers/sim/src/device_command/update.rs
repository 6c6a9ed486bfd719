//! `firmware_update`: fetched into memory, checked as a whole, written to the other slot, tried once, and confirmed by
//! the new image itself, which alone reports `completed` (reference section 4.2).

use super::{
    agent::{DeviceAgent, SELF_TEST_TIMER, WORK, WORK_TIMER},
    boot, defects,
    execution::{Step, Work},
    kind::{SLOT_SIZE, image_of},
    store::{self, BOOT, BootRecord, CommandState, Trial},
};
use crate::{Context, HttpCall, HttpError, Image, Limits, Url};
use hil_wire::{
    device_command::{CommandStatus, CommandType, Parameters, UrlPolicy, status_text},
    digest::{parse_sha256, sha256_hex},
    edge_poll::compare_versions,
    http::Headers,
};
use std::{cmp::Ordering, sync::Arc, time::Duration};

/// The update under way.
#[derive(Clone, Debug)]
pub(super) struct Update {
    url: Option<Url>,
    hops: u32,
    length: Option<usize>,
    receiving: bool,
    bytes: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Download,
    Verify,
    Install,
}

struct Wanted {
    url: String,
    version: String,
    checksum: String,
    auto_restart: bool,
    allow_downgrade: bool,
}

impl DeviceAgent {
    /// Checks what can be checked without the image, then asks for it.
    pub(super) fn begin_update(&mut self, context: &mut Context<'_>) {
        let Some(wanted) = self.wanted() else { return };
        let running = boot::running_version(context.hardware);
        let newer = compare_versions(&wanted.version, &running) == Some(Ordering::Greater);
        if !newer && !wanted.allow_downgrade {
            return self.fail(status_text::VERSION_NOT_NEWER, context);
        }
        let Ok(url) = Url::parse(&wanted.url) else {
            return self.fail(status_text::DOWNLOAD_FAILED, context);
        };
        self.request_image(url, 0, context);
    }

    /// Status and headers of the answer.
    pub(super) fn download_head(&mut self, status: u16, headers: &Headers, context: &mut Context<'_>) {
        let Some(update) = self.update() else { return };
        match status {
            200 => {
                update.length = headers
                    .get("Content-Length")
                    .and_then(|text| text.trim().parse().ok());
                update.receiving = true;
                match update.length {
                    Some(0) => self.give_up(status_text::UPDATE_WRITE_FAILED, context),
                    Some(length) if length > SLOT_SIZE => {
                        self.give_up(status_text::NOT_ENOUGH_SPACE, context)
                    }
                    _ => {}
                }
            }
            301 | 302 | 303 | 307 | 308 => {
                let hops = update.hops + 1;
                let from = update.url.clone();
                let target = headers.get("Location").zip(from.as_ref());
                let target = target.and_then(|(location, from)| from.join(location).ok());
                context.cancel_http(WORK);
                match target {
                    Some(url)
                        if hops <= REDIRECTS && (url.secure || self.url_policy() == UrlPolicy::LabMode) =>
                    {
                        self.request_image(url, hops, context);
                    }
                    _ => self.give_up(status_text::DOWNLOAD_FAILED, context),
                }
            }
            _ => self.give_up(status_text::DOWNLOAD_FAILED, context),
        }
    }

    /// The next bytes of the image.
    pub(super) fn download_chunk(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        let Some(update) = self.update().filter(|update| update.receiving) else {
            return;
        };
        update.bytes.extend_from_slice(bytes);
        if update.bytes.len() > SLOT_SIZE {
            self.give_up(status_text::NOT_ENOUGH_SPACE, context);
        }
    }

    /// The answer ended in order.
    pub(super) fn download_end(&mut self, context: &mut Context<'_>) {
        let Some(update) = self.update().filter(|update| update.receiving) else {
            return;
        };
        update.receiving = false;
        if update.length.is_some_and(|length| update.bytes.len() < length) {
            return self.fail(status_text::UPDATE_INCOMPLETE, context);
        }
        update.stage = Stage::Verify;
        self.announce(Some(status_text::VERIFYING_FIRMWARE), context);
        context.timer(WORK_TIMER, context.setup.seconds("verify", 1.0));
    }

    /// The connection broke, timed out, or never came up.
    pub(super) fn download_broke(&mut self, error: &HttpError, context: &mut Context<'_>) {
        context.console(format!("download failed: {error}"));
        let begun = self.update().is_some_and(|update| update.receiving);
        self.fail(
            if begun {
                status_text::UPDATE_INCOMPLETE
            } else {
                status_text::DOWNLOAD_FAILED
            },
            context,
        );
    }

    /// Checking or writing has taken its time.
    pub(super) fn update_due(&mut self, context: &mut Context<'_>) {
        match self.update().map(|update| update.stage) {
            Some(Stage::Verify) => self.verify(context),
            Some(Stage::Install) => self.install(context),
            _ => {}
        }
    }

    /// Gives the image that runs some time to show that it works.
    pub(super) fn begin_self_test(&mut self, context: &mut Context<'_>) {
        let record: BootRecord = store::load(&context.hardware.flash, BOOT).unwrap_or_default();
        if record.trial.is_some() {
            self.on_trial = true;
            context.timer(SELF_TEST_TIMER, context.setup.seconds("self_test_limit", 120.0));
        }
    }

    /// After a boot: the command of an image on trial, or the end of one that was given up.
    pub(super) fn recover_update(&mut self, context: &mut Context<'_>) -> Option<String> {
        let mut record: BootRecord = store::load(&context.hardware.flash, BOOT).unwrap_or_default();
        if let Some(id) = record.rolled_back.take() {
            let details = status_text::rolled_back_to(&boot::running_version(context.hardware));
            if self.is_executing(&id) && self.outbox.terminal(&id).is_none() {
                self.conclude(&id, CommandStatus::Failed, Some(details), context);
            }
            store::save(&mut context.hardware.flash, BOOT, &record);
        }
        if let Some(trial) = &record.confirmed
            && self.is_executing(&trial.command)
            && self.outbox.terminal(&trial.command).is_none()
        {
            let details = Some(status_text::firmware_updated_to(&trial.version));
            self.conclude(&trial.command.clone(), CommandStatus::Completed, details, context);
        }
        let trial = record.trial?;
        self.begin_self_test(context);
        if !self.is_executing(&trial.command) {
            return None;
        }
        let record = self.commands.get(&trial.command)?;
        let parameters =
            Parameters::parse_with(CommandType::FirmwareUpdate, &record.parameters, self.url_policy())
                .ok()?;
        self.work = Some(Work {
            id: trial.command.clone(),
            parameters,
            announced: Some(status_text::INSTALLING_FIRMWARE.to_owned()),
            step: Step::SelfTest(trial.version),
        });
        // In direct mode nothing else would show that the network works.
        self.announce(Some(status_text::INSTALLING_FIRMWARE), context);
        Some(trial.command)
    }

    /// The image works: it stays, and its command is done.
    pub(super) fn confirm(&mut self, context: &mut Context<'_>) {
        self.on_trial = false;
        context.cancel(SELF_TEST_TIMER);
        let mut record: BootRecord = store::load(&context.hardware.flash, BOOT).unwrap_or_default();
        record.confirmed = record.trial.take();
        store::save(&mut context.hardware.flash, BOOT, &record);
        if let Some(slot) = context.hardware.slots.get_mut(record.active) {
            slot.committed = true;
        }
        context.console("the image is confirmed");
        match self.work.as_ref().map(|work| work.step.clone()) {
            Some(Step::SelfTest(version)) => {
                let details = Some(status_text::firmware_updated_to(&version));
                self.finish(CommandStatus::Completed, details, context);
            }
            _ => self.start_next(context),
        }
    }

    fn request_image(&mut self, url: Url, hops: u32, context: &mut Context<'_>) {
        let Some(work) = &mut self.work else { return };
        let call = HttpCall::new("GET", url.to_string()).streamed().limits(Limits {
            connect: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            total: Some(Duration::from_secs(29 * 60)),
            body: usize::MAX,
        });
        work.step = Step::Updating(Box::new(Update {
            url: Some(url),
            hops,
            length: None,
            receiving: false,
            bytes: Vec::new(),
            stage: Stage::Download,
        }));
        context.http(WORK, call);
    }

    fn verify(&mut self, context: &mut Context<'_>) {
        let (Some(wanted), Some(update)) = (self.wanted(), self.update()) else {
            return;
        };
        let digest = parse_sha256(&wanted.checksum).map(|bytes| {
            bytes
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
        });
        let good = digest.is_ok_and(|digest| digest == sha256_hex(&update.bytes));
        let image = image_of(&update.bytes);
        if !good && !context.setup.has(defects::IMAGE_UNVERIFIED) {
            return self.fail(status_text::CHECKSUM_MISMATCH, context);
        }
        let fits = image.is_some_and(|image| {
            image.form == "firmware" && image.platform == Image::PLATFORM && image.version == wanted.version
        });
        if !fits && !context.setup.has(defects::IMAGE_UNVERIFIED) {
            return self.fail(status_text::UPDATE_WRITE_FAILED, context);
        }
        if let Some(update) = self.update() {
            update.stage = Stage::Install;
        }
        self.announce(Some(status_text::INSTALLING_FIRMWARE), context);
        context.timer(WORK_TIMER, context.setup.seconds("install", 2.0));
    }

    fn install(&mut self, context: &mut Context<'_>) {
        let (Some(wanted), Some(id)) = (self.wanted(), self.work.as_ref().map(|work| work.id.clone())) else {
            return;
        };
        let Some(update) = self.update() else { return };
        let image: Arc<[u8]> = Arc::from(std::mem::take(&mut update.bytes));
        let previous = context.hardware.active_slot;
        let active = 1 - previous.min(1);
        if context.setup.has(defects::MARKED_BEFORE_COMPLETE) {
            let record = BootRecord {
                active,
                ..BootRecord::default()
            };
            store::save(&mut context.hardware.flash, BOOT, &record);
        }
        let _ = context.hardware.erase_slot(active);
        if context.hardware.write_slot(active, image).is_err() {
            return;
        }
        let trial = Trial {
            previous,
            command: id,
            version: wanted.version.clone(),
            booted: false,
        };
        let record = BootRecord {
            active,
            trial: Some(trial),
            rolled_back: None,
            confirmed: None,
        };
        store::save(&mut context.hardware.flash, BOOT, &record);
        if wanted.auto_restart {
            if let Some(work) = &mut self.work {
                work.step = Step::UpdateRestart;
            }
            context.timer(WORK_TIMER, RESTART_DELAY);
        } else {
            let details = Some(status_text::firmware_updated_to(&wanted.version));
            self.finish(CommandStatus::Completed, details, context);
        }
    }

    fn give_up(&mut self, details: &str, context: &mut Context<'_>) {
        context.cancel_http(WORK);
        self.fail(details, context);
    }

    fn is_executing(&self, id: &str) -> bool {
        self.commands
            .get(id)
            .is_some_and(|record| record.state == CommandState::Executing)
    }

    fn update(&mut self) -> Option<&mut Update> {
        match self.work.as_mut().map(|work| &mut work.step) {
            Some(Step::Updating(update)) => Some(update),
            _ => None,
        }
    }

    fn wanted(&self) -> Option<Wanted> {
        match self.work.as_ref().map(|work| work.parameters.clone()) {
            Some(Parameters::FirmwareUpdate {
                firmware_url,
                version,
                checksum,
                auto_restart,
                allow_downgrade,
            }) => Some(Wanted {
                url: firmware_url,
                version,
                checksum,
                auto_restart,
                allow_downgrade,
            }),
            _ => None,
        }
    }
}

const REDIRECTS: u32 = 5;
const RESTART_DELAY: Duration = Duration::from_secs(2);
