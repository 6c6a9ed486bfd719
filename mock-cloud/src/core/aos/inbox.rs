//! What the unit says: checked, acknowledged, answered.

use super::{AosCloud, Now, Outputs, json};
use hil_wire::{
    Weight,
    aos::{Direction, Message, Unreadable, decode},
};

impl AosCloud {
    /// Takes in one binary message. Refused messages get no ack: those without a readable header, of another unit or
    /// version, and those whose data is not of the protocol (reference section 3.15: an ack means accepted).
    pub(super) fn receive(&mut self, now: Now, connection: u32, payload: &[u8], out: &mut Outputs) {
        let decoded = decode(payload, Direction::UnitToCloud, self.dialect);
        let broken = decoded
            .oddities
            .iter()
            .find(|oddity| oddity.weight == Weight::Invalid);
        let broken = broken.map(|oddity| format!("{}: {}", oddity.path, oddity.detail));
        let Some(envelope) = decoded.value else {
            let reason = broken.unwrap_or_else(|| "not a message".to_owned());
            return out.note("refused", json!({"reason": reason}));
        };
        let txn = envelope.header.txn.clone();
        let foreign = (envelope.header.system_id != self.system_id()).then(|| {
            format!(
                "systemId `{}` is not that of the certificate",
                envelope.header.system_id
            )
        });
        if let Some(reason) = broken.or(foreign) {
            return out.note("refused", json!({"txn": txn, "reason": reason}));
        }
        let Some(message_type) = envelope.data.message_type() else {
            return;
        };
        if matches!(envelope.data, Message::Ack(_)) {
            if !self.acknowledged(&txn, out) {
                tracing::debug!("an ack for a transaction that does not wait: {txn}");
            }
            return;
        }
        self.acknowledge(now, connection, &txn, &message_type.to_string(), out);
        if self.handled.insert(txn) {
            self.handle(now, envelope.data, out);
        }
    }

    fn handle(&mut self, now: Now, message: Message, out: &mut Outputs) {
        match message {
            Message::UnitStatus(status) => self.nodes.learn(&status),
            Message::RequestBlobUrls(request) => self.answer_blobs(now, &request, out),
            Message::IssueUnitCertificates(request) => self.issue(now, &request, out),
            Message::StartProvisioningResponse(response) => {
                let requests = response
                    .csrs
                    .iter()
                    .map(|csr| (csr.kind.to_string(), csr.csr.clone()));
                let node = response.node.name().to_owned();
                self.node_requests.insert(node, requests.collect());
            }
            Message::NewState(state) => {
                if let Some((result, reason)) = self.state_answer.clone() {
                    let data = json!({
                        "item": state.item,
                        "subject": state.subject,
                        "instance": state.instance,
                        "checksum": state.state_checksum,
                        "result": result,
                        "reason": reason,
                    });
                    self.post(now, "stateAcceptance", &data, out);
                }
            }
            Message::StateRequest(request) => {
                // Publisher dialect: the unit asks; the cloud has no other state than none.
                let data = json!({
                    "item": request.item,
                    "subject": request.subject,
                    "instance": request.instance,
                    "stateChecksum": hil_wire::aos::state_checksum(""),
                    "state": "",
                });
                self.post(now, "updateState", &data, out);
            }
            Message::Unreadable(Unreadable { .. }) => {}
            _ => {}
        }
    }
}
