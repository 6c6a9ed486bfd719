//! `monitoringData` (reference section 3.2): one sample of every node and active instance per period, while connected.

use super::{
    agent::{AosAgent, MAIN_NODE, MONITORING_TIMER, timestamp},
    status::TOTAL_RAM,
};
use crate::Context;
use serde_json::{Value, json};

impl AosAgent {
    pub(super) fn monitoring_due(&mut self, context: &mut Context<'_>) {
        let period = context.setup.seconds("monitoring_period", 60.0);
        context.timer(MONITORING_TIMER, period);
        if self.connection.socket().is_none() {
            return;
        }
        let time = timestamp(context);
        let used = context.hardware.flash.capacity() - context.hardware.flash.free();
        let percent = |name: &str, usual: f64| self.alerts.load.get(name).copied().unwrap_or(usual) / 100.0;
        let nodes: Vec<Value> = self
            .store
            .nodes
            .keys()
            .map(|node| {
                let main = node == MAIN_NODE;
                let sample = json!({
                    "timestamp": time,
                    "ram": if main { (percent("ram", 18.0) * TOTAL_RAM as f64) as u64 } else { 104_857_600 },
                    "cpu": if main { (percent("cpu", 3.0) * 48_000.0) as u64 } else { 300 },
                    "download": 40_960,
                    "upload": 8_192,
                    "partitions": [{"name": "storages", "usedSize": used}],
                });
                json!({"node": {"codename": node}, "items": [sample]})
            })
            .collect();
        let active = self.store.instances.iter().filter(|i| i.state == "active");
        let instances: Vec<Value> = active
            .map(|instance| {
                json!({
                    "item": {"id": instance.item},
                    "subject": {"id": instance.subject},
                    "instance": instance.number,
                    "node": {"codename": MAIN_NODE},
                    "itemStates": [],
                    "items": [{"timestamp": time, "ram": 52_428_800, "cpu": 210, "download": 1024, "upload": 512}],
                })
            })
            .collect();
        self.post(
            "monitoringData",
            json!({"nodes": nodes, "instances": instances}),
            context,
        );
    }
}
