//! Nodes that join and leave the unit (reference sections 3.10 to 3.12 and 3.23 to 3.25).

use super::agent::{AosAgent, MAIN_NODE, SECOND_NODE, error_info};
use crate::Context;
use hil_wire::aos::{DeprovisioningRequest, FinishProvisioningRequest, StartProvisioningRequest};
use serde_json::{Value, json};

impl AosAgent {
    pub(super) fn start_provisioning(
        &mut self,
        request: &StartProvisioningRequest,
        context: &mut Context<'_>,
    ) {
        let node = request.node.name().to_owned();
        let mut data = answer(&request.correlation_id, &node);
        let mut csrs = Vec::new();
        match self.problem(&node, &request.password, "unprovisioned", context) {
            Some(error) => data["errorInfo"] = error,
            None => {
                for kind in ["iam", "sm"] {
                    if let Some(csr) = self.new_key(kind, &node) {
                        csrs.push(json!({"type": kind, "csr": csr}));
                    }
                }
                self.provisioning.insert(node);
            }
        }
        data["csrs"] = json!(csrs);
        self.post("startProvisioningResponse", data, context);
    }

    pub(super) fn finish_provisioning(
        &mut self,
        request: &FinishProvisioningRequest,
        context: &mut Context<'_>,
    ) {
        let node = request.node.name().to_owned();
        let mut data = answer(&request.correlation_id, &node);
        let mut problem = self.problem(&node, &request.password, "unprovisioned", context);
        if problem.is_none() && (!self.provisioning.contains(&node) || request.certificates.is_empty()) {
            problem = Some(error_info(9, "provisioning was not started"));
        }
        match problem {
            Some(error) => data["errorInfo"] = error,
            None => {
                self.provisioning.remove(&node);
                self.set_node(&node, "provisioned", context);
            }
        }
        self.post("finishProvisioningResponse", data, context);
    }

    pub(super) fn deprovision(&mut self, request: &DeprovisioningRequest, context: &mut Context<'_>) {
        let node = request.node.name().to_owned();
        let mut data = answer(&request.correlation_id, &node);
        match self.problem(&node, &request.password, "provisioned", context) {
            Some(error) => data["errorInfo"] = error,
            None => self.set_node(&node, "unprovisioned", context),
        }
        self.post("deprovisioningResponse", data, context);
    }

    fn set_node(&mut self, node: &str, state: &str, context: &mut Context<'_>) {
        self.store.nodes.insert(node.to_owned(), state.to_owned());
        self.save(context);
        self.part_changed("nodes", context);
    }

    fn problem(&self, node: &str, password: &str, state: &str, context: &Context<'_>) -> Option<Value> {
        let given = context.setup.endpoints.get("node_password");
        let right = if given.is_empty() { PASSWORD } else { given };
        let known = self
            .store
            .nodes
            .get(node)
            .filter(|_| node == SECOND_NODE || node == MAIN_NODE);
        match known {
            None => Some(error_info(5, "node not found")),
            Some(_) if password != right => Some(error_info(6, "wrong password")),
            Some(is) if is != state => Some(error_info(9, "the node is in another state")),
            Some(_) => None,
        }
    }
}

fn answer(correlation: &str, node: &str) -> Value {
    json!({"correlationId": correlation, "node": {"codename": node}})
}

/// The password nodes leave the factory with.
const PASSWORD: &str = "hil-Passw0rd";
