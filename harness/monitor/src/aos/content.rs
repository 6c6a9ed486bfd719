//! What messages of the unit hold: logs, states, certificates, blobs, secrets (LOG, STATE-005, CERT-002, CERT-004, PROV-007,
//! BLOB).

use super::request_key::request_key;
use crate::{Judge, Monitor, Tally};
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::MultiGzDecoder;
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, Who};
use hil_wire::aos::state_checksum;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    time::Duration,
};

/// Looks into messages.
pub(super) struct ContentMonitor {
    batches: BTreeMap<(String, String), Batch>,
    serials: BTreeSet<String>,
    secrets: BTreeSet<String>,
    paths: BTreeSet<String>,
    /// Public keys of certificate requests, and the record that showed each first.
    keys: BTreeMap<Vec<u8>, u64>,
    complete: Tally,
    gzip: Tally,
    explained: Tally,
    checksum: Tally,
    serial: Tally,
    last: Tally,
    secret: Tally,
    requested: Tally,
    correlated: Tally,
    fetched: Tally,
    csrs: Tally,
    fresh: Tally,
}

/// The parts of a log from one node.
struct Batch {
    count: u64,
    parts: BTreeSet<u64>,
    record: u64,
    /// When its last part came.
    last: Stamp,
}

impl Batch {
    /// Every part is there. Parts count from 1; units that follow the publisher's schema count from 0.
    fn is_whole(&self) -> bool {
        let all = |mut parts: std::ops::Range<u64>| parts.all(|part| self.parts.contains(&part));
        all(1..self.count + 1) || all(0..self.count)
    }
}

impl Default for ContentMonitor {
    fn default() -> Self {
        ContentMonitor {
            batches: BTreeMap::new(),
            serials: BTreeSet::new(),
            secrets: BTreeSet::new(),
            paths: BTreeSet::new(),
            keys: BTreeMap::new(),
            complete: Tally::new("AOS7-LOG-003"),
            gzip: Tally::new("AOS7-LOG-004"),
            explained: Tally::new("AOS7-LOG-006"),
            checksum: Tally::new("AOS7-STATE-005"),
            serial: Tally::new("AOS7-CERT-004"),
            last: Tally::new("AOS7-CERT-006"),
            secret: Tally::new("AOS7-PROV-007"),
            requested: Tally::new("AOS7-BLOB-001"),
            correlated: Tally::new("AOS7-BLOB-002"),
            fetched: Tally::new("AOS7-BLOB-005"),
            csrs: Tally::new("AOS7-PROV-002"),
            fresh: Tally::new("AOS7-CERT-002"),
        }
    }
}

