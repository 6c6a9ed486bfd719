//! Schemas of values and fields.

use crate::{ARTIFACT_ROLES, Field, FieldType, Fields};
use serde_json::{Map, Value, json};

/// A reference that stands for a value of any type.
pub(super) fn or_reference(schema: Value) -> Value {
    json!({"anyOf": [schema, {"$ref": "#/$defs/reference"}]})
}

/// The schema of one field's value.
pub(super) fn field(field: &Field) -> Value {
    let plain = match field.kind {
        FieldType::String if !field.values.is_empty() => json!({"enum": field.values}),
        FieldType::String => json!({"type": "string"}),
        FieldType::Artifact => json!({"type": "string", "pattern": artifact_pattern()}),
        FieldType::Integer => bounded(json!({"type": "integer"}), field),
        FieldType::Number => bounded(json!({"type": "number"}), field),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Duration => json!({"$ref": "#/$defs/span"}),
        FieldType::Object => json!({"type": "object"}),
        FieldType::List => json!({"type": "array"}),
        FieldType::Any => json!({}),
    };
    let free = matches!(field.kind, FieldType::Any | FieldType::Duration)
        || (field.kind == FieldType::String && field.values.is_empty());
    let mut schema = if free { plain } else { or_reference(plain) };
    describe(&mut schema, &field.summary);
    schema
}

fn bounded(mut schema: Value, field: &Field) -> Value {
    for (key, bound) in [("minimum", field.min), ("maximum", field.max)] {
        if let Some(bound) = bound {
            schema[key] = json!(bound);
        }
    }
    schema
}

/// A role, perhaps with what was derived from it.
fn artifact_pattern() -> String {
    format!("^({})(-[a-z0-9_-]+)?$", ARTIFACT_ROLES.join("|"))
}

/// The schema of a map of fields.
pub(super) fn fields(fields: &Fields, open: bool) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|(name, f)| (name.clone(), field(f))).collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|(_, field)| field.required)
        .map(|(name, _)| name.as_str())
        .collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !open {
        schema["additionalProperties"] = json!(false);
    }
    schema
}

/// The same for a `match`: nothing is required, and null matches what is absent.
pub(super) fn matching(known: &Fields, open: bool) -> Value {
    let mut schema = fields(known, open);
    if let Some(map) = schema.as_object_mut() {
        map.remove("required");
    }
    if let Some(properties) = schema["properties"].as_object_mut() {
        for property in properties.values_mut() {
            let summary = property.as_object_mut().and_then(|map| map.remove("description"));
            *property = json!({"anyOf": [property.take(), {"type": "null"}]});
            describe(
                property,
                summary.as_ref().and_then(Value::as_str).unwrap_or_default(),
            );
        }
    }
    schema
}

pub(super) fn describe(schema: &mut Value, summary: &str) {
    if !summary.is_empty() {
        schema["description"] = json!(summary);
    }
}
