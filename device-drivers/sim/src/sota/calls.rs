//! What each command does, and what answers of the authentication server and Core make of it (reference sections 1.3
//! and 4).

use super::{
    agent::{CALL, INSTALL_TIMER, SotaAgent},
    defects::UNGATED,
    packages,
};
use crate::{Context, HttpCall, HttpError, Limits, Url};
use hil_wire::{
    http::Response,
    sota::{
        Command, Dialect, DownloadComplete, Event, UpdateReport,
        core::{
            Call, GRANT_BODY, TokenAnswer, basic, bearer, decode_update_list, encode_packages, encode_results,
        },
    },
};
use std::time::Duration;

impl SotaAgent {
    /// Begins a command; an event if it has ended at once.
    pub(super) fn begin(&mut self, command: &Command, context: &mut Context<'_>) -> Option<Event> {
        let gated = !matches!(command, Command::Authenticate(_) | Command::Shutdown);
        if gated && !self.is_authenticated() && !context.setup.has(UNGATED) {
            return Some(Event::NotAuthenticated);
        }
        let manages = self.configuration.package_manager;
        match command {
            Command::Authenticate(_) => self.authenticate(context),
            Command::Shutdown => {
                context.console("shutting down");
                context.exit(0);
                None
            }
            Command::GetUpdateRequests => {
                let call = Call::Updates {
                    device: self.device.clone(),
                };
                self.ask(&call, String::new(), context)
            }
            Command::ListInstalledPackages if manages => Some(Event::FoundInstalledPackages(packages::load(
                &context.hardware.flash,
            ))),
            Command::ListInstalledPackages if self.dialect == Dialect::Serde => Some(no_package_manager()),
            Command::ListInstalledPackages => Some(Event::FoundInstalledPackages(Vec::new())),
            Command::ListSystemInfo => Some(match &self.system_info {
                Some(text) => Event::FoundSystemInfo(text.clone()),
                None => no_system_info(),
            }),
            Command::StartDownload(id) => {
                if packages::image_file(id).is_none() {
                    return Some(Event::DownloadFailed(
                        id.clone(),
                        "the id cannot name a file".into(),
                    ));
                }
                self.announce(&Event::DownloadingUpdate(id.clone()), context);
                let call = Call::Download {
                    device: self.device.clone(),
                    update: id.clone(),
                };
                self.ask(&call, String::new(), context)
            }
            Command::StartInstall(_) if !manages => Some(no_package_manager()),
            Command::StartInstall(id) => {
                self.announce(&Event::InstallingUpdate(id.clone()), context);
                let time = context.setup.seconds("install", 2.0);
                context.timer(INSTALL_TIMER, time);
                None
            }
            Command::SendInstalledPackages(packages) => {
                let call = Call::Installed {
                    device: self.device.clone(),
                };
                self.ask(&call, encode_packages(packages).to_string(), context)
            }
            Command::SendInstalledSoftware(_) => Some(Event::InstalledSoftwareSent),
            Command::SendSystemInfo => match self.system_info.clone() {
                Some(text) => {
                    let call = Call::SystemInfo {
                        device: self.device.clone(),
                    };
                    self.ask(&call, text, context)
                }
                None => Some(no_system_info()),
            },
            Command::SendUpdateReport(report) => {
                let call = Call::Report {
                    device: self.device.clone(),
                    update: report.update_id.clone(),
                };
                let body = encode_results(&report.operation_results).to_string();
                self.ask(&call, body, context)
            }
        }
    }

    /// The answer to the request under way, or why there is none.
    pub(super) fn called(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        if let Ok(response) = &result
            && (300..400).contains(&response.status)
            && self.redirect(response, context)
        {
            return;
        }
        let Some(command) = self.running.as_ref().map(|running| running.job.command.clone()) else {
            return;
        };
        let event = self.outcome(&command, result, context);
        self.conclude(event, context);
        self.advance(context);
    }

    /// The end of an installation.
    pub(super) fn installed(&mut self, context: &mut Context<'_>) {
        let Some(Command::StartInstall(id)) =
            self.running.as_ref().map(|running| running.job.command.clone())
        else {
            return;
        };
        let known = self.known.get(&id);
        let (code, text) = packages::install(&mut context.hardware.flash, &id, known);
        if code == hil_wire::sota::ResultCode::OK {
            context.hardware.count("installs");
        }
        let report = UpdateReport::single(id, code, text);
        let event = match report.is_success() {
            true => Event::InstallComplete(report),
            false => Event::InstallFailed(report),
        };
        self.conclude(event, context);
        self.advance(context);
    }

    fn authenticate(&mut self, context: &mut Context<'_>) -> Option<Event> {
        if self.is_authenticated() {
            return Some(match self.dialect {
                Dialect::Rustc => Event::AlreadyAuthenticated,
                Dialect::Serde => Event::Authenticated,
            });
        }
        self.authentication.last = Some(context.now());
        let mut call = HttpCall::new("POST", format!("{}{}", self.auth_url, Call::Token.target()))
            .header("Authorization", basic(&self.credentials))
            .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("Content-Length", GRANT_BODY.len().to_string())
            .header("Connection", "close")
            .limits(limits(&Call::Token, context));
        call.request.body = GRANT_BODY.as_bytes().to_vec();
        self.send(call, context);
        None
    }

