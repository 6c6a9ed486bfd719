//! Stored states of instances (reference sections 3.4, 3.5, 3.20, 3.21), in both dialects.

use super::{agent::AosAgent, store::instance_key};
use crate::Context;
use hil_wire::aos::{
    Dialect, Identity, StateAcceptance, StateRequest, StateResult, UpdateState, state_checksum,
};
use serde_json::{Value, json};

impl AosAgent {
    /// The cloud gives an instance a state.
    pub(super) fn update_state(&mut self, update: &UpdateState, context: &mut Context<'_>) {
        let (item, subject, number) = (update.item.name(), update.subject.name(), update.instance);
        let known = self
            .store
            .instances
            .iter()
            .any(|i| (i.item.as_str(), i.subject.as_str(), i.number) == (item, subject, number));
        let problem = if !known {
            Some("there is no such instance")
        } else if !update.checksum_matches() {
            Some("the checksum does not match the state")
        } else {
            None
        };
        if problem.is_none() {
            let key = instance_key(item, subject, number);
            self.store.states.insert(key, update.state.clone());
            self.save(context);
        } else {
            self.journal("a state is rejected", context);
        }
        if self.dialect == Dialect::Seed {
            let mut data = ident(&update.item, &update.subject, number);
            data["checksum"] = json!(update.state_checksum);
            data["result"] = json!(if problem.is_none() { "accepted" } else { "rejected" });
            data["reason"] = json!(problem.unwrap_or_default());
            self.post("stateAcceptance", data, context);
        }
    }

    /// The cloud asks for a state.
    pub(super) fn upload_requested(&mut self, request: &StateRequest, context: &mut Context<'_>) {
        let key = instance_key(request.item.name(), request.subject.name(), request.instance);
        let latest = self.store.states.get(&key).cloned().unwrap_or_default();
        let state = if request.default { String::new() } else { latest };
        self.upload(&request.item, &request.subject, request.instance, &state, context);
    }

    /// A service wrote its state.
    pub(super) fn state_written(
        &mut self,
        item: &str,
        subject: &str,
        number: u64,
        state: &str,
        context: &mut Context<'_>,
    ) {
        let key = instance_key(item, subject, number);
        self.store.states.insert(key, state.to_owned());
        self.save(context);
        self.upload(
            &Identity::id(item),
            &Identity::id(subject),
            number,
            state,
            context,
        );
    }

    /// The cloud's word on an uploaded state (publisher): a rejected one is replaced by what the cloud has.
    pub(super) fn state_answered(&mut self, answer: &StateAcceptance, context: &mut Context<'_>) {
        let key = instance_key(answer.item.name(), answer.subject.name(), answer.instance);
        let last = self.store.states.get(&key).map(|state| state_checksum(state));
        if answer.result == StateResult::Rejected && last.as_deref() == Some(answer.checksum.as_str()) {
            let mut data = ident(&answer.item, &answer.subject, answer.instance);
            data["default"] = json!(false);
            self.post("stateRequest", data, context);
        }
    }

    fn upload(
        &mut self,
        item: &Identity,
        subject: &Identity,
        number: u64,
        state: &str,
        context: &mut Context<'_>,
    ) {
        let mut data = ident(item, subject, number);
        data["stateChecksum"] = json!(state_checksum(state));
        data["state"] = json!(state);
        self.post("newState", data, context);
    }
}

fn ident(item: &Identity, subject: &Identity, number: u64) -> Value {
    json!({"item": item, "subject": subject, "instance": number})
}
