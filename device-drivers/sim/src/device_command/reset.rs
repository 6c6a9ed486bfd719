//! `bcgmcu_reset`: the module is reset once, and believed only if it restarted and answers (reference section 4.2).

use super::{agent::DeviceAgent, agent::WORK_TIMER, execution::Step, module::Module};
use crate::Context;
use hil_trace::Stamp;
use hil_wire::device_command::{CommandStatus, ResetType, RestartMode, status_text};
use std::time::Duration;

/// A reset whose verdict is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resetting {
    begun: Stamp,
    restarts_before: u64,
}

impl DeviceAgent {
    /// Resets the module.
    pub(super) fn reset_module(
        &mut self,
        kind: ResetType,
        preserve_calibration: bool,
        mode: RestartMode,
        context: &mut Context<'_>,
    ) {
        let mut module = Module::load(&context.hardware.flash);
        let begun = context.now();
        let restarts_before = module.restarts;
        module.reset(kind, preserve_calibration, mode, begun);
        module.save(&mut context.hardware.flash);
        if mode == RestartMode::Manual {
            let details = Some(status_text::AWAITING_MANUAL_RESTART.to_owned());
            self.finish(CommandStatus::Completed, details, context);
            return;
        }
        if let Some(work) = &mut self.work {
            work.step = Step::Resetting(Resetting {
                begun,
                restarts_before,
            });
        }
        context.timer(WORK_TIMER, FIRST_PROBE);
    }

    /// Asks the module whether it is back; from five to nine seconds after the reset.
    pub(super) fn check_module(&mut self, context: &mut Context<'_>) {
        let Some(Step::Resetting(resetting)) = self.work.as_ref().map(|work| work.step.clone()) else {
            return;
        };
        let module = Module::load(&context.hardware.flash);
        if module.restarts > resetting.restarts_before && module.is_online(context.now()) {
            self.finish(CommandStatus::Completed, None, context);
        } else if context.now().since(resetting.begun) >= LAST_PROBE {
            self.fail(status_text::NO_RESPONSE_AFTER_RESET, context);
        } else {
            context.timer(WORK_TIMER, PROBE_GAP);
        }
    }
}

const FIRST_PROBE: Duration = Duration::from_millis(5200);
const PROBE_GAP: Duration = Duration::from_secs(1);
const LAST_PROBE: Duration = Duration::from_secs(8);
