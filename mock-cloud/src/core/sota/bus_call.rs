//! Calls of the client over D-Bus as a step asks for them (reference section 2.5).

use super::{
    bus::Calling,
    command::{bad, span, word},
};
use crate::core::ActError;
use hil_wire::{
    dbus::{Message, from_json, is_bus_name, is_interface, is_member, is_path},
    sota::bus::{
        CLIENT, CLIENT_PATH, INITIATE_DOWNLOAD, INSTALLED_SIGNATURE, UPDATE_REPORT, UPDATE_REPORT_SIGNATURE,
    },
};
use serde_json::{Map, Value, json};

/// Reads the arguments of `cloud.initiate_download`, `cloud.update_report` and `cloud.bus_call`.
pub(super) fn read(action: &str, with: &Map<String, Value>) -> Result<Calling, ActError> {
    let id = || word(with, "id").ok_or_else(|| bad("id", "is needed"));
    let (method, signature, arguments) = match action {
        "initiate_download" => (INITIATE_DOWNLOAD, "s", vec![json!(id()?)]),
        "update_report" => {
            let arguments = vec![json!(id()?), results(with, id()?)?];
            (UPDATE_REPORT, UPDATE_REPORT_SIGNATURE, arguments)
        }
        _ => {
            let method = word(with, "method").ok_or_else(|| bad("method", "is needed"))?;
            let arguments = match with.get("arguments") {
                Some(Value::Array(arguments)) => arguments.clone(),
                _ => Vec::new(),
            };
            (method, word(with, "signature").unwrap_or_default(), arguments)
        }
    };
    let named = |name: &str, default: &'static str, is_one: fn(&str) -> bool| {
        let text = word(with, name).unwrap_or(default);
        match is_one(text) {
            true => Ok(text.to_owned()),
            false => Err(bad(name, "is none")),
        }
    };
    if !is_member(method) {
        return Err(bad("method", "is no name of a method"));
    }
    let arguments = from_json(signature, &arguments).map_err(|error| bad("arguments", &error.to_string()))?;
    let destination = named("destination", CLIENT, is_bus_name)?;
    let path = named("path", CLIENT_PATH, is_path)?;
    let interface = named("interface", CLIENT, is_interface)?;
    Ok(Calling {
        message: Message::call(&destination, &path, &interface, method).with(&arguments),
        limit: span(with, "limit", 20.0),
    })
}

/// The packages and firmwares of `cloud.installed_software`.
pub(super) fn software(with: &Map<String, Value>) -> Result<(Vec<Value>, Vec<Value>), ActError> {
    let list = |name: &str| {
        with.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let (packages, firmwares) = (list("packages"), list("firmwares"));
    let both = [json!(packages), json!(firmwares)];
    from_json(INSTALLED_SIGNATURE, &both).map_err(|error| bad("packages", &error.to_string()))?;
    Ok((packages, firmwares))
}

/// The results as they are given, or one of `result_code` and `result_text`.
fn results(with: &Map<String, Value>, id: &str) -> Result<Value, ActError> {
    if let Some(results @ Value::Array(_)) = with.get("results") {
        return Ok(results.clone());
    }
    let code = with.get("result_code").cloned().unwrap_or(json!(0));
    let text = word(with, "result_text").unwrap_or_default();
    Ok(json!([{"id": id, "result_code": code, "result_text": text}]))
}
