//! The schema of a whole scenario file.

use super::{
    shapes,
    step::{Names, steps_of},
};
use crate::{CAPABILITIES, Fields, TIERS, Vocabulary};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};

/// JSON Schema (draft 2020-12) of scenario files. What may be used in steps depends on `protocol`.
pub fn schema(vocabulary: &Vocabulary) -> Value {
    let mut definitions = common_definitions();
    let mut by_protocol = Vec::new();
    for protocol in Protocol::ALL {
        let words = vocabulary.words(protocol);
        let name = protocol.name();
        steps_of(words, &Names::new(name), &mut definitions);
        by_protocol.push(json!({
            "if": {"properties": {"protocol": {"const": name}}},
            "then": {"properties": {
                "steps": {"$ref": format!("#/$defs/{name}-steps")},
                "prepare": section(&words.prepare),
                "cloud": section(&words.cloud),
            }},
        }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hil scenario",
        "description": "A declarative test of a unit that speaks one of the protocols.",
        "type": "object",
        "required": ["name", "protocol", "steps"],
        "properties": properties(),
        "additionalProperties": false,
        "allOf": by_protocol,
        "$defs": definitions,
    })
}

fn properties() -> Value {
    json!({
        "name": {"type": "string", "description": "What the scenario shows, in one line."},
        "protocol": {
            "enum": Protocol::ALL.map(Protocol::name),
            "description": "The protocol the unit speaks.",
        },
        "verifies": {"$ref": "#/$defs/verifies"},
        "provokes": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "What happens to the unit that a requirement needs, by id, where no stimulus of the catalogue says it.",
        },
        "needs": {
            "type": "array",
            "items": {"enum": CAPABILITIES},
            "description": "Capabilities of driver and lab beyond those the words used imply.",
        },
        "applies_when": {
            "type": "object",
            "properties": {
                "feature": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                "dialect": {"type": "string"},
            },
            "additionalProperties": {"type": ["boolean", "string", "number"]},
            "description": "Optional features and options without which it does not apply.",
        },
        "tags": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[a-z0-9-]+$"},
            "uniqueItems": true,
            "description": "For selection; `long` runs only when asked for.",
        },
        "params": {
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/name"},
            "additionalProperties": {"anyOf": [{"$ref": "#/$defs/tiers"}, {"not": {"type": "object"}}]},
            "description": "Parameters: a value, or values by tier.",
        },
        "prepare": {"type": "object", "description": "The declared state before the first step."},
        "cloud": {"type": "object", "description": "Options of the mock cloud."},
        "repeat": {"type": "integer", "minimum": 1, "description": "How often it runs."},
        "sweep": sweep(),
        "timeout": {
            "$ref": "#/$defs/duration",
            "description": "How long one instance may take on the bench's clock; 600 s if not said.",
        },
        "steps": {"type": "array", "minItems": 1},
    })
}

fn sweep() -> Value {
    let end = |which: &str| json!({"$ref": "#/$defs/name", "description": which});
    json!({
        "type": "object",
        "description": "Runs the scenario once for each point at which power is cut, and once without a cut.",
        "properties": {
            "cut": {"enum": ["flash_writes", "time"], "description": "Every write to flash, or points in time."},
            "from": end("The step whose end the points are counted from."),
            "to": end("The step with whose end they end."),
            "torn": {"type": "boolean", "description": "Also with each write half done; flash_writes only."},
            "every": {"$ref": "#/$defs/duration", "description": "Points so far apart; time only."},
            "points": {
                "type": "integer", "minimum": 1, "maximum": 10_000,
                "description": "So many points, evenly spaced; time only.",
            },
            "power_back_after": {"$ref": "#/$defs/duration", "description": "How long power stays away; 2s if not said."},
            "wear": {"type": "integer", "minimum": 1, "description": "At most so many flash writes are spent."},
            "outcomes": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "What a point can come to: words, each with the CEL condition over named steps that tells it.",
            },
        },
        "required": ["cut", "from", "to"],
        "additionalProperties": false,
    })
}

fn common_definitions() -> Map<String, Value> {
    let tiers: Map<String, Value> = TIERS.iter().map(|tier| ((*tier).to_owned(), json!({}))).collect();
    let definitions = json!({
        "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
        "reference": {
            "type": "string",
            "pattern": r"^\$\{[^}]+\}$",
            "description": "A reference such as ${queued.id}, ${params.size}, ${unit.poll_interval}.",
        },
        "duration": {
            "type": "string",
            "pattern": r"^[0-9.]+(ms|s|m|h|d)$",
            "description": "Such as 500ms, 3s, 5m, 1h.",
        },
        "span": {"type": "string", "description": "Such as 3s, or ${unit.poll_interval} * 2."},
        "moment": {"type": "string", "description": "A step and a span, such as nacked + 3s."},
        "count": shapes::or_reference(json!({"type": "integer", "minimum": 1})),
        "verifies": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[A-Z0-9]+-[A-Z0-9-]+$"},
            "uniqueItems": true,
            "description": "Ids of requirements.",
        },
        "tiers": {
            "type": "object",
            "properties": tiers,
            "required": ["default"],
            "additionalProperties": false,
        },
    });
    match definitions {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn section(fields: &Fields) -> Value {
    match fields.is_empty() {
        true => json!({"type": "object"}),
        false => shapes::fields(fields, false),
    }
}
