//! The methods: discovery, system, boot state, commit and revert (reference sections 1.1 and 3).

use super::{
    agent::{Asker, OtaAgent},
    record::{self, SLOTS},
};
use crate::Context;
use hil_wire::ota_rpc::{
    BootStateChange, Describe, Reboot, RpcError, SystemInfo, argument, code,
    method::{
        BEGIN, COMMIT, CORE, CREATE_SNAPSHOT, DESCRIBE, DOCUMENTED, END, GET_BOOT_STATE, GET_FILE, GET_INFO,
        LIST, PING, PUSH, PUT_FILE, REBOOT, REVERT, SET_BOOT_STATE, STATUS, UPDATE, WRITE,
    },
};
use serde_json::{Value, json};
use std::time::Duration;

impl OtaAgent {
    /// Carries a call out and answers it, now or when it is done.
    pub(super) fn carry_out(
        &mut self,
        asker: Asker,
        method: &str,
        arguments: Option<&Value>,
        context: &mut Context<'_>,
    ) {
        let outcome = match method {
            UPDATE => return self.begin_update(asker, arguments, context),
            CREATE_SNAPSHOT => return self.begin_snapshot(asker, arguments, context),
            REVERT => return self.revert(&asker, context),
            REBOOT => return self.reboot(&asker, arguments, context),
            COMMIT if self.state.is_committed => Err(RpcError::bare(code::FAILURE)),
            COMMIT => {
                self.commit(context);
                Ok(Value::Null)
            }
            GET_BOOT_STATE => Ok(self.state.to_value()),
            SET_BOOT_STATE => self.set_boot_state(arguments, context),
            STATUS if self.push_is_there(context) => Ok(self.status()),
            BEGIN if self.push_is_there(context) => self.push_begins(arguments, context),
            WRITE if self.push_is_there(context) => self.push_goes_on(arguments, context),
            END if self.push_is_there(context) => self.push_ends(context),
            PUT_FILE => self.put_file(arguments, context),
            GET_FILE => self.get_file(arguments, context),
            LIST => Ok(json!(self.known(context))),
            DESCRIBE => self.describe(arguments, context),
            PING => Ok(json!({"channel_info": "hil"})),
            GET_INFO => Ok(self.information(context)),
            _ => Err(RpcError::no_handler(method)),
        };
        self.reply(&asker, outcome, context);
    }

    fn revert(&mut self, asker: &Asker, context: &mut Context<'_>) {
        if self.state.is_committed {
            return self.reply(asker, Err(RpcError::bare(code::FAILURE)), context);
        }
        self.write_record(record::way_back(&self.state), context);
        context.console(format!("Reverting to slot {}", self.state.revert_slot));
        self.state = record::way_back(&self.state);
        self.reply(asker, Ok(Value::Null), context);
        self.restart(RESTART_AFTER, context);
    }

    fn reboot(&mut self, asker: &Asker, arguments: Option<&Value>, context: &mut Context<'_>) {
        match Reboot::read(arguments) {
            Err(error) => {
                let error = RpcError::new(code::BAD_REQUEST, error.to_string());
                self.reply(asker, Err(error), context);
            }
            Ok(reboot) => {
                self.reply(asker, Ok(Value::Null), context);
                self.restart(Duration::from_millis(u64::from(reboot.delay_millis)), context);
            }
        }
    }

