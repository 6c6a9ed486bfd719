//! What replies carry back: id, tag, sender and recipient (OTA-RPC-001, OTA-RPC-002, OTA-RPC-006).

use crate::{Judge, Monitor, Tally, message::recorded_request};
use hil_trace::{Event, HowClosed, Record, RecordBody, Stamp, Who};
use hil_wire::ota_rpc::{Id, http::Form, http::parse_request};
use serde_json::Value;
use std::collections::BTreeMap;

/// Follows calls to their replies.
pub(super) struct ReplyMonitor {
    /// Every call made, by transport: whatever was asked may still be answered.
    asked: BTreeMap<String, Vec<Asked>>,
    /// Notifications posted over HTTP, by exchange.
    notified: BTreeMap<u32, u64>,
    line: Line,
    same_id: Tally,
    silent: Tally,
    mirrored: Tally,
}

/// What came over the serial line. Until it answers a request of this trace, replies may be to requests of whoever used
/// it before: a line keeps what nobody read.
#[derive(Default)]
struct Line {
    answers: bool,
    /// Replies to requests nobody here made: what is wrong, and where.
    strange: Vec<(String, u64)>,
}

struct Asked {
    id: Value,
    src: Value,
    tag: Value,
    record: u64,
}

impl Default for ReplyMonitor {
    fn default() -> Self {
        ReplyMonitor {
            asked: BTreeMap::new(),
            notified: BTreeMap::new(),
            line: Line::default(),
            same_id: Tally::new("OTA-RPC-001"),
            silent: Tally::new("OTA-RPC-002"),
            mirrored: Tally::new("OTA-RPC-006"),
        }
    }
}

impl Monitor for ReplyMonitor {
    fn name(&self) -> &'static str {
        "ota-rpc/reply"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["OTA-RPC-001", "OTA-RPC-002", "OTA-RPC-006"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        self.notification(record, judge);
        for event in events {
            match (event.who, event.name.as_str(), event.text("transport")) {
                // These forms carry no id.
                (_, _, None | Some("rest" | "query")) => {}
                (Who::Cloud, "call", Some(transport)) => {
                    let field = |name: &str| event.field(name).cloned().unwrap_or_default();
                    let asked = Asked {
                        id: field("id"),
                        src: field("src"),
                        tag: field("tag"),
                        record: record.seq,
                    };
                    self.asked.entry(transport.to_owned()).or_default().push(asked);
                }
                (Who::Unit, "reply", Some(transport)) => self.reply(transport, record.seq, event, judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        if !self.line.answers {
            for (text, seq) in self.line.strange.drain(..) {
                self.same_id.violated(text, vec![seq], judge);
            }
        }
        for tally in [&mut self.same_id, &mut self.silent, &mut self.mirrored] {
            tally.close(judge);
        }
    }
}

impl ReplyMonitor {
    fn reply(&mut self, transport: &str, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let is_frame = event.text("form").is_none_or(|form| form == "frame");
        let asked = self.asked.get(transport).map_or(&[][..], Vec::as_slice);
        if !is_frame || event.text("method").is_none() && transport == "http" {
            return;
        }
        // Over HTTP the exchange tells which request was meant; its record stands first.
        let call = match transport {
            "http" => asked
                .iter()
                .rev()
                .find(|asked| event.records.contains(&asked.record)),
            _ => {
                let id = event.field("id").and_then(Id::from_value);
                asked.iter().rev().find(|asked| {
                    let known = Id::from_value(&asked.id);
                    known
                        .zip(id.clone())
                        .is_some_and(|(known, id)| known.answers(&id))
                })
            }
        };
        let told = event.field("id").cloned().unwrap_or_default();
        let Some(call) = call else {
            let text = format!("a reply with the id {told}, which no request had");
            match transport {
                "http" => {}
                "serial" if !self.line.answers => self.line.strange.push((text, seq)),
                _ => self.same_id.violated(text, vec![seq], judge),
            }
            return;
        };
        self.line.answers |= transport == "serial";
        let answers = Id::from_value(&call.id)
            .zip(Id::from_value(&told))
            .is_some_and(|(asked, told)| asked.answers(&told));
        if call.id.is_null() {
            return;
        }
        if answers {
            self.same_id.met(seq);
        } else {
            let text = format!("the request had the id {}, its reply has {told}", call.id);
            self.same_id.violated(text, vec![call.record, seq], judge);
        }
        if call.src.is_null() && call.tag.is_null() {
            return;
        }
        let field = |name: &str| event.field(name).cloned().unwrap_or_default();
        let mirrored = field("tag") == call.tag && (call.src.is_null() || field("dst") == call.src);
        if mirrored {
            self.mirrored.met(seq);
        } else {
            let text = "the reply does not carry back tag and sender of its request";
            self.mirrored.violated(text, vec![call.record, seq], judge);
        }
    }

    fn notification(&mut self, record: &Record, judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::HttpRequest {
                exchange,
                face,
                method,
                target,
                headers,
                body,
                ..
            } if face == "rpc-http" => {
                let request = recorded_request(method, target, headers, body);
                let call = parse_request(&request).ok();
                if call.is_some_and(|call| {
                    call.form == Form::Frame
                        && call.frame.called_method().is_some()
                        && call.frame.id.is_none()
                }) {
                    self.notified.insert(*exchange, record.seq);
                }
            }
            RecordBody::HttpResponse {
                exchange,
                body,
                status,
                ..
            } => {
                let Some(request) = self.notified.remove(exchange) else {
                    return;
                };
                // A bare status is the web server's; a frame is an answer.
                let frame = hil_wire::ota_rpc::decode(body.bytes()).value;
                if *status == 200
                    && frame.is_some_and(|frame| frame.result.is_some() || frame.error.is_some())
                {
                    let text = "a request without id was answered with a frame";
                    self.silent.violated(text, vec![request, record.seq], judge);
                }
            }
            RecordBody::HttpUnanswered { exchange, .. } => {
                // Silence is judged by scenarios, which see whether it was carried out.
                self.notified.remove(exchange);
            }
            _ => {}
        }
    }
}