impl Monitor for ContentMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/content"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-BLOB-001",
            "AOS7-BLOB-002",
            "AOS7-BLOB-005",
            "AOS7-CERT-002",
            "AOS7-CERT-004",
            "AOS7-CERT-006",
            "AOS7-LOG-003",
            "AOS7-LOG-004",
            "AOS7-LOG-006",
            "AOS7-PROV-002",
            "AOS7-PROV-007",
            "AOS7-STATE-005",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        if let RecordBody::WebSocketFrame {
            from: Party::Unit,
            payload,
            ..
        } = &record.what
            && !self.secrets.is_empty()
        {
            let text = String::from_utf8_lossy(payload.bytes());
            let told = self.secrets.iter().any(|secret| text.contains(secret.as_str()));
            let sentence = || "a message of the unit holds a password or secret of the cloud".to_owned();
            self.secret.check(!told, sentence, record.seq, judge);
        }
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "pushLog") if first(event) => self.log(event, record, judge),
                (Who::Unit, "newState") => {
                    let right = state_checksum(event.text("state").unwrap_or_default());
                    let given = event.text("stateChecksum").unwrap_or_default();
                    let text =
                        || format!("stateChecksum is `{given}`, the SHA3-224 of the state is `{right}`");
                    self.checksum
                        .check(given.eq_ignore_ascii_case(&right), text, record.seq, judge);
                }
                (Who::Unit, "issueUnitCertificates") if first(event) => {
                    self.requests(event, record.seq, judge);
                }
                (Who::Cloud, "issued") => {
                    self.serials
                        .extend(event.text("serial").map(|serial| serial.to_ascii_lowercase()));
                }
                (Who::Unit, "installUnitCertificatesConfirmation") => {
                    self.confirmation(event, record.seq, judge)
                }
                (Who::Unit, "requestBlobUrls") => {
                    self.requested.met(record.seq);
                    let text = || "requestBlobUrls without a correlationId".to_owned();
                    let named = event.text("correlationId").is_some_and(|id| !id.is_empty());
                    self.correlated.check(named, text, record.seq, judge);
                }
                (Who::Cloud, "blobUrls") => {
                    let items = event.field("items").and_then(Value::as_array);
                    for item in items.into_iter().flatten() {
                        let urls = item["urls"].as_array().into_iter().flatten();
                        self.paths
                            .extend(urls.filter_map(Value::as_str).filter_map(path_of));
                    }
                }
                (Who::Unit, "download") => {
                    let path = event.text("path").unwrap_or_default();
                    let text = || format!("`{path}` was fetched, which no blobUrls named");
                    self.fetched
                        .check(self.paths.contains(path), text, record.seq, judge);
                }
                (Who::Unit, "startProvisioningResponse") => {
                    let csrs = event.field("csrs").and_then(Value::as_array);
                    let some = csrs.is_some_and(|csrs| !csrs.is_empty());
                    let text = || "neither certificate requests nor errorInfo".to_owned();
                    let answered = some || event.field("errorInfo").is_some();
                    self.csrs.check(answered, text, record.seq, judge);
                }
                (Who::Cloud, _) => self.remember_secrets(event),
                _ => {}
            }
        }
    }

    fn close(&mut self, at: Stamp, how: HowClosed, judge: &mut Judge<'_>) {
        for ((correlation, node), batch) in &self.batches {
            if batch.is_whole() {
                self.complete.met(batch.record);
            } else if at.since(batch.last) >= PART_PATIENCE {
                let text = format!(
                    "{} of {} parts of the log `{correlation}` of {node} came",
                    batch.parts.len(),
                    batch.count
                );
                self.complete.violated(text, vec![batch.record], judge);
            } else if how == HowClosed::Complete {
                let text =
                    format!("parts of the log `{correlation}` of {node} were missing when the trace ended");
                judge.inconclusive("AOS7-LOG-003", text, vec![batch.record]);
            }
        }
        for tally in [
            &mut self.complete,
            &mut self.gzip,
            &mut self.explained,
            &mut self.checksum,
            &mut self.serial,
            &mut self.last,
            &mut self.secret,
            &mut self.requested,
            &mut self.correlated,
            &mut self.fetched,
            &mut self.csrs,
            &mut self.fresh,
        ] {
            tally.close(judge);
        }
    }
}

impl ContentMonitor {
    fn log(&mut self, event: &Event, record: &Record, judge: &mut Judge<'_>) {
        let seq = record.seq;
        let number = |name: &str| event.field(name).and_then(Value::as_u64).unwrap_or_default();
        let (part, count) = (number("part"), number("partsCount"));
        let status = event.text("status").unwrap_or_default();
        if matches!(status, "error" | "failed") {
            let text = || "a log with status error has no errorInfo".to_owned();
            self.explained
                .check(event.field("errorInfo").is_some(), text, seq, judge);
        }
        let content = event.text("content").unwrap_or_default();
        let bytes = STANDARD.decode(content);
        let unpacked = bytes.as_ref().ok().map(|bytes| unpacked(bytes));
        let right = match &unpacked {
            Some(unpacked) => status != "ok" || unpacked.is_ok(),
            None => false,
        };
        let text = || {
            let why = match &unpacked {
                Some(Err(error)) => format!("no gzip stream: {error}"),
                _ => "no Base64".to_owned(),
            };
            format!("the content of a log with status {status} is {why}")
        };
        self.gzip.check(right, text, seq, judge);
        if let Some(Ok(log)) = &unpacked
            && self.secrets.iter().any(|secret| log.contains(secret.as_str()))
        {
            let sentence = "a log of the unit holds a password or secret of the cloud";
            self.secret.violated(sentence, vec![seq], judge);
        }
        if count == 0 {
            return;
        }
        let correlation = event.text("correlationId").unwrap_or_default().to_owned();
        let node = event.field("node").and_then(|node| node["codename"].as_str());
        let batch = self
            .batches
            .entry((correlation.clone(), node.unwrap_or_default().to_owned()))
            .or_insert(Batch {
                count,
                parts: BTreeSet::new(),
                record: seq,
                last: record.at,
            });
        batch.last = record.at;
        let constant = batch.count == count;
        let new = batch.parts.insert(part);
        let inside = part <= count;
        if !(constant && new && inside) {
            let text =
                format!("part {part} of {count} of the log `{correlation}` does not fit the parts before");
            self.complete.violated(text, vec![batch.record, seq], judge);
        }
    }

