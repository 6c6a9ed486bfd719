//! `system_restart`: the promise first, then exactly one restart (reference section 4.2).

use super::{
    agent::{DeviceAgent, WORK_TIMER},
    execution::Step,
    store::{self, CONFIGURATION, RESTART, RestartOrder, TELEMETRY},
};
use crate::Context;
use hil_wire::device_command::{CommandStatus, status_text};
use serde_json::json;
use std::time::Duration;

impl DeviceAgent {
    /// Promises the restart; the order for the next boot is in flash already.
    pub(super) fn begin_restart(&mut self, delay_s: u64, context: &mut Context<'_>) {
        let Some(work) = &mut self.work else { return };
        work.step = Step::RestartAnnounced(delay_s);
        let id = work.id.clone();
        context.timer(WORK_TIMER, DELIVERY_PATIENCE);
        let details = Some(status_text::restarting_in(delay_s));
        self.conclude(&id, CommandStatus::Completed, details, context);
    }

    /// The promise is delivered, or has waited long enough.
    pub(super) fn restart_due(&mut self, context: &mut Context<'_>) {
        let Some(work) = &mut self.work else { return };
        if let Step::RestartAnnounced(delay_s) = work.step {
            work.step = Step::RestartDue;
            context.timer(WORK_TIMER, Duration::from_secs(delay_s));
        }
    }

    /// After a boot: what the restart was to do besides.
    pub(super) fn finish_restart(&mut self, context: &mut Context<'_>) {
        let flash = &mut context.hardware.flash;
        let Some(order) = store::load::<RestartOrder>(flash, RESTART) else {
            return;
        };
        if !order.preserve_config {
            store::save(flash, CONFIGURATION, &json!({}));
        }
        if order.clear_queues {
            let _ = flash.remove(TELEMETRY);
        }
        let _ = flash.remove(RESTART);
    }
}

/// How long the restart waits for its promise to be delivered.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(20);
