//! Facts inside the device, for probes, and what stimuli do to it.

use super::{
    boot,
    files::{self, Class},
    module::{Behaviour, Module},
    store::{self, CONFIGURATION, STATUSES, TELEMETRY, Telemetry},
};
use crate::{Context, Hardware};
use hil_trace::Stamp;
use hil_unit::UnitError;
use serde_json::{Map, Value, json};

/// Answers one probe of the vocabulary.
pub(super) fn answer(
    name: &str,
    arguments: &Map<String, Value>,
    hardware: &Hardware,
) -> Result<Value, UnitError> {
    let flash = &hardware.flash;
    Ok(match name {
        "version" => json!(boot::running_version(hardware)),
        "slot" => json!(hardware.active_slot),
        "executions" => json!(hardware.counted(&format!("executions/{}", text(arguments, "id")?))),
        // Without a clock only what is certain can be said: a module that is coming back counts as back.
        "module" => json!(Module::load(flash).state(Stamp(u64::MAX))),
        "module_resets" => {
            let resets = Module::load(flash).resets;
            match arguments.get("type").and_then(Value::as_str) {
                Some(kind) => json!(resets.get(kind).copied().unwrap_or(0)),
                None => json!(resets.values().sum::<u64>()),
            }
        }
        "calibration" => {
            let calibrated = Module::load(flash).calibrated;
            json!(if calibrated { "calibrated" } else { "erased" })
        }
        "config" => {
            let key = text(arguments, "key")?;
            let values: Map<String, Value> = store::load(flash, CONFIGURATION).unwrap_or_default();
            let default = if key == "log_level" {
                json!("info")
            } else {
                Value::Null
            };
            values.get(key).cloned().unwrap_or(default)
        }
        "records" => json!(telemetry(hardware).len()),
        "files" => json!(flash.names(class(arguments)?.folder()).count()),
        "unsent_statuses" => json!(flash.names(STATUSES).count()),
        _ => {
            return Err(UnitError::UnknownName {
                kind: "probe",
                name: name.to_owned(),
            });
        }
    })
}

/// Applies one stimulus of the vocabulary.
pub(super) fn apply(
    name: &str,
    arguments: &Map<String, Value>,
    context: &mut Context<'_>,
) -> Result<Value, UnitError> {
    match name {
        "module" => {
            let behaviour = match text(arguments, "behaviour")? {
                "well" => Behaviour::Well,
                "silent" => Behaviour::Silent,
                "slow" => Behaviour::Slow(number(arguments, "seconds")?),
                "deaf" => Behaviour::Deaf,
                "forgetful" => Behaviour::Forgetful,
                _ => {
                    return Err(bad(
                        "behaviour",
                        "well, silent, slow, deaf or forgetful is expected",
                    ));
                }
            };
            behave(behaviour, context);
            Ok(Value::Object(arguments.clone()))
        }
        "add_records" => {
            let count = whole(arguments, "count")?;
            let spacing = number(arguments, "spacing").unwrap_or(60.0);
            let mut records = telemetry(context.hardware);
            for index in (0..count).rev() {
                records.push(record(
                    context.wall_ms() - (index as f64 * spacing * 1000.0) as i64,
                    index,
                ));
            }
            store::save(&mut context.hardware.flash, TELEMETRY, &records);
            Ok(json!({"count": count, "records": records.len()}))
        }
        "add_files" => {
            let class = class(arguments)?;
            let count = whole(arguments, "count")?;
            let age = (number(arguments, "age_days").unwrap_or(0.0) * 86_400.0) as i64;
            let bytes = arguments.get("bytes").and_then(Value::as_u64).unwrap_or(100);
            let written = context.wall_ms().div_euclid(1000) - age;
            let first = context.hardware.flash.names(class.folder()).count() as u64;
            for number in first..first + count {
                let name = files::file_name(class, written, number);
                let done = context.hardware.flash.write(&name, files::content(bytes));
                done.map_err(|error| UnitError::Dead(error.to_string()))?;
            }
            Ok(json!({"count": count}))
        }
        "configure" => {
            let flash = &mut context.hardware.flash;
            let mut values: Map<String, Value> = store::load(flash, CONFIGURATION).unwrap_or_default();
            let value = arguments.get("value").cloned().unwrap_or_default();
            values.insert(text(arguments, "key")?.to_owned(), value);
            store::save(flash, CONFIGURATION, &values);
            Ok(json!({}))
        }
        _ => Err(UnitError::UnknownName {
            kind: "stimulus",
            name: name.to_owned(),
        }),
    }
}

/// Takes back one stimulus of the vocabulary.
pub(super) fn undo(name: &str, context: &mut Context<'_>) -> Result<Value, UnitError> {
    if name != "module" {
        return Err(UnitError::NotSupported(format!("undo stimulus `{name}`")));
    }
    behave(Behaviour::Well, context);
    Ok(json!({"behaviour": "well"}))
}

fn behave(behaviour: Behaviour, context: &mut Context<'_>) {
    let mut module = Module::load(&context.hardware.flash);
    module.behaviour = behaviour;
    module.save(&mut context.hardware.flash);
}

fn telemetry(hardware: &Hardware) -> Vec<Telemetry> {
    store::load(&hardware.flash, TELEMETRY).unwrap_or_default()
}

fn record(at_ms: i64, index: u64) -> Telemetry {
    let values = json!({"heart_rate": 60 + index % 20, "note": "calm, \"asleep\""});
    Telemetry {
        at_ms,
        values: values.as_object().cloned().unwrap_or_default(),
        raw: json!([index, index + 1, index + 2]),
    }
}

fn class(arguments: &Map<String, Value>) -> Result<Class, UnitError> {
    Class::from_name(text(arguments, "class")?)
        .ok_or_else(|| bad("class", "logs, temporary, batches or exports is expected"))
}

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<&'a str, UnitError> {
    let value = arguments.get(name).and_then(Value::as_str);
    value.ok_or_else(|| bad(name, "a text is expected"))
}

fn number(arguments: &Map<String, Value>, name: &str) -> Result<f64, UnitError> {
    let value = arguments.get(name).and_then(Value::as_f64);
    value.ok_or_else(|| bad(name, "a number is expected"))
}

fn whole(arguments: &Map<String, Value>, name: &str) -> Result<u64, UnitError> {
    let value = arguments.get(name).and_then(Value::as_u64);
    value.ok_or_else(|| bad(name, "a whole number is expected"))
}

fn bad(name: &str, problem: &str) -> UnitError {
    UnitError::BadArgument {
        name: name.to_owned(),
        problem: problem.to_owned(),
    }
}
