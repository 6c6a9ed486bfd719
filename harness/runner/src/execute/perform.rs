//! `do`: calls a handle of the unit, the cloud or a fault.

use super::{Executor, Next, blame_word};
use hil_mock_cloud::ActError;
use hil_scenario::{Step, Template};
use hil_trace::{RecordBody, Recorder};
use hil_unit::UnitError;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why an action was refused.
struct Refusal {
    blame: &'static str,
    reason: String,
}

impl Executor<'_> {
    pub(super) async fn perform(&mut self, step: &Step, action: &str, with: &Template) -> Next {
        let arguments = match with.resolve(self) {
            Ok(arguments) => arguments,
            Err(error) => return self.unresolved(step, "do", action, &error),
        };
        let place = self.begin(step, "do", action, arguments.clone());
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let (who, name) = action.split_once('.').unwrap_or(("", action));
        let result = match who {
            "unit" => self.on_unit(name, arguments).await,
            "cloud" => self.on_cloud(name, arguments).await,
            "fault" => self.on_fault(&arguments).await,
            _ => Err(Refusal {
                blame: "harness",
                reason: format!("there is no `{action}`"),
            }),
        };
        match result {
            Ok(value) => self.done(step, place, value),
            Err(refusal) => self.refuse(place, refusal.blame, refusal.reason),
        }
    }

    async fn on_cloud(&mut self, name: &str, arguments: Map<String, Value>) -> Result<Value, Refusal> {
        self.bench
            .cloud
            .act(name, &arguments)
            .await
            .map(Value::Object)
            .map_err(|error| {
                let blame = match error {
                    ActError::Store(_) => "lab",
                    ActError::NotNow(_) => "missing",
                    _ => "harness",
                };
                Refusal {
                    blame,
                    reason: error.to_string(),
                }
            })
    }

    /// Clears a fault: what it still waits for never comes, and what it did to the unit is taken back.
    async fn on_fault(&mut self, arguments: &Map<String, Value>) -> Result<Value, Refusal> {
        let name = arguments.get("fault").and_then(Value::as_str).unwrap_or_default();
        let refusal = || Refusal {
            blame: "harness",
            reason: format!("no step `{name}` injected a fault that is still armed"),
        };
        let armed = &self.faults.get(name).ok_or_else(refusal)?.armed;
        if let Some(fuse) = &armed.fuse {
            fuse.abort();
        }
        let acted = self.bench.makers.clear(armed.id).await.map_err(|error| Refusal {
            blame: blame_word(error.blame()),
            reason: error.to_string(),
        })?;
        acted.map(|acted| json!({"acted": acted})).ok_or_else(refusal)
    }

    async fn on_unit(&mut self, name: &str, mut arguments: Map<String, Value>) -> Result<Value, Refusal> {
        if name == "start" && std::mem::take(&mut self.bench.held) {
            self.bench.cloud.release().await.map_err(|error| Refusal {
                blame: "lab",
                reason: error.to_string(),
            })?;
        }
        let dispatcher = self.bench.dispatcher.clone();
        let refusal = |error: UnitError| Refusal {
            blame: match &error {
                UnitError::NotImplemented(what) => {
                    dispatcher.not_implemented(what);
                    "missing"
                }
                UnitError::NotSupported(_) | UnitError::UnknownName { .. } => "missing",
                other => blame_word(other.blame()),
            },
            reason: error.to_string(),
        };
        let shared = self.bench.unit.clone();
        let mut unit = shared.lock().await;
        let nothing = |()| json!({});
        match name {
            "start" => {
                self.bench.makers.disturbances.power_is_back();
                unit.start().await.map(nothing).map_err(refusal)
            }
            "stop" => unit.stop().await.map(nothing).map_err(refusal),
            "reboot" => unit.reboot().await.map(nothing).map_err(refusal),
            "restore_power" => {
                self.bench.makers.disturbances.power_is_back();
                unit.restore_power().await.map(nothing).map_err(refusal)
            }
            "cut_power" => {
                unit.cut_power().await.map_err(refusal)?;
                drop(unit);
                if let Some(seconds) = arguments.get("for").and_then(Value::as_f64) {
                    let span = Duration::try_from_secs_f64(seconds).unwrap_or_default();
                    self.bench.dispatcher.clock().sleep(span).await;
                    shared.lock().await.restore_power().await.map_err(refusal)?;
                }
                Ok(json!({}))
            }
            "probe" | "stimulate" => {
                let called = match arguments.shift_remove("name") {
                    Some(Value::String(called)) => called,
                    _ => String::new(),
                };
                let result = if name == "probe" {
                    unit.probe(&called, &arguments).await
                } else {
                    unit.stimulate(&called, &arguments).await
                };
                let recorded = result.clone().map_err(|error| error.to_string());
                let record = if name == "probe" {
                    RecordBody::Probe {
                        name: called,
                        arguments,
                        result: recorded,
                    }
                } else {
                    RecordBody::Stimulus {
                        name: called,
                        arguments,
                        result: recorded,
                    }
                };
                self.bench.dispatcher.record(record);
                result.map(|value| json!({"value": value})).map_err(refusal)
            }
            _ => Err(Refusal {
                blame: "harness",
                reason: format!("there is no `unit.{name}`"),
            }),
        }
    }
}
