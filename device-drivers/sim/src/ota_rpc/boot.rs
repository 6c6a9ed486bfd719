//! From reset to the end of the commit window (reference section 4).

use super::{
    agent::{COMMIT_TIMER, INIT_TIMER, OtaAgent},
    channel::{HTTP, SERIAL, WEBSOCKET},
    files, record,
};
use crate::{Behaviour, Context, Slot};
use hil_wire::ota_rpc::BootState;
use std::time::Duration;

impl OtaAgent {
    /// The software begins to run. An uncommitted record makes this the first and only boot of a provisional image:
    /// the way back is written before anything else.
    pub(super) fn boot(&mut self, context: &mut Context<'_>) {
        self.booted_at = context.now();
        context.hardware.slots.resize_with(record::SLOTS, Slot::default);
        if !self.state.is_committed {
            self.provisional = true;
            self.write_record(record::way_back(&self.state), context);
            files::merge(&mut context.hardware.flash, self.slot);
        }
        let (name, version) = (&self.image.name, &self.image.version);
        context.console(format!(
            "{name} {version} in slot {}, boot {}",
            self.slot, context.hardware.boots
        ));
        let after = match self.image.behaviour {
            Behaviour::Healthy | Behaviour::Mute => context.setup.seconds("boot", 1.0).mul_f64(0.5),
            Behaviour::Crash => CRASH_AFTER,
            // The watchdog bites.
            Behaviour::Hang => context.setup.seconds("watchdog", 5.0),
        };
        context.timer(INIT_TIMER, after);
    }

    /// Initialisation has succeeded, or a bad image has come to its end.
    pub(super) fn initialised(&mut self, context: &mut Context<'_>) {
        match self.image.behaviour {
            Behaviour::Crash | Behaviour::Hang => {
                context.console("Guru Meditation Error");
                context.reboot(Duration::ZERO);
                return;
            }
            Behaviour::Mute => {}
            Behaviour::Healthy => {
                for face in [HTTP, WEBSOCKET] {
                    context.serve_http(face);
                }
                context.serve_streams(SERIAL);
                self.reach_server(context);
                self.reach_broker(context);
            }
        }
        context.console("Init done");
        if !self.provisional {
            return;
        }
        match u64::try_from(self.state.commit_timeout) {
            Ok(seconds) if seconds > 0 => {
                context.console(format!("Arming commit watchdog for {seconds} seconds"));
                context.timer(COMMIT_TIMER, Duration::from_secs(seconds));
            }
            _ => self.commit(context),
        }
    }

    /// Nobody has committed in time.
    pub(super) fn window_ends(&mut self, context: &mut Context<'_>) {
        if !self.provisional || self.state.is_committed {
            return;
        }
        context.console("Update commit timeout expired");
        context.console(format!("Reverting to slot {}", self.state.revert_slot));
        self.write_record(record::way_back(&self.state), context);
        context.reboot(Duration::ZERO);
    }

    /// Makes what runs permanent.
    pub(super) fn commit(&mut self, context: &mut Context<'_>) {
        self.state.is_committed = true;
        self.state.commit_timeout = 0;
        self.provisional = false;
        context.cancel(COMMIT_TIMER);
        self.write_record(self.state, context);
        context.hardware.count("commits");
        context.console(format!("Committed slot {}", self.state.active_slot));
    }

    /// Restarts after a while; calls that come too late get told so.
    pub(super) fn restart(&mut self, after: Duration, context: &mut Context<'_>) {
        self.restart_at = Some(context.now() + after);
        context.console(format!("Rebooting in {} ms", after.as_millis()));
        context.reboot(after);
    }

    /// Writes the boot record. If power fails at it, nothing that follows happens.
    pub(super) fn write_record(&mut self, new: BootState, context: &mut Context<'_>) {
        if record::save(&mut context.hardware.flash, &new).is_ok()
            && let Some(slot) = record::index(new.active_slot)
        {
            context.hardware.active_slot = slot;
        }
    }
}

const CRASH_AFTER: Duration = Duration::from_millis(300);
