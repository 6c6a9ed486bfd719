//! Events every protocol shares: the unit's life, facts read inside it, faults, notes of the cloud, console output.

use hil_trace::{ConsoleStream, Event, FaultPhase, Party, Record, RecordBody, UnitChange, Who};
use serde_json::{Map, Value, json};

/// The shared event of a record, if it has one.
pub(crate) fn common_event(record: &Record) -> Option<Event> {
    match &record.what {
        RecordBody::Unit { change, facts } => {
            let name = match change {
                UnitChange::Started => "started",
                UnitChange::Booted => "booted",
                UnitChange::PowerCut => "power_cut",
                UnitChange::PowerRestored => "power_restored",
                UnitChange::Rebooted => "rebooted",
                UnitChange::Stopped => "stopped",
                UnitChange::Exited => "exited",
            };
            Some(event(record, Who::Unit, name, facts.clone()))
        }
        RecordBody::Cloud { name, facts } => Some(event(record, Who::Cloud, name, facts.clone())),
        RecordBody::Fault {
            name,
            phase,
            facts,
            id,
        } => {
            let phase = match phase {
                FaultPhase::Armed => "armed",
                FaultPhase::Acted => "acted",
                FaultPhase::Cleared => "cleared",
            };
            let mut facts = facts.clone();
            facts.insert("fault".to_owned(), json!(name));
            facts.insert("id".to_owned(), json!(id));
            Some(event(record, Who::Fault, phase, facts))
        }
        RecordBody::Probe {
            name,
            arguments,
            result: Ok(value),
        } => {
            let mut facts = arguments.clone();
            facts.insert("name".to_owned(), json!(name));
            facts.insert("value".to_owned(), value.clone());
            Some(event(record, Who::Unit, "probed", facts))
        }
        RecordBody::TlsRefused { reason, .. } => {
            let facts = fields(json!({"reason": reason}));
            Some(event(record, Who::Unit, "tls_refused", facts))
        }
        RecordBody::Datagram {
            face,
            from: Party::Unit,
            facts,
            ..
        } if face == "tap" => Some(event(record, Who::Unit, "packet", facts.clone())),
        RecordBody::Datagram {
            face,
            from: Party::Unit,
            facts,
            ..
        } if face == "names" => Some(event(record, Who::Unit, "name_asked", facts.clone())),
        RecordBody::Console { stream, payload } if *stream != ConsoleStream::Lab => {
            let text = String::from_utf8_lossy(payload.bytes()).into_owned();
            Some(event(record, Who::Unit, "console", fields(json!({"text": text}))))
        }
        _ => None,
    }
}

/// An event read from one record.
pub(crate) fn event(record: &Record, who: Who, name: &str, fields: Map<String, Value>) -> Event {
    Event {
        who,
        name: name.to_owned(),
        at: record.at,
        records: vec![record.seq],
        fields,
    }
}

/// Fields from a JSON object, without nulls.
pub(crate) fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}