    fn ask(&mut self, asked: &Call, body: String, context: &mut Context<'_>) -> Option<Event> {
        let mut call = HttpCall::new(asked.method(), format!("{}{}", self.core_url, asked.target()))
            .header("Content-Type", "application/json")
            .header("Content-Length", body.len().to_string())
            .header("Connection", "close")
            .limits(limits(asked, context));
        if let Some(token) = &self.token {
            call = call.header("Authorization", bearer(token));
        }
        call.request.body = body.into_bytes();
        self.send(call, context);
        None
    }

    fn send(&mut self, call: HttpCall, context: &mut Context<'_>) {
        if let Some(running) = &mut self.running {
            running.call = Some(call.clone());
        }
        context.http(CALL, call);
    }

    /// Asks again at the place the answer names, without credentials; false if it names none.
    fn redirect(&mut self, response: &Response, context: &mut Context<'_>) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        let (Some(call), Some(location)) = (&mut running.call, response.headers.get("Location")) else {
            return false;
        };
        let target = Url::parse(&call.url).and_then(|base| base.join(location));
        let Some(target) = target.ok().filter(|_| running.hops < MOST_HOPS) else {
            return false;
        };
        running.hops += 1;
        call.url = target.to_string();
        let headers = &mut call.request.headers.0;
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Authorization"));
        context.http(CALL, call.clone());
        true
    }

    fn outcome(
        &mut self,
        command: &Command,
        result: Result<Response, HttpError>,
        context: &mut Context<'_>,
    ) -> Event {
        let answer = match result {
            Ok(response) if (200..300).contains(&response.status) => Ok(response),
            Ok(response) => Err((
                response.status,
                format!("HTTP client error: Response Code: {}", response.status),
            )),
            Err(error) => Err((0, format!("HTTP client error: {error}"))),
        };
        let answer = match (command, answer) {
            (Command::StartDownload(id), answer) => {
                return self.downloaded(id, answer.map_err(|(_, text)| text), context);
            }
            (_, Err((401 | 403, _))) => return Event::NotAuthenticated,
            (_, Err((_, text))) => return Event::Error(text),
            (_, Ok(response)) => response,
        };
        match command {
            Command::Authenticate(_) => {
                let decoded = TokenAnswer::decode(&answer.body);
                match decoded.value.as_ref().filter(|_| decoded.is_valid()) {
                    Some(token) if answer.status == 200 => {
                        self.token = Some(token.access_token.clone());
                        Event::Authenticated
                    }
                    _ => Event::Error("the answer of the authentication server is no token".into()),
                }
            }
            Command::GetUpdateRequests => {
                let decoded = decode_update_list(&answer.body, self.dialect);
                let Some(listed) = decoded.value.as_ref().filter(|_| decoded.is_valid()) else {
                    let why = decoded
                        .first_invalid()
                        .map_or_else(String::new, |oddity| oddity.to_string());
                    return Event::Error(format!("the list of updates cannot be read: {why}"));
                };
                let mut updates: Vec<_> = listed.iter().map(|listed| listed.request.clone()).collect();
                updates.sort_by_key(|update| update.install_pos);
                match updates.is_empty() {
                    true => Event::NoUpdateRequests,
                    false => Event::UpdatesReceived(updates),
                }
            }
            Command::SendInstalledPackages(_) => Event::InstalledPackagesSent,
            Command::SendSystemInfo => Event::SystemInfoSent,
            Command::SendUpdateReport(report) => match self.dialect {
                Dialect::Rustc => Event::UpdateReportSent,
                Dialect::Serde => Event::InstallReportSent(report.clone()),
            },
            _ => Event::Error("an answer nobody asked for".into()),
        }
    }

    fn downloaded(&mut self, id: &str, answer: Result<Response, String>, context: &mut Context<'_>) -> Event {
        let failed = |reason: String| Event::DownloadFailed(id.to_owned(), reason);
        let response = match answer {
            Ok(response) => response,
            Err(reason) => return failed(reason),
        };
        let Some(file) = packages::image_file(id) else {
            return failed("the id cannot name a file".into());
        };
        if self.folder_gone {
            return failed("there is no folder for images".into());
        }
        match context.hardware.flash.replace(&file, response.body) {
            Ok(()) => Event::DownloadComplete(DownloadComplete {
                update_id: id.to_owned(),
                update_image: packages::told_path(id),
                signature: String::new(),
            }),
            Err(error) => failed(error.to_string()),
        }
    }
}

fn limits(call: &Call, context: &Context<'_>) -> Limits {
    let idle = context.setup.seconds("response_limit", 20.0);
    let is_download = matches!(call, Call::Download { .. });
    Limits {
        connect: Duration::from_secs(10).min(idle),
        idle,
        total: (!is_download).then(|| idle * 2),
        body: 256 * 1024 * 1024,
    }
}

fn no_package_manager() -> Event {
    Event::Error("the package manager is off".into())
}

fn no_system_info() -> Event {
    Event::Error("no system information command is configured".into())
}

const MOST_HOPS: u32 = 5;
