//! What the cloud says: checked, acknowledged, carried out once (reference sections 4.2 and 4.5).

use super::agent::AosAgent;
use crate::Context;
use hil_wire::aos::{Direction, Message, decode};

impl AosAgent {
    /// Takes in one message. What is not of the protocol, or for another unit, is neither acknowledged nor done.
    pub(super) fn receive(&mut self, payload: &[u8], context: &mut Context<'_>) {
        let decoded = decode(payload, Direction::CloudToUnit, self.dialect);
        if !decoded.is_valid() {
            return self.journal("a message that cannot be read is dropped", context);
        }
        let Some(envelope) = decoded.value.filter(|e| e.header.system_id == self.system_id) else {
            return self.journal("a message for another unit is dropped", context);
        };
        let txn = envelope.header.txn;
        match envelope.data {
            Message::Ack(_) => return self.acknowledged(&txn, context),
            Message::Nack(nack) => return self.refused(&txn, nack.retry_after, context),
            Message::Unreadable(_) => return,
            _ => {}
        }
        self.acknowledge(&txn, context);
        if self.handled.contains(&txn) {
            return;
        }
        if self.handled.len() >= REMEMBERED {
            self.handled.pop_front();
        }
        self.handled.push_back(txn);
        self.carry_out(envelope.data, context);
        self.save(context);
    }

    fn carry_out(&mut self, message: Message, context: &mut Context<'_>) {
        match message {
            Message::DesiredStatus(desired) => self.desire_perhaps_sealed(desired, context),
            Message::BlobUrls(answer) => self.blob_urls(&answer, context),
            Message::RequestLog(request) => self.push_log(&request, context),
            Message::OverrideEnvVars(request) => self.override_variables(&request, context),
            Message::UpdateState(update) => self.update_state(&update, context),
            Message::StateRequest(request) => self.upload_requested(&request, context),
            Message::StateAcceptance(answer) => self.state_answered(&answer, context),
            Message::RenewCertificatesNotification(notification) => self.renew(&notification, context),
            Message::IssuedUnitCertificates(issued) => self.install_certificates(&issued, context),
            Message::StartProvisioningRequest(request) => self.start_provisioning(&request, context),
            Message::FinishProvisioningRequest(request) => self.finish_provisioning(&request, context),
            Message::DeprovisioningRequest(request) => self.deprovision(&request, context),
            _ => {}
        }
    }
}

const REMEMBERED: usize = 1000;
