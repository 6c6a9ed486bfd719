//! Facts inside the appliance, for probes.

use super::{
    agent::EdgeAgent,
    store::{self, TEMPORARY},
};
use crate::Hardware;
use hil_unit::UnitError;
use hil_wire::edge_poll::Subnet;
use serde_json::{Map, Value, json};

/// Answers one probe of the vocabulary.
pub(super) fn answer(
    agent: &EdgeAgent,
    name: &str,
    arguments: &Map<String, Value>,
    hardware: &Hardware,
) -> Result<Value, UnitError> {
    let snap = || match arguments.get("snap_name") {
        None => Ok(agent.primary.as_str()),
        Some(_) => text(arguments, "snap_name"),
    };
    Ok(match name {
        "version" => json!(store::load_snap(&hardware.flash, snap()?).map(|snap| snap.version)),
        "installs" => json!(hardware.counted(&format!("installs/{}", snap()?))),
        "service_starts" => {
            let service = text(arguments, "service")?;
            let known = hardware
                .services
                .get(service)
                .ok_or_else(|| UnitError::BadArgument {
                    name: "service".into(),
                    problem: format!("the unit has no service `{service}`"),
                })?;
            json!(known.starts)
        }
        "executions" => json!(hardware.counted(&format!("executions/{}", text(arguments, "id")?))),
        "config" => json!(agent.configured(text(arguments, "key")?)),
        "memory" => json!(agent.memory()),
        "temporary_files" => json!(hardware.flash.names(TEMPORARY).count()),
        "probed_addresses" => {
            let subnet = hardware.observed("discovery").and_then(Value::as_str);
            let subnet: Option<Subnet> = subnet.and_then(|text| text.parse().ok());
            let addresses = subnet.iter().flat_map(Subnet::addresses);
            Value::Array(addresses.map(|address| json!(address.to_string())).collect())
        }
        _ => {
            return Err(UnitError::UnknownName {
                kind: "probe",
                name: name.to_owned(),
            });
        }
    })
}

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<&'a str, UnitError> {
    let value = arguments.get(name).and_then(Value::as_str);
    value.ok_or_else(|| UnitError::BadArgument {
        name: name.to_owned(),
        problem: "a text is expected".into(),
    })
}
