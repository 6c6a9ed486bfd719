//! Fetching a blob (reference section 3.4): ranges, redirects, limits. What is stored is judged later, as a whole.

use super::{
    agent::{DOWNLOAD, EdgeAgent, WORK_TIMER},
    defects, pacing,
    store::{self, UpdateStep},
    update::Waiting,
};
use crate::{Context, FlashError, HttpCall, Limits, Url};
use hil_wire::{
    edge_poll::{error_code, header},
    http::Headers,
};
use std::time::Duration;

/// The transfer under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfer {
    url: Option<Url>,
    hops: u32,
    renewed: bool,
    receiving: bool,
}

impl EdgeAgent {
    /// Asks for the blob, or for the rest of it.
    pub(super) fn download(&mut self, context: &mut Context<'_>) {
        let Some(update) = &mut self.update else { return };
        update.waiting = Waiting::Download;
        if update.record.tries >= TRIES {
            self.fail_update(
                error_code::DOWNLOAD_FAILED,
                "the blob could not be fetched",
                context,
            );
            return;
        }
        let Ok(url) = Url::parse(&update.record.url) else {
            self.fail_update(
                error_code::DOWNLOAD_FAILED,
                "the download URL cannot be used",
                context,
            );
            return;
        };
        let wait = self.held(Some(&url), Duration::ZERO, context.now());
        if !wait.is_zero() {
            context.timer(WORK_TIMER, wait);
            return;
        }
        if let Some(update) = &mut self.update {
            update.record.tries += 1;
            update.transfer.hops = 0;
        }
        self.save_update(UpdateStep::Download, context);
        self.fetch(url, context);
    }

    /// Status and headers of the answer.
    pub(super) fn download_head(&mut self, status: u16, headers: &Headers, context: &mut Context<'_>) {
        let Some(url) = self
            .update
            .as_ref()
            .and_then(|update| update.transfer.url.clone())
        else {
            return;
        };
        self.note_headers(status, headers, &url, context);
        match status {
            200 => self.begin_whole(headers, context),
            206 => self.begin_part(headers, context),
            301 | 302 | 303 | 307 | 308 => self.follow(&url, headers, context),
            416 => {
                context.cancel_http(DOWNLOAD);
                self.discard(context);
                self.retry_download("the range cannot be satisfied", context);
            }
            403 if !self.is_own_origin(&url) && self.may_renew() => {
                context.cancel_http(DOWNLOAD);
                self.resolve(context);
            }
            401 | 403 => {
                context.cancel_http(DOWNLOAD);
                self.retry_download("the download is refused", context);
            }
            status if pacing::is_retryable(status) => {
                context.cancel_http(DOWNLOAD);
                self.retry_download(&format!("the download is answered with status {status}"), context);
            }
            status => {
                context.cancel_http(DOWNLOAD);
                let message = format!("the download is answered with status {status}");
                self.fail_update(error_code::DOWNLOAD_FAILED, message, context);
            }
        }
    }

    /// The next bytes of the blob.
    pub(super) fn download_chunk(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        let Some(update) = self.update.as_ref().filter(|update| update.transfer.receiving) else {
            return;
        };
        let file = store::part_file(&update.record.attempt);
        let size = update.record.size;
        let written = context.hardware.flash.append(&file, bytes);
        let length = context.hardware.flash.read(&file).map_or(0, <[u8]>::len) as u64;
        match written {
            Err(FlashError::PowerFailed) => {}
            Err(FlashError::NoSpace) => {
                context.cancel_http(DOWNLOAD);
                self.fail_update(error_code::NO_SPACE, "the blob does not fit", context);
            }
            Ok(()) if size.is_some_and(|size| length > size) => {
                context.cancel_http(DOWNLOAD);
                self.fail_update(error_code::SIZE_MISMATCH, "the blob is larger than told", context);
            }
            Ok(()) => {}
        }
    }

    /// The answer ended in order.
    pub(super) fn download_end(&mut self, context: &mut Context<'_>) {
        let Some(update) = self.update.as_mut().filter(|update| update.transfer.receiving) else {
            return;
        };
        update.transfer.receiving = false;
        let file = store::part_file(&update.record.attempt);
        let length = context.hardware.flash.read(&file).map_or(0, <[u8]>::len) as u64;
        match update.record.size {
            Some(size) if length < size && !context.setup.has(defects::NOTHING_VERIFIED) => {
                self.retry_download("the blob ends early", context)
            }
            _ => self.begin_verify(context),
        }
    }

    /// The connection broke, timed out, or never came up.
    pub(super) fn download_broke(&mut self, reason: &str, context: &mut Context<'_>) {
        if self.update.is_some() {
            self.retry_download(reason, context);
        }
    }

