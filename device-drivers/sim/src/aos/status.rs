//! `unitStatus`: in full after each connect and each update run, as a delta for changes in between (reference
//! sections 3.1 and 4.6).

use super::{
    agent::{AosAgent, MAIN_NODE, STATUS_TIMER, error_info},
    store::{Instance, Item, instance_key},
};
use crate::Context;
use hil_wire::aos::state_checksum;
use serde_json::{Value, json};

impl AosAgent {
    /// Reports everything.
    pub(super) fn report_full(&mut self, context: &mut Context<'_>) {
        context.cancel(STATUS_TIMER);
        self.delta_planned = false;
        self.changed_items.clear();
        self.changed_parts.clear();
        if self.connection.socket().is_none() {
            return;
        }
        let items: Vec<Value> = self
            .store
            .items
            .iter()
            .filter(|item| item.state != "removed")
            .map(item_status)
            .collect();
        let data = json!({
            "isDeltaInfo": false,
            "unitConfig": self.unit_config_status(),
            "nodes": self.node_status(),
            "items": items,
            "instances": self.instance_status(),
            "subjects": [{"codename": "default-subject"}],
        });
        self.post("unitStatus", data, context);
    }

    /// An item has a new state.
    pub(super) fn item_changed(&mut self, id: &str, version: &str, context: &mut Context<'_>) {
        self.changed_items.insert((id.to_owned(), version.to_owned()));
        self.plan_delta(context);
    }

    /// Another part of the status changed: `nodes`, `instances`, `unitConfig`.
    pub(super) fn part_changed(&mut self, part: &'static str, context: &mut Context<'_>) {
        self.changed_parts.insert(part);
        self.plan_delta(context);
    }

    fn plan_delta(&mut self, context: &mut Context<'_>) {
        if !self.delta_planned {
            self.delta_planned = true;
            let delay = context.setup.seconds("status_delay", 5.0);
            context.timer(STATUS_TIMER, delay);
        }
    }

    pub(super) fn delta_due(&mut self, context: &mut Context<'_>) {
        self.delta_planned = false;
        let items = std::mem::take(&mut self.changed_items);
        let parts = std::mem::take(&mut self.changed_parts);
        // Without a connection the next report is a full one.
        if self.connection.socket().is_none() || (items.is_empty() && parts.is_empty()) {
            return;
        }
        let mut data = json!({"isDeltaInfo": true});
        let changed: Vec<Value> = self
            .store
            .items
            .iter()
            .filter(|item| items.contains(&(item.id.clone(), item.version.clone())))
            .map(item_status)
            .collect();
        if !changed.is_empty() {
            data["items"] = json!(changed);
        }
        for part in parts {
            data[part] = match part {
                "nodes" => self.node_status(),
                "instances" => self.instance_status(),
                _ => self.unit_config_status(),
            };
        }
        self.post("unitStatus", data, context);
    }

    fn unit_config_status(&self) -> Value {
        let mut entries = Vec::new();
        match &self.store.unit_config {
            Some(config) => entries.push(json!({"version": config["version"], "state": "installed"})),
            None => entries.push(json!({"state": "absent"})),
        }
        if let Some((version, code, message)) = &self.store.refused_config {
            let error = error_info(*code, message);
            entries.push(json!({"version": version, "state": "failed", "errorInfo": error}));
        }
        json!(entries)
    }

    fn node_status(&self) -> Value {
        let nodes = self.store.nodes.iter().map(|(name, state)| {
            let main = name == MAIN_NODE;
            let title = if main { "Main node" } else { "Second node" };
            json!({
                "identity": {"codename": name, "title": title},
                "nodeGroupSubject": {"codename": format!("{name}-type")},
                "maxDmips": 48_000,
                "physicalRam": TOTAL_RAM + 268_435_456,
                "totalRam": TOTAL_RAM,
                "osInfo": {"os": "linux", "version": "6.6.21", "features": ["cgroup2"]},
                "cpus": [{
                    "modelName": "Cortex-A55",
                    "totalNumCores": 4,
                    "totalNumThreads": 4,
                    "archInfo": {"architecture": "arm64", "variant": "v8"},
                    "maxDmips": 48_000,
                }],
                "attrs": {"MainNode": main.to_string(), "AosComponents": if main { "cm,iam,sm" } else { "iam,sm" }},
                "partitions": [
                    {"name": "storages", "path": "/var/aos/storages", "types": ["storages"], "totalSize": 16_777_216},
                ],
                "state": state,
                "isConnected": true,
                "runtimes": [{
                    "identity": {"codename": format!("crun-{name}")},
                    "runtimeType": "crun",
                    "archInfo": {"architecture": "arm64"},
                    "osInfo": {"os": "linux"},
                    "maxDmips": 48_000,
                    "allowedDmips": 40_000,
                    "totalRam": TOTAL_RAM,
                    "allowedRam": TOTAL_RAM / 4 * 3,
                    "maxInstances": 32,
                }],
                "resources": [{"name": "camera0", "sharedCount": 1}],
            })
        });
        nodes.collect()
    }

    fn instance_status(&self) -> Value {
        let mut groups: Vec<(&Instance, Vec<Value>)> = Vec::new();
        for instance in &self.store.instances {
            let mut entry = json!({
                "node": {"codename": MAIN_NODE},
                "runtime": {"codename": format!("crun-{MAIN_NODE}")},
                "instance": instance.number,
            });
            let key = instance_key(&instance.item, &instance.subject, instance.number);
            if let Some(state) = self.store.states.get(&key) {
                entry["stateChecksum"] = json!(state_checksum(state));
            }
            entry["state"] = json!(instance.state);
            if instance.state == "failed" {
                entry["errorInfo"] = error_info(2, "the service ended at once");
            }
            let same = |other: &Instance| {
                (&other.item, &other.subject, &other.version)
                    == (&instance.item, &instance.subject, &instance.version)
            };
            match groups.iter_mut().find(|(other, _)| same(other)) {
                Some((_, entries)) => entries.push(entry),
                None => groups.push((instance, vec![entry])),
            }
        }
        let groups = groups.into_iter().map(|(instance, entries)| {
            json!({
                "item": {"id": instance.item, "type": "service"},
                "subject": {"id": instance.subject},
                "version": instance.version,
                "instances": entries,
            })
        });
        groups.collect()
    }
}

fn item_status(item: &Item) -> Value {
    let identity = if item.built_in {
        json!({"codename": item.id, "type": item.kind})
    } else {
        json!({"id": item.id, "type": item.kind})
    };
    let mut status = json!({"item": identity, "version": item.version, "state": item.state});
    if let Some((code, message)) = &item.error {
        status["errorInfo"] = error_info(*code, message);
    }
    status
}

/// Memory of a node in bytes.
pub(super) const TOTAL_RAM: u64 = 4_026_531_840;
