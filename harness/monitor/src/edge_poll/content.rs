//! What a unit fetched and applied, compared with what it was told and given (POLL-VERIFY, POLL-DL-003, -004, -005, -009).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, HttpEnding, Record, RecordBody, Stamp, Who};
use hil_wire::digest::{parse_sha256, sha256_hex};
use std::collections::BTreeSet;

/// Rebuilds each blob from the answers that carried it.
pub(super) struct ContentMonitor {
    /// Ids of `update_snap` commands.
    updates: BTreeSet<String>,
    /// What the cloud told of the version fetched last.
    told: Option<Told>,
    fetched: Option<Fetched>,
    /// The attempt that is past its download.
    verifying: Option<Verifying>,
    /// It lost power or software since its last request for a blob.
    disturbed: bool,
    /// The fault that interrupted a download.
    interrupted: Option<u64>,
    /// Answers with whole blobs since the last update ended.
    whole: Vec<u64>,
    judged: BTreeSet<u64>,
    /// A whole blob as it should be came since the version was told: whatever was cut later, it may be the one applied.
    good_before: bool,
    matching: Tally,
    joined: Tally,
    unmixed: Tally,
    unabridged: Tally,
    usable: Tally,
    once: Tally,
    resumed: Tally,
    few: Tally,
}

struct Verifying {
    attempt: String,
    record: u64,
    /// It kept its power and its software since.
    undisturbed: bool,
}

struct Told {
    version: String,
    checksum: Option<String>,
    record: u64,
}

/// What the unit can have stored of a blob.
struct Fetched {
    bytes: Vec<u8>,
    complete: bool,
    record: u64,
    /// Entity tag of the first part.
    etag: Option<String>,
    /// It came in several parts.
    joined: bool,
    /// A later part was of another entity.
    mixed: bool,
}

impl Default for ContentMonitor {
    fn default() -> Self {
        ContentMonitor {
            updates: BTreeSet::new(),
            told: None,
            fetched: None,
            verifying: None,
            disturbed: false,
            interrupted: None,
            whole: Vec::new(),
            judged: BTreeSet::new(),
            good_before: false,
            matching: Tally::new("POLL-VERIFY-001"),
            joined: Tally::new("POLL-VERIFY-003"),
            unmixed: Tally::new("POLL-DL-004"),
            unabridged: Tally::new("POLL-DL-005"),
            usable: Tally::new("POLL-VERIFY-002"),
            once: Tally::new("POLL-VERIFY-005"),
            resumed: Tally::new("POLL-DL-003"),
            few: Tally::new("POLL-DL-009"),
        }
    }
}

impl Monitor for ContentMonitor {
    fn name(&self) -> &'static str {
        "edge-poll/content"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "POLL-DL-003",
            "POLL-DL-004",
            "POLL-DL-005",
            "POLL-DL-009",
            "POLL-VERIFY-001",
            "POLL-VERIFY-002",
            "POLL-VERIFY-003",
            "POLL-VERIFY-005",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Cloud, "queued") if event.text("command") == Some("update_snap") => {
                    self.updates.extend(event.text("id").map(str::to_owned));
                }
                (Who::Cloud, "latest_answer") => self.latest(record.seq, event),
                (Who::Cloud, "download_answer") => self.answer(record, event),
                (Who::Unit, "download") if event.text("method") == Some("GET") => {
                    self.download(record.seq, event, judge);
                }
                // What it had not stored safely is gone, and may be fetched again.
                (Who::Unit, "power_cut" | "rebooted" | "stopped" | "exited") => {
                    self.interrupted = None;
                    self.disturbed = true;
                    if let Some(verifying) = &mut self.verifying {
                        verifying.undisturbed = false;
                    }
                }
                (Who::Fault, "acted") => {
                    let reset = event.text("fault") == Some("cloud.reset");
                    if reset && event.text("on") == Some("download") {
                        self.interrupted = Some(record.seq);
                    }
                }
                (Who::Unit, "report") => self.report(record.seq, event, judge),
                (Who::Unit, "ack") => self.ack(record.seq, event, judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.matching,
            &mut self.joined,
            &mut self.unmixed,
            &mut self.unabridged,
            &mut self.usable,
            &mut self.once,
            &mut self.resumed,
            &mut self.few,
        ] {
            tally.close(judge);
        }
    }
}

impl ContentMonitor {
    fn latest(&mut self, record: u64, event: &Event) {
        let Some(version) = event.text("version") else {
            return;
        };
        if self.told.as_ref().is_none_or(|told| told.version != version) {
            self.fetched = None;
            self.good_before = false;
        }
        self.told = Some(Told {
            version: version.to_owned(),
            checksum: event.text("checksum").map(str::to_owned),
            record,
        });
    }

    fn download(&mut self, record: u64, event: &Event, judge: &mut Judge<'_>) {
        // A blob that was bad may be fetched again; a good one is what must be applied.
        let good = self.is_good();
        if let Some(verifying) = self.verifying.take().filter(|v| v.undisturbed && good) {
            let attempt = verifying.attempt;
            let text = format!("attempt `{attempt}` fetched a blob again after it was being verified");
            self.once.violated(text, vec![verifying.record, record], judge);
        }
        self.disturbed = false;
        let has_part = self.fetched.as_ref().is_some_and(|f| !f.bytes.is_empty());
        if let Some(fault) = self.interrupted.take().filter(|_| has_part) {
            if event.text("range").is_some() && event.text("if_range").is_some() {
                self.resumed.met(record);
            } else {
                let text = "an interrupted download went on without Range and If-Range";
                self.resumed.violated(text, vec![fault, record], judge);
            }
        }
    }

