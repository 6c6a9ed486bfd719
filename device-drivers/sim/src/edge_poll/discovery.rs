//! `run_discovery`: probes the addresses of a subnet, and nothing outside it (reference section 4).

use super::{
    agent::{EdgeAgent, WORK_TIMER},
    execution::{Outcome, Work, WorkKind},
};
use crate::Context;
use hil_wire::edge_poll::Subnet;
use serde_json::{Value, json};
use std::time::Duration;

impl EdgeAgent {
    /// Begins to probe.
    pub(super) fn discover(&mut self, id: &str, subnet: Subnet, context: &mut Context<'_>) {
        context.hardware.count(&format!("executions/{id}"));
        context.hardware.observe("discovery", subnet.to_string());
        context.hardware.segment.search(&subnet);
        self.work = Some(Work {
            id: id.to_owned(),
            kind: WorkKind::Discovery { subnet },
        });
        context.timer(WORK_TIMER, PER_ADDRESS * subnet.address_count());
    }

    /// Every address was probed. In the simulated segment every seventh address answers.
    pub(super) fn discovered(&mut self, id: &str, subnet: Subnet, context: &mut Context<'_>) {
        let hosts = subnet.address_count().div_ceil(7);
        let details = json!({"subnet": subnet.to_string(), "hosts_found": hosts});
        self.finish(id, Outcome::completed(details), context);
    }

    /// Whether the configuration allows discovery.
    pub(super) fn discovery_enabled(&self) -> bool {
        let value = self.configuration.values.get("discovery_enabled");
        value.and_then(Value::as_bool).unwrap_or(true)
    }
}

const PER_ADDRESS: Duration = Duration::from_millis(50);
