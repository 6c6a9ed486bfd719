//! Downloading an archive into the other slot and switching over to it (reference sections 3.1 and 4).

use super::{
    agent::{Asker, DOWNLOAD, OtaAgent, STALL_TIMER},
    files,
    intake::Intake,
    methods::RESTART_AFTER,
};
use crate::{Context, HttpCall, Limits, Url};
use hil_wire::{
    http::Headers,
    ota_rpc::{BootState, PushState, RpcError, UpdateRequest, code},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// An update under way.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) asker: Asker,
    url: Url,
    commit_timeout: i64,
    stall: Duration,
    hops: u32,
    intake: Intake,
    announced: u64,
}

impl OtaAgent {
    pub(super) fn begin_update(
        &mut self,
        asker: Asker,
        arguments: Option<&Value>,
        context: &mut Context<'_>,
    ) {
        let fail = |text: &str| Err(RpcError::new(code::FAILURE, text));
        let Ok(request) = UpdateRequest::read(arguments) else {
            return self.reply(&asker, fail("Malformed request"), context);
        };
        if self.is_busy() || !self.state.is_committed {
            return self.reply(&asker, fail("Failed to init updater"), context);
        }
        let Ok(url) = Url::parse(&request.url) else {
            return self.reply(&asker, fail("Failed to connect"), context);
        };
        let stall = request
            .stall_timeout
            .and_then(|seconds| u64::try_from(seconds).ok());
        let stall = stall.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        context.console(format!("Update URL: {}", request.url));
        let other = self.other_slot();
        // Without power nothing is erased, and nothing else happens either.
        let _ = context.hardware.erase_slot(other);
        self.progress = PushState::Progress;
        self.update = Some(Update {
            asker,
            url,
            commit_timeout: request.commit_timeout.map_or(0, i64::from).max(0),
            stall: stall.unwrap_or_else(|| context.setup.seconds("stall", 600.0)),
            hops: 0,
            intake: Intake::new(&self.board, self.policy.clone()),
            announced: 0,
        });
        self.fetch(context);
    }

    fn fetch(&mut self, context: &mut Context<'_>) {
        let firmware = self.firmware_text();
        let Some(update) = &self.update else {
            return;
        };
        if update.hops == 0 {
            context.timer(STALL_TIMER, update.stall);
        }
        // Our own timer comes first.
        let patience = update.stall + Duration::from_secs(5);
        let call = HttpCall::new("GET", update.url.to_string())
            .header("X-MGOS-Device-ID", format!("{} 020000000001", self.id))
            .header("X-MGOS-FW-Version", firmware)
            .header(
                "User-Agent",
                format!("{}/{}", self.image.name, self.image.version),
            )
            .limits(Limits {
                connect: patience,
                idle: patience,
                total: None,
                body: LARGEST,
            })
            .streamed();
        context.http(DOWNLOAD, call);
    }

    /// Status and headers of the archive.
    pub(super) fn download_head(&mut self, status: u16, headers: &Headers, context: &mut Context<'_>) {
        let Some(update) = &mut self.update else {
            return;
        };
        match status {
            200 => {
                let length = headers
                    .get("Content-Length")
                    .and_then(|text| text.trim().parse().ok());
                match length {
                    Some(length) => update.announced = length,
                    None => self.download_fails("Invalid content-length, perhaps chunked-encoding", context),
                }
            }
            301 | 302 => {
                let target = headers
                    .get("Location")
                    .and_then(|location| update.url.join(location).ok());
                update.hops += 1;
                match target {
                    Some(url) if update.hops <= MOST_HOPS => {
                        update.url = url;
                        context.cancel_http(DOWNLOAD);
                        self.fetch(context);
                    }
                    _ => self.download_fails("Too many redirects", context),
                }
            }
            304 => self.update_ends(Err(RpcError::new(code::SUCCESS, "Not Modified")), context),
            _ => self.download_fails(&format!("Invalid HTTP response code {status}"), context),
        }
    }

    /// Some bytes of the archive.
    pub(super) fn download_chunk(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        let Some(update) = &mut self.update else {
            return;
        };
        context.timer(STALL_TIMER, update.stall);
        if let Err(error) = update.intake.push(bytes) {
            self.download_fails(error.words(), context);
        }
    }

    /// The server has sent everything it wanted to.
    pub(super) fn download_end(&mut self, context: &mut Context<'_>) {
        let Some(update) = &self.update else {
            return;
        };
        let complete = update.intake.received() == update.announced;
        match update.intake.finish() {
            Ok(firmware) if complete => self.downloaded(firmware, context),
            Ok(_) => self.download_fails("Update failed", context),
            Err(error) => self.download_fails(error.words(), context),
        }
    }

    /// The update has failed; neither record nor running firmware were touched.
    pub(super) fn download_fails(&mut self, text: &str, context: &mut Context<'_>) {
        self.update_ends(Err(RpcError::new(code::FAILURE, text)), context);
    }

    fn update_ends(&mut self, outcome: Result<Value, RpcError>, context: &mut Context<'_>) {
        if let Some(update) = self.update.take() {
            context.cancel(STALL_TIMER);
            context.cancel_http(DOWNLOAD);
            let applied = matches!(&outcome, Err(error) if error.code == code::SUCCESS);
            self.progress = match applied {
                true => PushState::Success,
                false => PushState::Error,
            };
            self.reply(&update.asker, outcome, context);
        }
    }

    fn downloaded(&mut self, firmware: Vec<u8>, context: &mut Context<'_>) {
        let Some(update) = &self.update else {
            return;
        };
        self.switch_over(firmware, update.commit_timeout, context);
        self.update_ends(
            Err(RpcError::new(code::SUCCESS, "Update applied, finalizing")),
            context,
        );
        self.restart(RESTART_AFTER, context);
    }

    /// All parts are verified: the record first, then the reply, then the restart.
    pub(super) fn switch_over(&mut self, firmware: Vec<u8>, commit_timeout: i64, context: &mut Context<'_>) {
        let other = self.other_slot();
        if context.hardware.write_slot(other, Arc::from(firmware)).is_err() {
            return;
        }
        files::erase(&mut context.hardware.flash, other);
        let record = BootState {
            active_slot: other as i64,
            is_committed: false,
            revert_slot: self.slot as i64,
            commit_timeout,
        };
        self.write_record(record, context);
        context.hardware.count("updates");
    }
}

const MOST_HOPS: u32 = 5;
const LARGEST: usize = 64 * 1024 * 1024;
