//! The form of events and of what carries them, and their order for each update (SOTA-EVT-001, 003, 005, 006, 008, 009,
//! SOTA-WS-003, SOTA-HTTP-001).

use super::lists::Lists;
use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, Who};
use hil_wire::{
    http::Headers,
    sota::{Dialect, Event as SotaEvent},
};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Reads every event a gateway sends.
pub(super) struct EventMonitor {
    known: Tally,
    ascending: Tally,
    ordered: Tally,
    numbers: Tally,
    explained: Tally,
    reasoned: Tally,
    framed: Tally,
    answered: Tally,
    lists: Lists,
    dialect: Option<(Dialect, u64)>,
    /// Exchanges on the HTTP gateway.
    commands: BTreeSet<u32>,
    /// Text of fragments by connection.
    fragments: BTreeMap<u32, Vec<u8>>,
    /// Connections on which commands were sent: their events come twice, and in no defined order.
    commanded: BTreeSet<u32>,
    /// When WebSockets to the unit opened.
    sockets: BTreeMap<u32, Stamp>,
    /// When the image of an update was last asked for.
    fetched: BTreeMap<String, Stamp>,
    /// Updates a connection saw begin to download.
    begun: BTreeMap<u32, BTreeMap<String, u64>>,
}

impl Default for EventMonitor {
    fn default() -> Self {
        EventMonitor {
            known: Tally::new("SOTA-EVT-001"),
            ascending: Tally::new("SOTA-EVT-003"),
            ordered: Tally::new("SOTA-EVT-005"),
            numbers: Tally::new("SOTA-EVT-006"),
            explained: Tally::new("SOTA-EVT-008"),
            reasoned: Tally::new("SOTA-EVT-009"),
            framed: Tally::new("SOTA-WS-003"),
            answered: Tally::new("SOTA-HTTP-001"),
            lists: Lists::default(),
            dialect: None,
            commands: BTreeSet::new(),
            fragments: BTreeMap::new(),
            commanded: BTreeSet::new(),
            sockets: BTreeMap::new(),
            fetched: BTreeMap::new(),
            begun: BTreeMap::new(),
        }
    }
}

impl Monitor for EventMonitor {
    fn name(&self) -> &'static str {
        "sota/event"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "SOTA-EVT-001",
            "SOTA-EVT-002",
            "SOTA-EVT-003",
            "SOTA-EVT-005",
            "SOTA-EVT-006",
            "SOTA-EVT-008",
            "SOTA-EVT-009",
            "SOTA-HTTP-001",
            "SOTA-WS-003",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::HttpRequest {
                exchange,
                face,
                from: Party::Cloud,
                ..
            } if face == "sota-http" => {
                self.commands.insert(*exchange);
            }
            RecordBody::HttpRequest {
                exchange,
                face,
                method,
                target,
                ..
            } => self.lists.asked(*exchange, face, method, target),
            RecordBody::HttpResponse {
                exchange,
                status,
                headers,
                body,
                ..
            } => {
                self.lists.answered(*exchange, *status, body.bytes());
                if self.commands.remove(exchange) && (200..300).contains(status) {
                    self.judge_answer(record.seq, *status, headers, judge);
                    self.message(record.seq, body.bytes(), judge);
                }
            }
            RecordBody::WebSocketOpened { connection, .. } => {
                self.sockets.insert(*connection, record.at);
            }
            RecordBody::WebSocketFrame {
                connection,
                from,
                opcode,
                fin,
                payload,
            } if *opcode <= 2 => {
                if *from == Party::Cloud {
                    self.commanded.insert(*connection);
                    return;
                }
                if *opcode != CONTINUATION {
                    let binary = || "an event in a binary frame, where text is due".to_owned();
                    self.framed.check(*opcode == TEXT, binary, record.seq, judge);
                }
                let message = self.fragments.entry(*connection).or_default();
                message.extend_from_slice(payload.bytes());
                if *fin {
                    let message = std::mem::take(message);
                    let several = || "a frame that does not carry one JSON text".to_owned();
                    let single = serde_json::from_slice::<IgnoredAny>(&message).is_ok();
                    self.framed.check(single, several, record.seq, judge);
                    let event = self.message(record.seq, &message, judge);
                    if let Some(event) = event {
                        self.follow(*connection, record.seq, &event, judge);
                    }
                }
            }
            RecordBody::ConnectionClosed { connection, .. } => {
                self.sockets.remove(connection);
                self.begun.remove(connection);
                self.fragments.remove(connection);
            }
            _ => {}
        }
        for event in events {
            if let (Who::Unit, "download", Some(id)) = (event.who, event.name.as_str(), event.text("id")) {
                self.fetched.insert(id.to_owned(), record.at);
            }
        }
        // A boot forgets what was under way.
        if events
            .iter()
            .any(|event| event.who == Who::Unit && event.name == "booted")
        {
            self.begun.clear();
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.known,
            &mut self.ascending,
            &mut self.ordered,
            &mut self.numbers,
            &mut self.explained,
            &mut self.reasoned,
            &mut self.framed,
            &mut self.answered,
        ] {
            tally.close(judge);
        }
        self.lists.close(judge);
    }
}

