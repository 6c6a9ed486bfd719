//! One record in a few words, for what no event speaks for.

use super::{Lane, Shape};
use crate::text;
use hil_trace::{
    Blame, Ending, FaultPhase, HowClosed, HttpEnding, Party, Payload, Record, RecordBody, StepOutcome,
    UnitChange,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How long a title, a body and a field may be.
const TITLE: usize = 90;
const BODY: usize = 140;
const FIELD: usize = 60;
/// Fields shown of a map of facts.
const FIELDS: usize = 8;

/// How a record is drawn.
pub(crate) struct Drawn {
    pub(crate) shape: Shape,
    pub(crate) title: String,
    pub(crate) fields: Vec<(String, String)>,
}

/// What is known of HTTP exchanges: who asked for what.
pub(crate) struct Exchanges(BTreeMap<u32, Asked>);

struct Asked {
    by: Party,
    words: String,
    record: u64,
}

impl Exchanges {
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut exchanges = BTreeMap::new();
        for record in records {
            if let RecordBody::HttpRequest {
                exchange,
                from,
                method,
                target,
                ..
            } = &record.what
            {
                let words = text::short(&format!("{method} {target}"), FIELD);
                let asked = Asked {
                    by: *from,
                    words,
                    record: record.seq,
                };
                exchanges.insert(*exchange, asked);
            }
        }
        Exchanges(exchanges)
    }

    /// What was asked for, unless the answer follows at once.
    fn question(&self, exchange: u32, answer: u64) -> Option<(String, String)> {
        match self.0.get(&exchange) {
            Some(asked) if asked.record + 1 == answer => None,
            Some(asked) => Some(named("to", &asked.words)),
            None => Some(named("exchange", &exchange)),
        }
    }

    fn asker(&self, exchange: u32) -> Party {
        self.0.get(&exchange).map_or(Party::Unit, |asked| asked.by)
    }
}

/// The drawing of a record; `None` for what only repeats another row.
pub(crate) fn describe(record: &Record, exchanges: &Exchanges) -> Option<Drawn> {
    let drawn = match &record.what {
        RecordBody::ConnectionOpened { connection, face, by } => {
            let fields = vec![named("connection", connection), named("face", face)];
            carrier(*by, "connected", fields)
        }
        RecordBody::TlsEstablished {
            connection,
            version,
            peer,
        } => {
            let mut fields = vec![named("connection", connection), named("version", version)];
            fields.extend(peer.iter().map(|p| named("peer", &p.common_name)));
            carrier(Party::Cloud, "TLS established", fields)
        }
        RecordBody::TlsRefused { connection, reason } => {
            let fields = vec![named("connection", connection), bare(reason)];
            drawn(message(Party::Unit, true, false), "TLS refused", fields)
        }
        RecordBody::ConnectionClosed {
            connection,
            ending,
            by,
        } => {
            let how = match ending {
                Ending::Fin => "closed",
                Ending::Reset => "reset",
                Ending::Broken => "broken off",
            };
            carrier(*by, how, vec![named("connection", connection)])
        }
        RecordBody::HttpRequest {
            from,
            method,
            target,
            body,
            ..
        } => drawn(
            message(*from, false, false),
            &format!("{method} {target}"),
            payload(body),
        ),
        RecordBody::HttpResponse {
            exchange,
            from,
            status,
            body,
            ending,
            ..
        } => {
            let cut = *ending == HttpEnding::Cut;
            let mut fields = Vec::from_iter(exchanges.question(*exchange, record.seq));
            fields.extend(payload(body));
            let title = match cut {
                true => format!("{status}, cut short"),
                false => status.to_string(),
            };
            drawn(message(*from, cut, false), &title, fields)
        }
        RecordBody::HttpUnanswered { exchange, reason } => {
            let answerer = match exchanges.asker(*exchange) {
                Party::Cloud => Party::Unit,
                Party::Unit | Party::Operator => Party::Cloud,
            };
            let mut fields = Vec::from_iter(exchanges.question(*exchange, record.seq));
            fields.push(bare(reason));
            drawn(message(answerer, true, false), "no answer", fields)
        }
        RecordBody::WebSocketOpened { connection, .. } => carrier(
            Party::Cloud,
            "WebSocket opened",
            vec![named("connection", connection)],
        ),
        RecordBody::WebSocketFrame {
            from,
            opcode,
            fin,
            payload: bytes,
            ..
        } => web_socket_frame(*from, *opcode, *fin, bytes),
        RecordBody::Bytes {
            from, payload: bytes, ..
        } => {
            let title = text::count(bytes.length(), "byte");
            drawn(message(*from, false, false), &title, payload(bytes))
        }
        RecordBody::Datagram {
            face,
            from,
            facts: known,
            ..
        } => drawn(message(*from, false, false), face, facts(known)),
        RecordBody::Console { payload: bytes, .. } => drawn(
            Shape::Console,
            &text::bytes(bytes.bytes(), bytes.length(), BODY),
            Vec::new(),
        ),
        RecordBody::Unit { change, facts: known } => drawn(Shape::Life, life(*change), facts(known)),
        RecordBody::Probe {
            name,
            arguments,
            result,
        } => harness(Lane::Unit, &format!("read {name}"), arguments, result),
        RecordBody::Stimulus {
            name,
            arguments,
            result,
        } => harness(Lane::Unit, name, arguments, result),
        RecordBody::Cloud { name, facts: known } => drawn(Shape::Note(Lane::Cloud), name, facts(known)),
        RecordBody::Fault {
            name,
            phase,
            facts: known,
            ..
        } => {
            let phase = match phase {
                FaultPhase::Armed => "armed",
                FaultPhase::Acted => "acted",
                FaultPhase::Cleared => "cleared",
            };
            drawn(Shape::Fault, &format!("{name} {phase}"), facts(known))
        }
        RecordBody::StepStarted {
            step,
            verb,
            subject,
            arguments,
        } => {
            let fields = match arguments {
                Value::Null => Vec::new(),
                Value::Object(map) => facts(map),
                other => vec![bare(&text::value(other, FIELD))],
            };
            drawn(Shape::Step, &format!("{step} {verb} {subject}"), fields)
        }
        // a step that did what it says needs no second row
        RecordBody::StepFinished {
            outcome: StepOutcome::Done,
            ..
        } => return None,
        RecordBody::StepFinished {
            step,
            outcome,
            result,
        } => {
            let words = match outcome {
                StepOutcome::Done => "done",
                StepOutcome::Unmet => "not met",
                StepOutcome::Refused => "refused",
                StepOutcome::Interrupted => "interrupted",
            };
            let fields = match result {
                Value::Null => Vec::new(),
                other => vec![bare(&text::value(other, BODY))],
            };
            drawn(Shape::Step, &format!("{step} {words}"), fields)
        }
        RecordBody::Trouble { blame, text: words } => {
            let whose = match blame {
                Blame::Unit => "unit",
                Blame::Cloud => "mock cloud",
                Blame::Lab => "lab",
                Blame::Harness => "harness",
            };
            drawn(Shape::Trouble, whose, vec![bare(words)])
        }
        RecordBody::Closed { how } => {
            let words = match how {
                HowClosed::Complete => "end of the scenario",
                HowClosed::Interrupted => "interrupted",
                HowClosed::TimedOut => "timed out",
            };
            drawn(Shape::End, words, Vec::new())
        }
    };
    Some(drawn)
}

