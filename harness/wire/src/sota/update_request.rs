//! An update as Core lists it and the client announces it.

use super::{
    members::{Context, Members, Read},
    package::Package,
    variant::check_update_id,
};
use crate::oddity::OddityKind;
use serde_json::{Value, json};

/// State of an update at Core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdateRequestStatus {
    /// Not fetched yet.
    Pending,
    /// Fetched, not reported yet.
    InFlight,
    /// Withdrawn.
    Canceled,
    /// Reported as failed.
    Failed,
    /// Reported as done.
    Finished,
}

impl UpdateRequestStatus {
    /// Every state.
    pub const ALL: [UpdateRequestStatus; 5] = [
        UpdateRequestStatus::Pending,
        UpdateRequestStatus::InFlight,
        UpdateRequestStatus::Canceled,
        UpdateRequestStatus::Failed,
        UpdateRequestStatus::Finished,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            UpdateRequestStatus::Pending => "Pending",
            UpdateRequestStatus::InFlight => "InFlight",
            UpdateRequestStatus::Canceled => "Canceled",
            UpdateRequestStatus::Failed => "Failed",
            UpdateRequestStatus::Finished => "Finished",
        }
    }

    /// The state of an exact name.
    pub fn from_name(name: &str) -> Option<UpdateRequestStatus> {
        UpdateRequestStatus::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// One update. Its members are in camel case on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateRequest {
    /// Id; a UUID if Core issued it.
    pub request_id: String,
    /// State.
    pub status: UpdateRequestStatus,
    /// What to install.
    pub package_id: Package,
    /// Place in the queue, from 0.
    pub install_pos: i32,
    /// ISO 8601; not parsed by the client.
    pub created_at: String,
}

impl UpdateRequest {
    /// The update as JSON.
    pub fn to_value(&self) -> Value {
        json!({
            "requestId": self.request_id,
            "status": self.status.name(),
            "packageId": self.package_id.to_value(),
            "installPos": self.install_pos,
            "createdAt": self.created_at,
        })
    }

    pub(super) fn read_members(members: &mut Members<'_>, path: &str, context: &mut Context) -> Option<Self> {
        let request_id: Option<String> = members.get("requestId", context);
        if let Some(id) = &request_id {
            check_update_id(id, &format!("{path}/requestId"), context);
        }
        let status = members.get("status", context);
        let package_id = members.get("packageId", context);
        let install_pos = members.get("installPos", context);
        let created_at = members.get("createdAt", context);
        Some(UpdateRequest {
            request_id: request_id?,
            status: status?,
            package_id: package_id?,
            install_pos: install_pos?,
            created_at: created_at?,
        })
    }
}

impl Read for UpdateRequestStatus {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let name = String::read(value, path, context)?;
        let status = UpdateRequestStatus::from_name(&name);
        if status.is_none() {
            context.invalid(
                OddityKind::UnknownName,
                path,
                format!("`{name}` is no state of an update"),
            );
        }
        status
    }
}

impl Read for UpdateRequest {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let request = UpdateRequest::read_members(&mut members, path, context);
        members.note_unknown(context);
        request
    }
}