    fn set_boot_state(
        &mut self,
        arguments: Option<&Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, RpcError> {
        let change = BootStateChange::read(arguments);
        let odd_boolean = arguments
            .and_then(|arguments| arguments.get("is_committed"))
            .is_some_and(|value| !value.is_boolean());
        if change.is_empty() || odd_boolean {
            return Err(RpcError::bare(code::NOTHING_USABLE));
        }
        let out_of_range = |slot: Option<i32>| slot.is_some_and(|slot| record::index(slot.into()).is_none());
        if out_of_range(change.active_slot) || out_of_range(change.revert_slot) {
            return Err(RpcError::new(
                code::STATE_REFUSED,
                format!("slots are 0 to {}", SLOTS - 1),
            ));
        }
        let mut new = self.state;
        new.active_slot = change.active_slot.map_or(new.active_slot, i64::from);
        new.revert_slot = change.revert_slot.map_or(new.revert_slot, i64::from);
        new.is_committed = change.is_committed.unwrap_or(new.is_committed);
        let timeout = change.commit_timeout.filter(|seconds| *seconds >= 0);
        new.commit_timeout = timeout.map_or(new.commit_timeout, i64::from);
        self.state = new;
        self.provisional &= !new.is_committed;
        // In the window the way back stays in flash: any restart must lead there.
        let stored = if self.provisional {
            record::way_back(&new)
        } else {
            new
        };
        self.write_record(stored, context);
        Ok(Value::Null)
    }

    fn information(&self, context: &Context<'_>) -> Value {
        let uptime = context.now().since(self.booted_at).as_secs();
        let info = SystemInfo {
            id: Some(self.id.clone()),
            app: Some(self.image.name.clone()),
            fw_version: Some(self.image.version.clone()),
            fw_id: Some(self.build_id.clone()),
            mac: Some("020000000001".to_owned()),
            arch: Some(self.board.platform.clone()),
            uptime: i64::try_from(uptime).ok(),
            ram_free: Some(180_000),
            fs_free: i64::try_from(context.hardware.flash.free()).ok(),
            other: Default::default(),
        };
        let mut value = info.to_value();
        value["mg_version"] = json!("2.20.0");
        value["ram_size"] = json!(320_000);
        value["fs_size"] = json!(context.hardware.flash.capacity());
        value
    }

    /// What downloads are asked with: platform, version and build.
    pub(super) fn firmware_text(&self) -> String {
        format!("{} {} {}", self.board.platform, self.image.version, self.build_id)
    }
}

/// A planned restart leaves this much time for the reply to leave.
pub(super) const RESTART_AFTER: Duration = Duration::from_millis(100);

impl OtaAgent {
    /// Push methods are optional.
    fn push_is_there(&self, context: &Context<'_>) -> bool {
        context.setup.ics.get("push-update") != Some(&Value::Bool(false))
    }

    fn known(&self, context: &Context<'_>) -> Vec<&'static str> {
        let push = self.push_is_there(context).then_some(PUSH);
        let all = CORE
            .into_iter()
            .chain(DOCUMENTED)
            .chain(push.into_iter().flatten());
        all.chain([PUT_FILE, GET_FILE]).collect()
    }

    fn describe(&self, arguments: Option<&Value>, context: &Context<'_>) -> Result<Value, RpcError> {
        let missing = || RpcError::new(code::BAD_REQUEST, "name is required");
        let name = argument::text(arguments, "name").ok_or_else(missing)?;
        if !self.known(context).contains(&name) {
            return Err(RpcError::no_handler(name));
        }
        let args_fmt = match name {
            UPDATE => "{url: %Q, commit_timeout: %d, timeout: %d}",
            CREATE_SNAPSHOT => "{set_as_revert: %B, commit_timeout: %d}",
            SET_BOOT_STATE => "{active_slot: %d, is_committed: %B, revert_slot: %d, commit_timeout: %d}",
            REBOOT => "{delay_ms: %d}",
            BEGIN => "{timeout: %d, commit_timeout: %d, size: %d}",
            WRITE => "{offset: %d, data: %Q}",
            PUT_FILE => "{filename: %Q, data: %V, append: %B}",
            GET_FILE => "{filename: %Q, offset: %d, len: %d}",
            DESCRIBE => "{name: %Q}",
            _ => "",
        };
        let description = Describe {
            name: name.to_owned(),
            args_fmt: args_fmt.to_owned(),
        };
        Ok(description.to_value())
    }
}
