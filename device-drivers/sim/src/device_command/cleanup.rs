//! `storage_cleanup`: only the classes asked for, and by age only while the clock is set (reference section 4).

use super::{
    agent::{DeviceAgent, WORK_TIMER},
    execution::Step,
    files::{self, Class},
};
use crate::Context;
use hil_wire::device_command::{CommandStatus, Parameters, status_text};
use std::time::Duration;

impl DeviceAgent {
    /// Takes its time, then cleans.
    pub(super) fn begin_cleanup(&mut self, context: &mut Context<'_>) {
        if let Some(work) = &mut self.work {
            work.step = Step::Cleaning;
        }
        context.timer(WORK_TIMER, Duration::from_millis(500));
    }

    /// Removes what is asked for.
    pub(super) fn clean(&mut self, context: &mut Context<'_>) {
        let Some(Parameters::StorageCleanup {
            clear_logs,
            clear_temp_files,
            clear_old_batches,
            days_to_keep,
        }) = self.work.as_ref().map(|work| work.parameters.clone())
        else {
            return;
        };
        let now_s = context.wall_ms().div_euclid(1000);
        if (clear_logs || clear_old_batches) && now_s < YEAR_2020 {
            return self.fail(status_text::CLOCK_NOT_SET, context);
        }
        let before = now_s.saturating_sub(i64::try_from(days_to_keep).unwrap_or(0).saturating_mul(86_400));
        let classes = [
            (clear_logs, Class::Logs, Some(before)),
            (clear_temp_files, Class::Temporary, None),
            (clear_old_batches, Class::Batches, Some(before)),
        ];
        let (mut count, mut bytes) = (0, 0);
        for (wanted, class, before) in classes {
            if wanted {
                let removed = files::remove(&mut context.hardware.flash, class, before);
                count += removed.0;
                bytes += removed.1;
            }
        }
        let details = Some(status_text::cleaned(count, bytes));
        self.finish(CommandStatus::Completed, details, context);
    }
}

/// Earlier times mean that the clock is not set.
pub(super) const YEAR_2020: i64 = 1_577_836_800;
