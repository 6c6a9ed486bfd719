//! `restart_service`: another service, or the agent's own (reference section 4).

use super::{
    agent::{EdgeAgent, WORK_TIMER},
    execution::{Outcome, Work, WorkKind},
    store::CommandState,
};
use crate::Context;
use hil_wire::{edge_poll::error_code, timestamp};
use serde_json::{Value, json};
use std::time::Duration;

impl EdgeAgent {
    /// Begins the restart of a service that exists.
    pub(super) fn restart_service(&mut self, id: &str, service: String, context: &mut Context<'_>) {
        context.hardware.count(&format!("executions/{id}"));
        let own = service == self.primary;
        let mut wait = Duration::ZERO;
        let mut hopeless = false;
        if let Some(state) = context.hardware.services.get_mut(&service) {
            state.starts += 1;
            state.active_since = None;
            hopeless = state.broken || state.start_time > START_LIMIT;
            wait = if hopeless { START_LIMIT } else { state.start_time };
        }
        let kind = if own {
            WorkKind::OwnRestart
        } else {
            WorkKind::Restart { service, hopeless }
        };
        self.work = Some(Work {
            id: id.to_owned(),
            kind,
        });
        if own {
            // The restart follows once the cloud has heard of it, or cannot be reached.
            context.timer(WORK_TIMER, START_LIMIT);
            self.announce(context);
        } else {
            context.timer(WORK_TIMER, wait);
        }
    }

    /// The service is active again, or will not be in time.
    pub(super) fn restarted(&mut self, id: &str, service: &str, hopeless: bool, context: &mut Context<'_>) {
        if hopeless {
            let outcome = Outcome::failed(
                error_code::SERVICE_NOT_ACTIVE,
                "the service did not become active",
            );
            self.finish(id, outcome, context);
            return;
        }
        let now = context.now();
        if let Some(state) = context.hardware.services.get_mut(service) {
            state.active_since = Some(now);
        }
        let details = self.active_details(service, context);
        self.finish(id, Outcome::completed(details), context);
    }

    /// The cloud knows that a command is in progress; the restart of the own service waits for that.
    pub(super) fn announced(&mut self, id: &str, context: &mut Context<'_>) {
        let own = self
            .work
            .as_ref()
            .is_some_and(|work| work.id == id && matches!(work.kind, WorkKind::OwnRestart));
        if own {
            let flash = &mut context.hardware.flash;
            self.commands
                .change(flash, id, |record| record.state = CommandState::Restarting);
            self.restart_soon(context);
        }
    }

    /// Since when a service is active, as result data.
    pub(super) fn active_details(&self, service: &str, context: &Context<'_>) -> Value {
        let state = context.hardware.services.get(service);
        let since = state
            .and_then(|state| state.active_since)
            .unwrap_or(context.now());
        let ago = context.now().since(since).as_millis() as i64;
        json!({"service": service, "active_since": timestamp::format_millis(context.wall_ms() - ago)})
    }
}

const START_LIMIT: Duration = Duration::from_secs(60);
