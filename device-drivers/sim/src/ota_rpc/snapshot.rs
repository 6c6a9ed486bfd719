//! Copying the running firmware into the other slot (reference section 3.3).

use super::{
    agent::{Asker, OtaAgent, SNAPSHOT_TIMER},
    files,
};
use crate::Context;
use hil_wire::ota_rpc::{RpcError, Snapshot, SnapshotRequest, code};
use serde_json::Value;
use std::sync::Arc;

/// A copy under way.
#[derive(Clone, Debug)]
pub(super) struct Copying {
    asker: Asker,
    request: SnapshotRequest,
}

impl OtaAgent {
    pub(super) fn begin_snapshot(
        &mut self,
        asker: Asker,
        arguments: Option<&Value>,
        context: &mut Context<'_>,
    ) {
        let odd_boolean = arguments
            .and_then(|arguments| arguments.get("set_as_revert"))
            .is_some_and(|value| !value.is_boolean());
        let unable = context.setup.ics.get("no-snapshots") == Some(&Value::Bool(true));
        let refusal = match () {
            () if unable => Some("Snapshots are not supported"),
            () if !self.state.is_committed => Some("Cannot create snapshots in uncommitted state"),
            () if odd_boolean => Some("set_as_revert must be true or false"),
            () if self.is_busy() => Some("Failed to create snapshot"),
            () => None,
        };
        if let Some(text) = refusal {
            return self.reply(&asker, Err(RpcError::new(code::FAILURE, text)), context);
        }
        let other = self.other_slot();
        let _ = context.hardware.erase_slot(other);
        self.copying = Some(Copying {
            asker,
            request: SnapshotRequest::read(arguments),
        });
        let span = context.setup.seconds("snapshot", 2.0).mul_f64(0.5);
        context.timer(SNAPSHOT_TIMER, span);
    }

    /// The copy is complete.
    pub(super) fn snapshot_done(&mut self, context: &mut Context<'_>) {
        let Some(copying) = self.copying.take() else {
            return;
        };
        let other = self.other_slot();
        let image = context
            .hardware
            .slots
            .get(self.slot)
            .map(|slot| Arc::clone(&slot.image));
        if context
            .hardware
            .write_slot(other, image.unwrap_or_default())
            .is_err()
        {
            return;
        }
        files::erase(&mut context.hardware.flash, other);
        files::merge(&mut context.hardware.flash, other);
        let slot = other as i64;
        if copying.request.set_as_revert == Some(true) {
            self.state.is_committed = false;
            self.state.revert_slot = slot;
            let timeout = copying.request.commit_timeout.filter(|seconds| *seconds >= 0);
            self.state.commit_timeout = timeout.map_or(self.state.commit_timeout, i64::from);
            self.write_record(self.state, context);
        }
        self.reply(&copying.asker, Ok(Snapshot { slot }.to_value()), context);
    }
}