    fn requests(&mut self, event: &Event, seq: u64, judge: &mut Judge<'_>) {
        let requests = event.field("requests").and_then(Value::as_array);
        for request in requests.into_iter().flatten() {
            let Some(key) = request["csr"].as_str().and_then(request_key) else {
                continue;
            };
            match self.keys.insert(key, seq) {
                None => self.fresh.met(seq),
                Some(before) => {
                    let text = format!(
                        "the request for {} has a key that was used before",
                        request["type"]
                    );
                    self.fresh.violated(text, vec![before, seq], judge);
                }
            }
        }
    }

    fn confirmation(&mut self, event: &Event, seq: u64, judge: &mut Judge<'_>) {
        let certificates = event.field("certificates").and_then(Value::as_array);
        let entries: Vec<&Value> = certificates.into_iter().flatten().collect();
        for (at, entry) in entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry["type"] == "iam")
        {
            let others = entries
                .iter()
                .filter(|other| other["node"] == entry["node"])
                .count();
            let later = entries.iter().skip(at + 1);
            let later = later.filter(|later| later["node"] == entry["node"]).count();
            let text = || "the iam certificate of a node was not installed last".to_owned();
            if others > 1 {
                self.last.check(later == 0, text, seq, judge);
            }
        }
        for entry in entries {
            if entry.get("errorInfo").is_some() {
                continue;
            }
            let serial = entry["serial"].as_str().unwrap_or_default().to_ascii_lowercase();
            let text = || format!("serial `{serial}` is that of no certificate the cloud issued");
            let plain = serial.trim_start_matches('0');
            let known = self
                .serials
                .iter()
                .any(|known| known.trim_start_matches('0') == plain);
            self.serial.check(known && !plain.is_empty(), text, seq, judge);
        }
    }

    fn remember_secrets(&mut self, event: &Event) {
        if event.field("copy").is_none() {
            return;
        }
        self.secrets
            .extend(event.text("password").filter(long).map(str::to_owned));
        let nodes = event
            .field("unitSecrets")
            .and_then(|secrets| secrets["nodes"].as_array());
        let secrets = nodes
            .into_iter()
            .flatten()
            .filter_map(|node| node["secret"].as_str());
        self.secrets.extend(secrets.filter(long).map(str::to_owned));
    }
}

/// Short texts occur by chance.
fn long(text: &&str) -> bool {
    text.len() >= 8
}

fn first(event: &Event) -> bool {
    event.field("copy").and_then(Value::as_u64) == Some(1)
}

fn path_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    Some(path.split('?').next().unwrap_or_default().to_owned())
}

/// A part that has not come so long after the others does not come.
const PART_PATIENCE: Duration = Duration::from_secs(20);

/// The text of a gzip stream, checked to its end; of a long one the beginning.
fn unpacked(bytes: &[u8]) -> std::io::Result<String> {
    if bytes.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(LONGEST_LOG)
        .read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Bytes of an unpacked log that are looked at.
const LONGEST_LOG: u64 = 16 << 20;