impl EventMonitor {
    /// Judges the form of one message; the event, if it is one.
    fn message(&mut self, seq: u64, bytes: &[u8], judge: &mut Judge<'_>) -> Option<SotaEvent> {
        let detected = Dialect::detect(bytes);
        if let Some(spoken) = detected {
            match self.dialect {
                Some((other, first)) if other != spoken => {
                    let text = format!("an event in the {spoken} dialect after one in the {other} dialect");
                    self.known.violated(text, vec![first, seq], judge);
                }
                Some(_) => {}
                None => self.dialect = Some((spoken, seq)),
            }
        }
        let decoded = SotaEvent::decode(bytes, detected.unwrap_or_default());
        self.judge_numbers(seq, bytes, judge);
        let Some(event) = decoded.value else {
            let why = decoded.oddities.first().map(ToString::to_string);
            let text = format!("a message is no event: {}", why.unwrap_or_default());
            self.known.violated(text, vec![seq], judge);
            return None;
        };
        self.known.met(seq);
        match &event {
            SotaEvent::UpdatesReceived(updates) => {
                self.lists.check(updates, seq, judge);
                if updates.len() < 2 {
                    return Some(event);
                }
                let ascending = updates.is_sorted_by_key(|update| update.install_pos);
                let text = || "updates are announced in another order than their positions".to_owned();
                self.ascending.check(ascending, text, seq, judge);
            }
            SotaEvent::Error(text) => {
                let empty = || "an Error without a text".to_owned();
                self.explained.check(!text.is_empty(), empty, seq, judge);
            }
            SotaEvent::DownloadFailed(id, reason) => {
                let empty = || format!("DownloadFailed of `{id}` without a reason");
                self.reasoned.check(!reason.is_empty(), empty, seq, judge);
            }
            _ => {}
        }
        Some(event)
    }

    /// What the HTTP gateway says of a command it took is 200 and JSON.
    fn judge_answer(&mut self, seq: u64, status: u16, headers: &Headers, judge: &mut Judge<'_>) {
        let kind = headers.get("Content-Type").unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        let right = status == 200 && essence.eq_ignore_ascii_case("application/json");
        let text = || format!("a command is answered with status {status} and the content type `{kind}`");
        self.answered.check(right, text, seq, judge);
    }

    /// Result codes of installation events are whole numbers from 0 to 19.
    fn judge_numbers(&mut self, seq: u64, bytes: &[u8], judge: &mut Judge<'_>) {
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
            return;
        };
        let name = value.get("variant").and_then(Value::as_str);
        let serde = |name: &str| value.get(name).is_some();
        let about = |event: &str| name == Some(event) || serde(event);
        if !about("InstallComplete") && !about("InstallFailed") {
            return;
        }
        let mut codes = Vec::new();
        collect(&value, &mut codes);
        for code in codes {
            let good = code.as_u64().is_some_and(|code| code <= 19);
            let text = || format!("the result code {code} is no whole number from 0 to 19");
            self.numbers.check(good, text, seq, judge);
        }
    }

    /// The order of a download's events on one connection that only listens.
    fn follow(&mut self, connection: u32, seq: u64, event: &SotaEvent, judge: &mut Judge<'_>) {
        let (Some(id), Some(opened)) = (
            event.update_id().map(str::to_owned),
            self.sockets.get(&connection),
        ) else {
            return;
        };
        // Who subscribed only shortly before the download may have missed its beginning.
        let early = |asked: &Stamp| asked.since(*opened) >= SETTLED;
        let heard_all = self.commanded.is_empty() && self.fetched.get(&id).is_some_and(early);
        let begun = self.begun.entry(connection).or_default();
        match event {
            SotaEvent::DownloadingUpdate(_) => {
                begun.insert(id, seq);
            }
            SotaEvent::DownloadComplete(_) => match begun.remove(&id) {
                Some(_) => self.ordered.met(seq),
                None if !heard_all => {}
                None => {
                    let text = format!("DownloadComplete of `{id}` without a DownloadingUpdate of its own");
                    self.ordered.violated(text, vec![seq], judge);
                }
            },
            // A download may also fail before it begins.
            SotaEvent::DownloadFailed(..) if begun.remove(&id).is_some() => {
                self.ordered.met(seq);
            }
            _ => {}
        }
    }
}

fn collect<'v>(value: &'v Value, codes: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "result_code" => codes.push(member),
                    _ => collect(member, codes),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, codes)),
        _ => {}
    }
}

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;

/// How long a connection must be open to have heard the beginning of a download that is asked for now.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(2);
