//! JSON schema of unit files, for editors. The reader decides; the schema only helps while typing.

use super::{ADAPTER_REQUESTS, DriverKind, HookFormat, ROLES, RestartWhen, StopSignal, faces_of};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};

/// JSON schema (draft 2020-12) of a unit file.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hil unit file",
        "type": "object",
        "required": ["name", "protocol", "driver"],
        "additionalProperties": false,
        "properties": {
            "name": described(json!({"type": "string"}), "Name of the unit in reports."),
            "protocol": described(words(Protocol::ALL.map(Protocol::name)), "The protocol it speaks."),
            "driver": described(
                words(DriverKind::ALL.map(DriverKind::name)),
                "sim: hil's own simulated unit; process: a command hil starts; adapter: a command that drives the unit; remote: it runs already."
            ),
            "command": described(arguments(), "Program and arguments, with {placeholders}."),
            "environment": described(texts(), "Environment variables, with {placeholders}."),
            "working_directory": described(json!({"type": "string"}), "Where the process runs."),
            "templates": described(templates(), "Files made from templates before the first start."),
            "settings": described(texts(), "Overrides of what the mock cloud makes up, such as device_key."),
            "faces": described(faces(), "Addresses where the unit is the server."),
            "artifacts": described(artifacts(), "Images by role."),
            "timing": described(open(duration()), "Times of the unit."),
            "ics": described(
                open(json!({"type": ["boolean", "string"]})),
                "Optional features it has (true) or has not (false), and its dialect."
            ),
            "facts": described(json!({"type": "object"}), "Facts scenarios refer to as ${unit.NAME}, such as services."),
            "prepare": described(texts(), "Declared states the unit can be put in, with their ordinary values."),
            "cloud": described(
                closed(json!({
                    "bind": {"type": "string"},
                    "advertise": {"type": "string"},
                    "pki": {"type": "string"},
                    "ports": open(json!({"type": "integer", "minimum": 0, "maximum": 65535})),
                })),
                "Where the mock cloud listens, for units that cannot be told."
            ),
            "subject": described(texts(), "What exactly is tested: version, digest, and more."),
            "ready": described(
                closed(json!({"console": {"type": "string"}, "face": {"type": "string"}, "timeout": duration()})),
                "When a started process counts as ready."
            ),
            "stop": described(
                closed(json!({"signal": signals(), "timeout": duration()})),
                "How a process is stopped before it is killed."
            ),
            "restart": described(restart(), "Whether a process that ended by itself is started again."),
            "probes": described(open(hook(false)), "Commands that read facts inside the unit."),
            "stimuli": described(open(hook(true)), "Commands that do something to the unit."),
            "lab": described(lab(), "Instruments of the lab around the unit, which stand in for probes and stimuli."),
            "timeouts": described(timeouts(), "How long an adapter may take, by request.")
        }
    })
}

fn described(mut schema: Value, text: &str) -> Value {
    schema["description"] = text.into();
    schema
}

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Value {
    json!({"enum": words.into_iter().collect::<Vec<_>>()})
}

fn closed(properties: Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn open(values: Value) -> Value {
    json!({"type": ["object", "null"], "additionalProperties": values})
}

fn texts() -> Value {
    open(json!({"type": ["string", "number", "boolean"]}))
}

fn arguments() -> Value {
    json!({"type": "array", "items": {"type": "string"}, "minItems": 1})
}

fn duration() -> Value {
    json!({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"})
}

fn templates() -> Value {
    let mut template = closed(json!({"from": {"type": "string"}, "to": {"type": "string"}}));
    template["required"] = json!(["from", "to"]);
    json!({"type": ["array", "null"], "items": template})
}

fn faces() -> Value {
    let names = Protocol::ALL.into_iter().flat_map(faces_of);
    let faces = names.map(|name| ((*name).to_owned(), json!({"type": "string"})));
    let mut schema = closed(Value::Object(faces.collect::<Map<_, _>>()));
    schema["type"] = json!(["object", "null"]);
    schema
}

fn artifacts() -> Value {
    let text = json!({"type": "string"});
    let mut long = closed(json!({"path": text, "name": text, "version": {"type": ["string", "number"]}}));
    long["required"] = json!(["path"]);
    let artifact = json!({"anyOf": [text, long]});
    let roles = ROLES.into_iter().map(|role| (role.to_owned(), artifact.clone()));
    let mut schema = closed(Value::Object(roles.collect::<Map<_, _>>()));
    schema["type"] = json!(["object", "null"]);
    schema
}

fn restart() -> Value {
    let when = words(RestartWhen::ALL.map(RestartWhen::name));
    let mut long = closed(json!({"when": when, "delay": duration()}));
    long["required"] = json!(["when"]);
    json!({"anyOf": [when, long]})
}

fn hook(undoes: bool) -> Value {
    let format = words(HookFormat::ALL.map(HookFormat::name));
    let mut members = json!({"command": arguments(), "format": format, "timeout": duration()});
    if undoes {
        members["undo"] = described(arguments(), "Takes back what the command did.");
    }
    let mut long = closed(members);
    long["required"] = json!(["command"]);
    json!({"anyOf": [arguments(), long]})
}

fn lab() -> Value {
    let text = json!({"type": "string"});
    let required = |mut schema: Value, names: &[&str]| {
        schema["required"] = json!(names);
        schema
    };
    let tap = closed(
        json!({"segment": text, "subnet": text, "source": text, "ignore": {"type": "array", "items": text}}),
    );
    let time_server = closed(json!({"address": text, "every": duration()}));
    closed(json!({
        "tap": required(tap, &["segment", "subnet"]),
        "module": text,
        "names": text,
        "time_server": required(time_server, &["address", "every"]),
    }))
}

fn timeouts() -> Value {
    let limits = ADAPTER_REQUESTS.map(|request| (request.to_owned(), duration()));
    let mut schema = closed(Value::Object(limits.into_iter().collect()));
    schema["type"] = json!(["object", "null"]);
    schema
}

fn signals() -> Value {
    let names = StopSignal::ALL.map(StopSignal::name);
    let long = names.map(|name| format!("SIG{name}"));
    words(names.into_iter().chain(long.iter().map(String::as_str)))
}
