//! Getting one blob (reference section 4.6): ask where it is, fetch it, check, decrypt, verify, keep it.

use super::{
    agent::{AosAgent, DOWNLOAD, WORK_TIMER, uuid},
    crypto::{self, Refusal},
    store::blob_file,
};
use crate::{Context, HttpCall, Limits};
use hil_wire::{
    aos::{BlobInfo, BlobUrls},
    http::Headers,
};
use serde_json::json;
use std::time::Duration;

/// A blob on its way.
#[derive(Debug)]
pub(super) struct Fetch {
    digest: String,
    /// Of the question that has no answer yet.
    correlation: Option<String>,
    info: Option<BlobInfo>,
    received: Vec<u8>,
    attempts: u32,
    resumable: bool,
    usable: bool,
}

impl AosAgent {
    /// Begins to fetch a blob.
    pub(super) fn fetch(&mut self, digest: String, context: &mut Context<'_>) {
        if let Some(run) = &mut self.run {
            run.fetch = Some(Fetch {
                digest,
                correlation: None,
                info: None,
                received: Vec::new(),
                attempts: 0,
                resumable: false,
                usable: false,
            });
            self.ask(context);
        }
    }

    /// Asks where the blob is, under a new correlation id.
    fn ask(&mut self, context: &mut Context<'_>) {
        let correlation = uuid(context);
        let Some(fetch) = self.run.as_mut().and_then(|run| run.fetch.as_mut()) else {
            return;
        };
        fetch.correlation = Some(correlation.clone());
        let data = json!({"correlationId": correlation, "digests": [fetch.digest]});
        let patience = context.setup.seconds("ack_timeout", 10.0) + Duration::from_secs(2);
        context.timer(WORK_TIMER, patience);
        self.post("requestBlobUrls", data, context);
    }

    /// The cloud says where blobs are; only the answer to the last question counts.
    pub(super) fn blob_urls(&mut self, answer: &BlobUrls, context: &mut Context<'_>) {
        let Some(fetch) = self.run.as_mut().and_then(|run| run.fetch.as_mut()) else {
            return;
        };
        if fetch.correlation.as_deref() != Some(answer.correlation_id.as_str()) {
            return;
        }
        fetch.correlation = None;
        context.cancel(WORK_TIMER);
        match answer.items.iter().find(|item| item.digest == fetch.digest) {
            Some(info) => {
                fetch.info = Some(info.clone());
                self.download(context);
            }
            None => self.item_failed(5, "the cloud does not have the blob", context),
        }
    }

    fn download(&mut self, context: &mut Context<'_>) {
        let Some(fetch) = self.run.as_mut().and_then(|run| run.fetch.as_mut()) else {
            return;
        };
        let Some(url) = fetch.info.as_ref().and_then(|info| info.urls.first()) else {
            return self.item_failed(5, "the cloud names no URL", context);
        };
        fetch.attempts += 1;
        fetch.usable = false;
        let limits = Limits {
            connect: Duration::from_secs(10),
            total: None,
            ..Limits::default()
        };
        let mut call = HttpCall::new("GET", url.clone()).limits(limits).streamed();
        if fetch.resumable && !fetch.received.is_empty() {
            call = call.header("Range", format!("bytes={}-", fetch.received.len()));
        } else {
            fetch.received.clear();
        }
        context.http(DOWNLOAD, call);
    }

    pub(super) fn download_head(&mut self, status: u16, headers: &Headers, context: &mut Context<'_>) {
        let Some(fetch) = self.run.as_mut().and_then(|run| run.fetch.as_mut()) else {
            return;
        };
        fetch.resumable = headers.get("Accept-Ranges") == Some("bytes");
        match status {
            200 => fetch.received.clear(),
            206 => {}
            _ => {
                context.cancel_http(DOWNLOAD);
                return self.download_broke(&format!("the server answers {status}"), context);
            }
        }
        if let Some(fetch) = self.run.as_mut().and_then(|run| run.fetch.as_mut()) {
            fetch.usable = true;
        }
    }

    pub(super) fn download_chunk(&mut self, bytes: &[u8]) {
        if let Some(fetch) = self.run.as_mut().and_then(|run| run.fetch.as_mut())
            && fetch.usable
        {
            fetch.received.extend_from_slice(bytes);
        }
    }

    pub(super) fn download_broke(&mut self, reason: &str, context: &mut Context<'_>) {
        let Some(fetch) = self.run.as_ref().and_then(|run| run.fetch.as_ref()) else {
            return;
        };
        let attempts = fetch.attempts;
        self.alert_of_download(reason, context);
        if attempts >= ATTEMPTS {
            return self.item_failed(1, reason, context);
        }
        context.timer(WORK_TIMER, Duration::from_secs(u64::from(attempts)));
    }

    /// The time of the work has come while something is being fetched: ask again, or download again.
    pub(super) fn retry_fetch(&mut self, context: &mut Context<'_>) {
        let Some(fetch) = self.run.as_ref().and_then(|run| run.fetch.as_ref()) else {
            return;
        };
        if fetch.correlation.is_some() {
            self.ask(context);
        } else {
            self.download(context);
        }
    }

    pub(super) fn download_end(&mut self, context: &mut Context<'_>) {
        let checked = {
            let Some(run) = &self.run else { return };
            let Some((fetch, info)) = run.fetch.as_ref().and_then(|f| Some((f, f.info.as_ref()?))) else {
                return;
            };
            if (fetch.received.len() as u64) < info.size {
                None
            } else {
                Some(crypto::open(
                    &fetch.digest,
                    &fetch.received,
                    info,
                    &run.desired,
                    context.setup,
                ))
            }
        };
        match checked {
            None => self.download_broke("the transfer ended early", context),
            Some(Ok(content)) => self.keep(content, context),
            // What arrived is not what was announced: the next transfer starts from nothing.
            Some(Err(refusal @ Refusal::Transfer)) => {
                if let Some(fetch) = self.run.as_mut().and_then(|run| run.fetch.as_mut()) {
                    fetch.received.clear();
                }
                self.download_broke(&refusal.to_string(), context);
            }
            Some(Err(refusal)) => self.item_failed(10, &refusal.to_string(), context),
        }
    }

    fn keep(&mut self, content: Vec<u8>, context: &mut Context<'_>) {
        let Some(fetch) = self.run.as_mut().and_then(|run| run.fetch.take()) else {
            return;
        };
        if let Err(error) = context
            .hardware
            .flash
            .replace(&blob_file(&fetch.digest), content.clone())
        {
            return self.item_failed(3, &error.to_string(), context);
        }
        self.blob_is_there(&fetch.digest, &content);
        self.next_blob(context);
    }

    /// URL, digest, bytes so far and bytes in all of the blob on its way.
    pub(super) fn transfer(&self) -> Option<(String, String, u64, u64)> {
        let fetch = self.run.as_ref()?.fetch.as_ref()?;
        let info = fetch.info.as_ref()?;
        let url = info.urls.first().cloned().unwrap_or_default();
        Some((url, fetch.digest.clone(), fetch.received.len() as u64, info.size))
    }
}

/// Transfers of one blob before its item fails.
const ATTEMPTS: u32 = 3;
