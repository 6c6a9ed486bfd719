//! Downloading an archive into the other slot and switching over to it (reference sections 3.1 and 4).

use super::{
    agent::{Asker, DOWNLOAD, OtaAgent, STALL_TIMER},
    kind::checks,
    methods::RESTART_AFTER,
};
use crate::{Context, HttpCall, Limits, Slot, Url};
use hil_wire::{
    http::Headers,
    ota_rpc::{
        BootState, RpcError, UpdateRequest,
        archive::{ArchiveError, ArchiveEvent, ArchiveReader},
        code,
    },
};
use serde_json::Value;
use std::{rc::Rc, time::Duration};

/// An update under way.
#[derive(Debug)]
pub(super) struct Update {
    asker: Asker,
    url: Url,
    commit_timeout: i64,
    stall: Duration,
    hops: u32,
    reader: ArchiveReader,
    announced: u64,
    /// The part that arrives.
    part: String,
    app: Vec<u8>,
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
        if self.update.is_some() || self.copying.is_some() || !self.state.is_committed {
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
        context.hardware.slots[other] = Slot::default();
        self.update = Some(Update {
            asker,
            url,
            commit_timeout: request.commit_timeout.map_or(0, i64::from).max(0),
            stall: stall.unwrap_or_else(|| context.setup.seconds("stall", 600.0)),
            hops: 0,
            reader: ArchiveReader::new(checks()),
            announced: 0,
            part: String::new(),
            app: Vec::new(),
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
        match update.reader.push(bytes) {
            Ok(events) => {
                for event in events {
                    update.take(event);
                }
            }
            Err(error) => self.download_fails(refusal(&error), context),
        }
    }

    /// The server has sent everything it wanted to.
    pub(super) fn download_end(&mut self, context: &mut Context<'_>) {
        let Some(update) = &self.update else {
            return;
        };
        let complete = update.reader.received() == update.announced;
        match update.reader.clone().finish() {
            Ok(_) if complete => self.switch_over(context),
            Ok(_) => self.download_fails("Update failed", context),
            Err(error) => self.download_fails(refusal(&error), context),
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
            self.reply(&update.asker, outcome, context);
        }
    }

    /// All parts are verified: the record first, then the reply, then the restart.
    fn switch_over(&mut self, context: &mut Context<'_>) {
        let other = self.other_slot();
        let Some(update) = &mut self.update else {
            return;
        };
        context.hardware.slots[other].image = Rc::from(std::mem::take(&mut update.app));
        let record = BootState {
            active_slot: other as i64,
            is_committed: false,
            revert_slot: self.slot as i64,
            commit_timeout: update.commit_timeout,
        };
        self.write_record(record, context);
        context.hardware.count("updates");
        self.update_ends(
            Err(RpcError::new(code::SUCCESS, "Update applied, finalizing")),
            context,
        );
        self.restart(RESTART_AFTER, context);
    }
}

impl Update {
    fn take(&mut self, event: ArchiveEvent) {
        match event {
            ArchiveEvent::PartBegins { part, .. } => self.part = part,
            ArchiveEvent::PartData(data) if self.part == "app" => self.app.extend(data),
            _ => {}
        }
    }
}

/// The words of the service for a refused archive.
fn refusal(error: &ArchiveError) -> &'static str {
    match error {
        ArchiveError::NotAnArchive { .. } => "Malformed archive (invalid file header)",
        ArchiveError::ManifestNotFirst { .. } => "Malformed archive (no manifest)",
        ArchiveError::Compressed { .. } => "Cannot handle compressed .zip",
        ArchiveError::LongName { .. } => "Too long file name",
        ArchiveError::BadCrc { .. } => "Invalid CRC",
        ArchiveError::BadManifest { .. } | ArchiveError::HugeManifest { .. } => "Failed to parse manifest",
        ArchiveError::MissingField { .. } => "Required manifest field missing",
        ArchiveError::WrongPlatform { .. } => "Wrong platform",
        ArchiveError::MissingPart { .. } => "Incomplete update package",
        ArchiveError::TooBig { .. } => "Image too big",
        ArchiveError::DigestMismatch { .. } => "Digest mismatch",
        ArchiveError::Truncated { .. } => "Update failed",
        ArchiveError::DataDescriptor { .. }
        | ArchiveError::SizeMismatch { .. }
        | ArchiveError::PartSize { .. } => "Malformed archive",
    }
}

const MOST_HOPS: u32 = 5;
const LARGEST: usize = 64 * 1024 * 1024;