    fn answer(&mut self, record: &Record, event: &Event) {
        let RecordBody::HttpResponse {
            status,
            headers,
            body,
            ending,
            ..
        } = &record.what
        else {
            return;
        };
        if event.text("method") != Some("GET") {
            return;
        }
        let complete = *ending == HttpEnding::Complete;
        let body = body.bytes();
        let etag = headers.get("ETag").map(str::to_owned);
        match (*status, event.text("content_range").and_then(part)) {
            (200, _) => {
                self.fetched = Some(Fetched {
                    bytes: body.to_vec(),
                    complete,
                    record: record.seq,
                    etag,
                    joined: false,
                    mixed: false,
                });
                self.whole.push(record.seq);
            }
            (206, Some((first, total))) => {
                let before = self.fetched.take();
                let (bytes, first_tag, mixed) = match &before {
                    None => (&[][..], None, false),
                    Some(before) => (&before.bytes[..], before.etag.clone(), before.mixed),
                };
                // Parts that leave a gap are put together in a way nobody can see from here.
                if let Some(kept) = bytes.get(..first) {
                    let bytes = [kept, body].concat();
                    let complete = complete && bytes.len() == total;
                    self.fetched = Some(Fetched {
                        bytes,
                        complete,
                        record: record.seq,
                        mixed: mixed || (first > 0 && first_tag != etag),
                        etag: first_tag.or(etag),
                        joined: first > 0,
                    });
                }
            }
            _ => {}
        }
        self.good_before |= self.is_good();
    }

    fn report(&mut self, record: u64, event: &Event, judge: &mut Judge<'_>) {
        let (Some(attempt), Some(status)) = (event.text("attempt_id"), event.text("status")) else {
            return;
        };
        match status {
            "verifying" | "installing" if self.verifying.is_none() => {
                self.verifying = Some(Verifying {
                    attempt: attempt.to_owned(),
                    record,
                    // One that had to wait until the unit was back tells of what was before.
                    undisturbed: !self.disturbed,
                });
            }
            "success" => {
                if let Some(verifying) = self.verifying.take() {
                    self.once.met(verifying.record);
                }
                let version = event.text("version").unwrap_or_default().to_owned();
                self.applied(&version, record, judge);
            }
            "failure" | "rolled_back" | "already_installed" => self.verifying = None,
            _ => {}
        }
    }

    fn ack(&mut self, record: u64, event: &Event, judge: &mut Judge<'_>) {
        let update = event.text("id").is_some_and(|id| self.updates.contains(id));
        let ended = matches!(event.text("status"), Some("completed" | "failed" | "rejected"));
        if update && ended {
            let whole = std::mem::take(&mut self.whole);
            match whole.len() {
                0 => {}
                1..=MOST_ATTEMPTS => self.few.met(record),
                attempts => {
                    let text = format!("one command fetched its blob {attempts} times as a whole");
                    self.few.violated(text, whole, judge);
                }
            }
        }
        let details = event.field("details");
        let installed_before = details
            .and_then(|details| details.get("already_installed"))
            .and_then(|flag| flag.as_bool());
        if update && event.text("status") == Some("completed") && installed_before != Some(true) {
            let version = self.told.as_ref().map(|told| told.version.clone());
            self.applied(&version.unwrap_or_default(), record, judge);
        }
    }

    /// The unit says that it runs a version: was the blob it can have stored the one it was told of?
    fn applied(&mut self, version: &str, record: u64, judge: &mut Judge<'_>) {
        let (Some(told), Some(fetched)) = (&self.told, &self.fetched) else {
            return;
        };
        if told.version != version || !self.judged.insert(fetched.record) {
            return;
        }
        let evidence = vec![told.record, fetched.record, record];
        let digest = told.checksum.as_deref().map(parse_sha256);
        let Some(Ok(wanted)) = digest else {
            let told = told.checksum.as_deref().unwrap_or("none");
            let text = format!("version {version} was applied although its checksum cannot be used: {told}");
            return self.usable.violated(text, evidence, judge);
        };
        let good = is_digest(&fetched.bytes, &wanted);
        if !fetched.complete {
            // What left of an answer that was cut is the most the unit can have of it.
            if !good && !self.good_before {
                let text = format!("version {version} was applied although its blob ended early");
                self.unabridged.violated(text, evidence, judge);
            }
            return;
        }
        // Where the blob was put together, a wrong one also says what it was put together from.
        let (joined, mixed) = (fetched.joined, fetched.mixed);
        let found = sha256_hex(&fetched.bytes);
        let applied = format!("version {version} was applied although the SHA-256 of its blob is {found}");
        for (tally, concerned, how) in [
            (&mut self.matching, true, ""),
            (&mut self.joined, joined, ", put together from parts"),
            (
                &mut self.unmixed,
                mixed,
                ", put together from parts of two entities",
            ),
        ] {
            if concerned && good {
                tally.met(record);
            } else if concerned {
                tally.violated(format!("{applied}{how}"), evidence.clone(), judge);
            }
        }
    }

    /// Whether the blob that was fetched is the one the unit was told of.
    fn is_good(&self) -> bool {
        let (Some(told), Some(fetched)) = (&self.told, &self.fetched) else {
            return false;
        };
        let wanted = told.checksum.as_deref().map(parse_sha256);
        matches!(wanted, Some(Ok(wanted)) if fetched.complete && is_digest(&fetched.bytes, &wanted))
    }
}

fn is_digest(bytes: &[u8], wanted: &[u8; 32]) -> bool {
    let wanted: String = wanted.iter().map(|byte| format!("{byte:02x}")).collect();
    sha256_hex(bytes) == wanted
}

/// First byte and total of `bytes a-b/total`.
fn part(text: &str) -> Option<(usize, usize)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()?))
}

/// Attempts at a whole file one command may make.
const MOST_ATTEMPTS: usize = 5;