fn web_socket_frame(from: Party, opcode: u8, fin: bool, bytes: &Payload) -> Drawn {
    let (title, quiet) = match opcode {
        0 => ("continuation", false),
        1 => ("text", false),
        2 => ("binary", false),
        8 => ("close", false),
        9 => ("ping", true),
        10 => ("pong", true),
        _ => ("frame of unknown kind", false),
    };
    let mut fields = payload(bytes);
    if !fin {
        fields.push(bare("more follows"));
    }
    drawn(message(from, false, quiet), title, fields)
}

fn harness(lane: Lane, title: &str, arguments: &Map<String, Value>, result: &Result<Value, String>) -> Drawn {
    let mut fields = facts(arguments);
    fields.push(match result {
        Ok(value) => ("→".to_owned(), text::value(value, FIELD)),
        Err(reason) => bare(&format!("failed: {}", text::short(reason, BODY))),
    });
    drawn(Shape::Harness(lane), title, fields)
}

fn life(change: UnitChange) -> &'static str {
    match change {
        UnitChange::Started => "started",
        UnitChange::Booted => "booted",
        UnitChange::PowerCut => "power cut",
        UnitChange::PowerRestored => "power restored",
        UnitChange::Rebooted => "rebooted",
        UnitChange::Stopped => "stopped",
        UnitChange::Exited => "exited",
    }
}

fn carrier(by: Party, title: &str, fields: Vec<(String, String)>) -> Drawn {
    drawn(message(by, false, true), title, fields)
}

/// What an operator sends is something the harness does to the cloud.
fn message(from: Party, lost: bool, quiet: bool) -> Shape {
    match from {
        Party::Unit => Shape::Message {
            from: Lane::Unit,
            lost,
            quiet,
        },
        Party::Cloud => Shape::Message {
            from: Lane::Cloud,
            lost,
            quiet,
        },
        Party::Operator => Shape::Harness(Lane::Cloud),
    }
}

fn drawn(shape: Shape, title: &str, fields: Vec<(String, String)>) -> Drawn {
    Drawn {
        shape,
        title: text::short(title, TITLE),
        fields,
    }
}

fn payload(payload: &Payload) -> Vec<(String, String)> {
    match payload.length() {
        0 => Vec::new(),
        length => vec![bare(&text::bytes(payload.bytes(), length, BODY))],
    }
}

fn facts(facts: &Map<String, Value>) -> Vec<(String, String)> {
    facts
        .iter()
        .filter(|(_, value)| !value.is_null())
        .take(FIELDS)
        .map(|(name, value)| (text::short(name, FIELD), text::value(value, FIELD)))
        .collect()
}

fn named(name: &str, value: &impl ToString) -> (String, String) {
    (name.to_owned(), text::short(&value.to_string(), FIELD))
}

fn bare(value: &str) -> (String, String) {
    (String::new(), text::short(value, BODY))
}
