//! What follows from each event (reference section 5).

use super::{
    agent::{AUTH_TIMER, Origin, SotaAgent},
    packages,
};
use crate::Context;
use hil_wire::sota::{Command, Event, ResultCode, UpdateReport, UpdateRequest, UpdateRequestStatus};
use std::time::Duration;

impl SotaAgent {
    /// Queues what an event brings about.
    pub(super) fn react(&mut self, command: &Command, event: &Event, context: &mut Context<'_>) {
        let manages = self.configuration.package_manager;
        match event {
            Event::Authenticated => {
                self.authentication.failures = 0;
                if manages {
                    self.send_packages(context);
                }
                if self.system_info.is_some() {
                    self.follow(Command::SendSystemInfo);
                }
            }
            Event::NotAuthenticated => {
                self.token = None;
                self.authenticate_again(command, context);
            }
            Event::Error(_) if matches!(command, Command::Authenticate(_)) => {
                self.authenticate_again(command, context);
            }
            Event::UpdatesReceived(updates) => {
                for update in updates {
                    self.known
                        .insert(update.request_id.clone(), update.package_id.clone());
                    self.react_to_update(update, context);
                }
            }
            Event::DownloadComplete(download) if manages => {
                self.follow(Command::StartInstall(download.update_id.clone()));
            }
            Event::DownloadFailed(id, reason) => {
                let report = UpdateReport::single(id, ResultCode::GENERAL_ERROR, reason);
                self.follow(Command::SendUpdateReport(report));
            }
            Event::InstallComplete(report) | Event::InstallFailed(report) => {
                self.follow(Command::SendUpdateReport(report.clone()));
            }
            Event::UpdateReportSent | Event::InstallReportSent(_) if manages => self.send_packages(context),
            _ => {}
        }
    }

    fn react_to_update(&mut self, update: &UpdateRequest, context: &Context<'_>) {
        let id = update.request_id.clone();
        let manages = self.configuration.package_manager;
        match update.status {
            UpdateRequestStatus::Pending if self.configuration.auto_download => {
                self.follow(Command::StartDownload(id));
            }
            UpdateRequestStatus::InFlight if manages => {
                let installed = packages::load(&context.hardware.flash);
                self.follow(match installed.contains(&update.package_id) {
                    true => Command::SendUpdateReport(UpdateReport::single(id, ResultCode::OK, "")),
                    false => Command::StartDownload(id),
                });
            }
            _ => {}
        }
    }

    /// Tries to get a token soon, but never in a tight loop.
    fn authenticate_again(&mut self, command: &Command, context: &mut Context<'_>) {
        if matches!(command, Command::Authenticate(_)) {
            self.authentication.failures += 1;
        }
        let factor = 1 << self.authentication.failures.saturating_sub(1).min(4);
        let pause = (SHORTEST * factor).min(LONGEST);
        let since = self.authentication.last.map(|last| context.now().since(last));
        let wait = since.map_or(Duration::ZERO, |since| pause.saturating_sub(since));
        context.timer(AUTH_TIMER, wait);
    }

    fn send_packages(&mut self, context: &Context<'_>) {
        let packages = packages::load(&context.hardware.flash);
        self.follow(Command::SendInstalledPackages(packages));
    }

    fn follow(&mut self, command: Command) {
        self.queue.push_back(super::agent::Job {
            command,
            origin: Origin::Own,
        });
    }
}

/// Between two attempts to authenticate.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);
