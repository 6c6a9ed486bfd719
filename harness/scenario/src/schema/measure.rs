//! The schema of `measure`.

use super::step::event_cases;
use crate::{Which, Words};
use hil_trace::Quantile;
use serde_json::{Value, json};

/// A step, or an event of the protocol.
pub(super) fn end(events: Value, words: &Words) -> Value {
    let mut event = json!({
        "type": "object",
        "properties": {
            "event": events,
            "match": {"type": "object", "description": "Fields the event has; others are free."},
            "where": {"type": "string", "description": "A CEL condition, such as event.count > 1."},
            "after": {"$ref": "#/$defs/moment", "description": "Not before this moment."},
            "before": {"$ref": "#/$defs/moment", "description": "Not after this moment."},
            "which": {
                "enum": Which::ALL.map(Which::name),
                "description": "Which of those that came by now; the first if not said.",
            },
        },
        "required": ["event"],
        "additionalProperties": false,
    });
    let cases = event_cases("event", words);
    if !cases.is_empty() {
        event["allOf"] = Value::Array(cases);
    }
    // Told apart first, so that an editor completes the event and not both.
    json!({"if": {"type": "object"}, "then": event, "else": {"$ref": "#/$defs/name"}})
}

/// Two ends, bounds of each value, bounds over all repeats.
pub(super) fn measure(end: Value) -> Value {
    let span = |summary: &str| json!({"$ref": "#/$defs/span", "description": summary});
    let mut properties = json!({
        "from": end,
        "to": end,
        "min": span("Each value is at least this."),
        "max": span("Each value is at most this."),
        "drift": span("How far the trend over all repeats carries the value at most, up or down."),
    });
    for quantile in Quantile::ALL {
        let name = quantile.name();
        properties[name] = json!({
            "type": "object",
            "properties": {
                "min": span(&format!("The {name} over all repeats is at least this.")),
                "max": span(&format!("The {name} over all repeats is at most this.")),
            },
            "minProperties": 1,
            "additionalProperties": false,
            "description": format!("Takes {} repeats to say.", quantile.fewest()),
        });
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": ["from", "to"],
        "additionalProperties": false,
    })
}