    fn fetch(&mut self, url: Url, context: &mut Context<'_>) {
        let Some(update) = &mut self.update else { return };
        update.transfer.receiving = false;
        update.transfer.url = Some(url.clone());
        let file = store::part_file(&update.record.attempt);
        let have = context.hardware.flash.read(&file).map_or(0, <[u8]>::len);
        let mut call = HttpCall::new("GET", url.to_string()).streamed().limits(Limits {
            connect: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            total: None,
            body: usize::MAX,
        });
        match (&update.record.etag, have) {
            (Some(etag), 1..) => {
                call = call
                    .header("Range", format!("bytes={have}-"))
                    .header("If-Range", etag.clone());
            }
            _ => {
                let _ = context.hardware.flash.remove(&file);
            }
        }
        if self.is_own_origin(&url) {
            let key = self.api("GET", "", context).request.headers;
            call = call.header(
                header::DEVICE_KEY,
                key.get(header::DEVICE_KEY).unwrap_or_default(),
            );
        }
        context.http(DOWNLOAD, call);
    }

    fn begin_whole(&mut self, headers: &Headers, context: &mut Context<'_>) {
        let Some(update) = &mut self.update else { return };
        let total = headers
            .get("Content-Length")
            .and_then(|text| text.parse::<u64>().ok());
        if let (Some(total), Some(size)) = (total, update.record.size)
            && total != size
        {
            context.cancel_http(DOWNLOAD);
            self.fail_update(
                error_code::SIZE_MISMATCH,
                "the blob has another size than told",
                context,
            );
            return;
        }
        let etag = headers.get("ETag").filter(|tag| tag.starts_with('"'));
        update.record.etag = etag.map(str::to_owned);
        update.transfer.receiving = true;
        let file = store::part_file(&update.record.attempt);
        self.save_update(UpdateStep::Download, context);
        let _ = context.hardware.flash.write(&file, Vec::new());
    }

    fn begin_part(&mut self, headers: &Headers, context: &mut Context<'_>) {
        let Some(update) = &mut self.update else { return };
        let file = store::part_file(&update.record.attempt);
        let have = context.hardware.flash.read(&file).map_or(0, <[u8]>::len) as u64;
        let range = headers.get("Content-Range").and_then(content_range);
        let same = match (headers.get("ETag"), &update.record.etag) {
            (Some(now), Some(before)) => now == before,
            _ => true,
        };
        match range {
            Some((from, total)) if from == have && same => {
                if let (Some(total), Some(size)) = (total, update.record.size)
                    && total != size
                {
                    context.cancel_http(DOWNLOAD);
                    let message = "the blob has another size than told";
                    self.fail_update(error_code::SIZE_MISMATCH, message, context);
                    return;
                }
                update.transfer.receiving = true;
            }
            _ => {
                context.cancel_http(DOWNLOAD);
                self.discard(context);
                self.retry_download("the rest is not of the same blob", context);
            }
        }
    }

    fn follow(&mut self, from: &Url, headers: &Headers, context: &mut Context<'_>) {
        context.cancel_http(DOWNLOAD);
        let Some(update) = &mut self.update else { return };
        update.transfer.hops += 1;
        let hops = update.transfer.hops;
        let target = headers
            .get("Location")
            .and_then(|location| from.join(location).ok());
        match target {
            Some(url) if hops <= REDIRECTS && (url.secure || !from.secure) => self.fetch(url, context),
            _ => self.fail_update(error_code::DOWNLOAD_FAILED, "the redirect is refused", context),
        }
    }

    fn may_renew(&mut self) -> bool {
        match &mut self.update {
            Some(update) if !update.transfer.renewed => {
                update.transfer.renewed = true;
                true
            }
            _ => false,
        }
    }

    fn discard(&mut self, context: &mut Context<'_>) {
        if let Some(update) = &mut self.update {
            update.record.etag = None;
            let file = store::part_file(&update.record.attempt);
            let _ = context.hardware.flash.remove(&file);
        }
    }

    fn retry_download(&mut self, reason: &str, context: &mut Context<'_>) {
        let Some(update) = &mut self.update else { return };
        update.transfer.receiving = false;
        context.console(format!("download interrupted: {reason}"));
        if update.record.tries >= TRIES {
            self.fail_update(error_code::DOWNLOAD_FAILED, reason.to_owned(), context);
        } else {
            self.retry_update(Waiting::Download, context);
        }
    }
}

/// First byte and total of `bytes a-b/total`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = range.split_once('-')?;
    Some((from.trim().parse().ok()?, total.trim().parse().ok()))
}

/// Requests for one blob, redirects not counted.
const TRIES: u32 = 5;
const REDIRECTS: u32 = 5;
