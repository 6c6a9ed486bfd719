//! A finished download.

use super::members::{Context, Members, Read};
use serde_json::{Value, json};

/// Where a downloaded image lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadComplete {
    /// Id of the update.
    pub update_id: String,
    /// Absolute path of the file.
    pub update_image: String,
    /// Signature; empty over HTTP.
    pub signature: String,
}

impl DownloadComplete {
    /// The data as JSON.
    pub fn to_value(&self) -> Value {
        json!({
            "update_id": self.update_id,
            "update_image": self.update_image,
            "signature": self.signature,
        })
    }
}

impl Read for DownloadComplete {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let update_id = members.get("update_id", context);
        let update_image = members.get("update_image", context);
        let signature = members.get("signature", context);
        members.note_unknown(context);
        Some(DownloadComplete {
            update_id: update_id?,
            update_image: update_image?,
            signature: signature?,
        })
    }
}
