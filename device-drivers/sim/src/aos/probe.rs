//! Facts inside the unit for probes, and what can be done to it from outside its protocol.

use super::{
    agent::{AosAgent, MAIN_NODE},
    store::{Item, instance_key},
};
use crate::{Context, Hardware};
use hil_unit::UnitError;
use serde_json::{Map, Value, json};

impl AosAgent {
    pub(super) fn answer_probe(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        hardware: &Hardware,
    ) -> Result<Value, UnitError> {
        let role = || text(arguments, "artifact");
        let number = arguments.get("instance").and_then(Value::as_u64).unwrap_or(0);
        let instance = |item: &Item| {
            let found = self.store.instances.iter();
            let mut found = found.filter(|i| i.item == item.id && i.number == number);
            found.next().cloned()
        };
        Ok(match name {
            "item" => json!(self.item(role()?, hardware).map(|item| &item.version)),
            "instances" => {
                let item = self.item(role()?, hardware);
                let active = self.store.instances.iter().filter(|i| i.state == "active");
                let count = active
                    .filter(|i| item.is_some_and(|item| item.id == i.item))
                    .count();
                json!(count)
            }
            "installs" | "starts" => {
                let image = image_name(role()?, hardware);
                json!(hardware.counted(&format!("{name}/{image}")))
            }
            "state" => {
                let instance = self.item(role()?, hardware).and_then(instance);
                let key = instance.map(|i| instance_key(&i.item, &i.subject, i.number));
                json!(key.and_then(|key| self.store.states.get(&key)))
            }
            "environment" => {
                let wanted = text(arguments, "variable")?;
                let instance = self.item(role()?, hardware).and_then(instance);
                let key = instance.map(|i| (i.item, i.subject, i.number));
                let known = self.store.variables.iter();
                let mut known = known.filter(|v| Some(&v.instance) == key.as_ref() && v.name == wanted);
                json!(known.next().map(|variable| &variable.value))
            }
            "node" => json!(self.store.nodes.get(text(arguments, "node")?)),
            "logs_pushed" => json!(hardware.counted("logs_pushed")),
            "certificate" => {
                let kind = text(arguments, "type")?;
                json!(hardware.observed(&format!("certificate/{kind}")))
            }
            _ => {
                return Err(UnitError::UnknownName {
                    kind: "probe",
                    name: name.to_owned(),
                });
            }
        })
    }

    pub(super) fn stimulated(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, UnitError> {
        match name {
            "state" => {
                let item = self.item(text(arguments, "artifact")?, context.hardware).cloned();
                let number = arguments.get("instance").and_then(Value::as_u64).unwrap_or(0);
                let state = text(arguments, "state")?;
                let mut instances = self.store.instances.iter();
                let found = instances
                    .find(|i| item.as_ref().is_some_and(|item| item.id == i.item) && i.number == number)
                    .cloned();
                let instance = found.ok_or_else(|| bad("artifact", "no such instance runs"))?;
                self.state_written(&instance.item, &instance.subject, number, state, context);
                Ok(json!({"length": state.len()}))
            }
            "load" => {
                let parameter = text(arguments, "parameter")?.to_owned();
                let percent = arguments.get("percent").and_then(Value::as_f64);
                let percent = percent.ok_or_else(|| bad("percent", "a number is expected"))?;
                self.alerts.load.insert(parameter, percent);
                self.watch_quotas(context);
                Ok(json!({"percent": percent}))
            }
            "alert" => {
                let message = text(arguments, "message")?;
                let count = arguments.get("count").and_then(Value::as_u64).unwrap_or(1);
                for _ in 0..count {
                    self.system_alert(message, context);
                }
                Ok(json!({"count": count}))
            }
            "long_log" => {
                for line in 1..=LONG_LOG {
                    self.journal(format!("line {line} of a long log"), context);
                }
                Ok(json!({"lines": LONG_LOG}))
            }
            "log_failure" => {
                self.journal_broken = arguments.get("broken") == Some(&Value::Bool(true));
                Ok(json!({"broken": self.journal_broken}))
            }
            "renew_certificates" => {
                let kinds = arguments.get("types").and_then(Value::as_array);
                let kinds = kinds.into_iter().flatten().filter_map(Value::as_str);
                let mut wanted: Vec<(String, String)> = kinds
                    .map(|kind| (kind.to_owned(), MAIN_NODE.to_owned()))
                    .collect();
                if wanted.is_empty() {
                    wanted.push(("online".to_owned(), MAIN_NODE.to_owned()));
                }
                self.request_certificates(&wanted, context);
                Ok(json!({"count": wanted.len()}))
            }
            _ => Err(UnitError::UnknownName {
                kind: "stimulus",
                name: name.to_owned(),
            }),
        }
    }

    /// The installed item made from the image of a role.
    fn item(&self, role: &str, hardware: &Hardware) -> Option<&Item> {
        let image = image_name(role, hardware);
        self.store
            .items
            .iter()
            .find(|item| item.name == image && item.state == "installed" && !item.built_in)
    }
}

/// Name of the image of a role, as the unit noted it when it was provisioned.
fn image_name(role: &str, hardware: &Hardware) -> String {
    let noted = hardware.observed(&format!("image/{role}"));
    noted.and_then(Value::as_str).unwrap_or(role).to_owned()
}

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<&'a str, UnitError> {
    let value = arguments.get(name).and_then(Value::as_str);
    value.ok_or_else(|| bad(name, "a text is expected"))
}

fn bad(name: &str, problem: &str) -> UnitError {
    UnitError::BadArgument {
        name: name.to_owned(),
        problem: problem.to_owned(),
    }
}

/// Lines that fill several parts of a log.
const LONG_LOG: usize = 100;
