//! An update announced over RVI.

use super::members::{Context, Members, Read};
use serde_json::{Value, json};

/// An announcement; used with RVI only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateAvailable {
    /// Id of the update.
    pub update_id: String,
    /// Signature.
    pub signature: String,
    /// Text for the user.
    pub description: String,
    /// The user has to agree.
    pub request_confirmation: bool,
    /// Size in bytes.
    pub size: u64,
}

impl UpdateAvailable {
    /// The announcement as JSON.
    pub fn to_value(&self) -> Value {
        json!({
            "update_id": self.update_id,
            "signature": self.signature,
            "description": self.description,
            "request_confirmation": self.request_confirmation,
            "size": self.size,
        })
    }
}

impl Read for UpdateAvailable {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let update_id = members.get("update_id", context);
        let signature = members.get("signature", context);
        let description = members.get("description", context);
        let request_confirmation = members.get("request_confirmation", context);
        let size = members.get("size", context);
        members.note_unknown(context);
        Some(UpdateAvailable {
            update_id: update_id?,
            signature: signature?,
            description: description?,
            request_confirmation: request_confirmation?,
            size: size?,
        })
    }
}
