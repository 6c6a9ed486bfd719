//! Verifying, applying, trial and rollback of a fetched snap (reference section 4, steps 4 to 9).

use super::{
    agent::{EdgeAgent, WORK_TIMER},
    defects,
    store::{self, InstalledSnap, UpdateStep},
    update::Waiting,
};
use crate::{Behaviour, Context, Image};
use hil_wire::{
    digest,
    edge_poll::{ReportStatus, error_code},
};
use sha2::{Digest, Sha256};
use std::time::Duration;

impl EdgeAgent {
    /// The blob is complete: size and digest of the stored file come next.
    pub(super) fn begin_verify(&mut self, context: &mut Context<'_>) {
        self.save_update(UpdateStep::Verify, context);
        self.report_progress(ReportStatus::Verifying, context);
        self.wait(Waiting::Verify, "verify", 1.0, context);
    }

    /// Judges the stored file.
    pub(super) fn verify(&mut self, context: &mut Context<'_>) {
        let Some(update) = &self.update else { return };
        let file = store::part_file(&update.record.attempt);
        let bytes = context.hardware.flash.read(&file).unwrap_or_default();
        let size_differs = update.record.size.is_some_and(|size| size != bytes.len() as u64);
        let digest = digest::parse_sha256(&update.record.checksum);
        let digest_differs = digest
            .as_ref()
            .is_ok_and(|digest| digest[..] != Sha256::digest(bytes)[..]);
        let unsupported = digest.is_err() && !context.setup.has(defects::CHECKSUM_OPTIONAL);
        if context.setup.has(defects::NOTHING_VERIFIED) {
            self.begin_apply(context);
        } else if size_differs {
            self.fail_update(
                error_code::SIZE_MISMATCH,
                "the stored file has another size",
                context,
            );
        } else if context.setup.has(defects::CHECKSUM_UNVERIFIED) {
            self.begin_apply(context);
        } else if unsupported {
            self.fail_update(
                error_code::CHECKSUM_UNSUPPORTED,
                "there is no usable checksum",
                context,
            );
        } else if digest_differs {
            self.fail_update(
                error_code::CHECKSUM_MISMATCH,
                "the stored file has another digest",
                context,
            );
        } else {
            self.begin_apply(context);
        }
    }

    /// Install pending: from here on the stored file is what gets installed.
    pub(super) fn begin_apply(&mut self, context: &mut Context<'_>) {
        self.save_update(UpdateStep::Apply, context);
        self.report_progress(ReportStatus::Installing, context);
        self.wait(Waiting::Apply, "install", 2.0, context);
    }

    /// Puts the new version in place; the step can be repeated after a power loss.
    pub(super) fn apply(&mut self, context: &mut Context<'_>) {
        let Some(update) = &self.update else { return };
        let record = update.record.clone();
        let flash = &mut context.hardware.flash;
        let part = store::part_file(&record.attempt);
        let blob = store::blob_file(&record.snap_name, &record.version);
        let image = flash
            .read(&part)
            .or_else(|| flash.read(&blob))
            .and_then(Image::parse);
        if image.is_some_and(|image| image.platform != Image::PLATFORM) {
            self.fail_update(
                error_code::INSTALL_FAILED,
                "the snap is for another platform",
                context,
            );
            return;
        }
        // Power may fail at each of these writes; the file that says what runs is the one that decides.
        if flash.rename(&part, &blob).is_err() {
            return;
        }
        let snap = InstalledSnap {
            version: record.version.clone(),
            previous: record.previous.clone(),
            trial: Some(record.attempt.clone()),
        };
        if store::load_snap(flash, &record.snap_name).as_ref() != Some(&snap) {
            store::save_snap(flash, &record.snap_name, &snap);
            context.hardware.count(&format!("installs/{}", record.snap_name));
            context.hardware.count(&format!("executions/{}", record.command));
        }
        context.console(format!("{} {} is in place", record.snap_name, record.version));
        self.save_update(UpdateStep::Trial, context);
        if record.snap_name == self.primary {
            self.report_progress(ReportStatus::Rebooting, context);
            self.restart_soon(context);
        } else {
            self.begin_trial(context);
        }
    }

