//! An archive pushed by the caller in chunks, as the `mos` tool does it, and the status of updates (reference section
//! 3.5).

use super::{
    agent::{OtaAgent, STALL_TIMER},
    intake::Intake,
    methods::RESTART_AFTER,
};
use crate::Context;
use hil_wire::ota_rpc::{Begin, PushState, PushStatus, RpcError, Write, code};
use serde_json::{Value, json};
use std::time::Duration;

/// A push under way.
#[derive(Debug)]
pub(super) struct Push {
    intake: Intake,
    commit_timeout: i64,
    stall: Duration,
}

impl OtaAgent {
    /// Begins a push unless the board is busy or runs uncommitted firmware.
    pub(super) fn push_begins(
        &mut self,
        arguments: Option<&Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, RpcError> {
        let begin = Begin::read(arguments).map_err(|error| failure(&error.to_string()))?;
        if self.is_busy() || !self.state.is_committed {
            return Err(failure("Failed to init updater"));
        }
        let other = self.other_slot();
        let _ = context.hardware.erase_slot(other);
        let stall = begin.timeout.and_then(|seconds| u64::try_from(seconds).ok());
        let stall = stall.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        let stall = stall.unwrap_or_else(|| context.setup.seconds("stall", 600.0));
        self.push = Some(Push {
            intake: Intake::new(&self.board, self.policy.clone()),
            commit_timeout: begin.commit_timeout.map_or(0, i64::from).max(0),
            stall,
        });
        self.progress = PushState::Progress;
        context.timer(STALL_TIMER, stall);
        Ok(Value::Null)
    }

    /// Takes one chunk. What came before is done already; what lies beyond a gap is refused.
    pub(super) fn push_goes_on(
        &mut self,
        arguments: Option<&Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, RpcError> {
        let write = Write::read(arguments).map_err(|error| failure(&error.to_string()))?;
        let push = self
            .push
            .as_mut()
            .ok_or_else(|| failure("No update in progress"))?;
        let Some(known) = push.intake.received().checked_sub(write.offset) else {
            return Err(failure("Unexpected offset"));
        };
        context.timer(STALL_TIMER, push.stall);
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let fresh = write.data.get(known..).unwrap_or_default();
        match push.intake.push(fresh) {
            Ok(()) => Ok(Value::Null),
            Err(error) => Err(self.push_fails(error.words(), context)),
        }
    }

    /// Ends a push: the new firmware boots if the archive is complete, else nothing has happened.
    pub(super) fn push_ends(&mut self, context: &mut Context<'_>) -> Result<Value, RpcError> {
        let push = self
            .push
            .as_ref()
            .ok_or_else(|| failure("No update in progress"))?;
        match push.intake.finish() {
            Err(error) => Err(self.push_fails(error.words(), context)),
            Ok(firmware) => {
                self.switch_over(firmware, push.commit_timeout, context);
                self.push = None;
                self.progress = PushState::Success;
                context.cancel(STALL_TIMER);
                self.restart(RESTART_AFTER, context);
                Ok(Value::Null)
            }
        }
    }

    /// Gives a push up; the error to answer with.
    pub(super) fn push_fails(&mut self, text: &str, context: &mut Context<'_>) -> RpcError {
        self.push = None;
        self.progress = PushState::Error;
        context.cancel(STALL_TIMER);
        failure(text)
    }

    /// `OTA.Status`.
    pub(super) fn status(&self) -> Value {
        let other = json!({
            "is_committed": self.state.is_committed,
            "commit_timeout": self.state.commit_timeout,
            "partition": self.slot,
        });
        let status = PushStatus {
            state: self.progress,
            other: other.as_object().cloned().unwrap_or_default(),
        };
        status.to_value()
    }
}

fn failure(text: &str) -> RpcError {
    RpcError::new(code::FAILURE, text)
}