    /// The new version runs; its health decides.
    pub(super) fn begin_trial(&mut self, context: &mut Context<'_>) {
        let Some(update) = &self.update else { return };
        let record = &update.record;
        // A power loss may have come between the end of an earlier trial and the record of its result.
        match store::load_snap(&context.hardware.flash, &record.snap_name) {
            Some(snap) if snap.version == record.version && snap.trial.is_some() => {}
            Some(snap) if snap.version == record.version => {
                self.conclude_update(ReportStatus::Success, None, None, context);
                return;
            }
            _ => {
                self.conclude_rollback(context);
                return;
            }
        }
        let blob = store::blob_file(&record.snap_name, &record.version);
        let image = context.hardware.flash.read(&blob).and_then(Image::parse);
        let behaviour = image.map_or(Behaviour::Healthy, |image| image.behaviour);
        self.silent = record.snap_name == self.primary && behaviour != Behaviour::Healthy;
        match behaviour {
            Behaviour::Healthy => self.wait(Waiting::Trial(true), "health_check", 5.0, context),
            Behaviour::Crash => self.wait(Waiting::Trial(false), "crash", 2.0, context),
            Behaviour::Hang | Behaviour::Mute => {
                self.wait(Waiting::Trial(false), "health_limit", 100.0, context);
            }
        }
    }

    /// Commits the new version, or goes back.
    pub(super) fn end_trial(&mut self, healthy: bool, context: &mut Context<'_>) {
        let Some(update) = &self.update else { return };
        let record = update.record.clone();
        if healthy {
            let committed = InstalledSnap {
                version: record.version.clone(),
                previous: record.previous.clone(),
                trial: None,
            };
            store::save_snap(&mut context.hardware.flash, &record.snap_name, &committed);
            self.conclude_update(ReportStatus::Success, None, None, context);
            return;
        }
        context.console(format!("{} {} is not healthy", record.snap_name, record.version));
        if !context.setup.has(defects::NO_ROLLBACK) {
            self.go_back(
                &record.snap_name,
                &record.version,
                record.previous.as_deref(),
                context,
            );
        }
        if self.silent {
            // The old version tells the cloud once it runs again.
            self.save_update(
                UpdateStep::Finish {
                    report: ReportStatus::RolledBack.name().to_owned(),
                    error: Some(error_code::ROLLED_BACK.to_owned()),
                    message: Some(UNHEALTHY.to_owned()),
                },
                context,
            );
            context.reboot(Duration::ZERO);
        } else {
            self.conclude_rollback(context);
        }
    }

    fn conclude_rollback(&mut self, context: &mut Context<'_>) {
        let (code, message) = (error_code::ROLLED_BACK.to_owned(), UNHEALTHY.to_owned());
        self.conclude_update(ReportStatus::RolledBack, Some(code), Some(message), context);
    }

    fn go_back(&mut self, snap_name: &str, version: &str, previous: Option<&str>, context: &mut Context<'_>) {
        let flash = &mut context.hardware.flash;
        match previous {
            Some(previous) => {
                let snap = InstalledSnap {
                    version: previous.to_owned(),
                    previous: None,
                    trial: None,
                };
                store::save_snap(flash, snap_name, &snap);
            }
            None => {
                let _ = flash.remove(&format!("state/snap/{snap_name}"));
            }
        }
        let _ = flash.remove(&store::blob_file(snap_name, version));
    }

    fn wait(&mut self, waiting: Waiting, name: &str, default: f64, context: &mut Context<'_>) {
        if let Some(update) = &mut self.update {
            update.waiting = waiting;
            context.timer(WORK_TIMER, context.setup.seconds(name, default));
        }
    }
}

const UNHEALTHY: &str = "the new version is not healthy";
