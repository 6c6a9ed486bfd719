//! Published snaps and their blobs (reference sections 3.3, 3.4 and 3.6).

use crate::store::Change;
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::{edge_poll::LatestAnswer, timestamp::format_millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) const COLLECTION: &str = "edge_snap_updates";
pub(super) const BLOBS: &str = "edge_snap_blobs";
/// A checksum to tell: the right one in capital letters.
const UPPER_CASE: &str = "upper-case";
/// A checksum to tell: an empty text.
const EMPTY: &str = "empty";

/// One published version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Snap {
    pub(super) revision: u64,
    pub(super) snap_name: String,
    pub(super) version: String,
    pub(super) sha256: String,
    pub(super) size: u64,
    pub(super) allow_downgrade: bool,
    pub(super) notes: Option<String>,
    pub(super) published_ms: i64,
    pub(super) withdrawn: bool,
    /// What units are told instead of the truth.
    #[serde(default)]
    pub(super) pretence: Pretence,
}

/// Wrong facts for units, asked for by a scenario.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pretence {
    pub(super) checksum: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) download_url: Option<String>,
}

impl Snap {
    /// Name of the blob, the same in every backend.
    pub(super) fn blob_key(&self) -> String {
        format!(
            "{}/{}/{}.snap",
            self.snap_name,
            self.path_of_version(),
            self.sha256
        )
    }

    /// The version as one part of a path, also where a scenario publishes one that is none.
    fn path_of_version(&self) -> String {
        self.version.replace('%', "%25").replace('/', "%2F")
    }

    /// The checksum units are told; `None` leaves it out.
    pub(super) fn told_checksum(&self) -> Option<String> {
        match &self.pretence.checksum {
            Some(told) if told.is_empty() => None,
            Some(told) if told == EMPTY => Some(String::new()),
            Some(told) if told == UPPER_CASE => Some(format!("sha256:{}", self.sha256.to_uppercase())),
            Some(told) => Some(told.clone()),
            None => Some(format!("sha256:{}", self.sha256)),
        }
    }

    /// The answer to `latest` and `publish`.
    pub(super) fn answer(&self, public_url: &str) -> LatestAnswer {
        let path = LatestAnswer::blob_path(&self.snap_name, &self.path_of_version(), &self.sha256);
        let url = self
            .pretence
            .download_url
            .clone()
            .unwrap_or_else(|| format!("{public_url}{path}"));
        LatestAnswer {
            snap_name: Some(self.snap_name.clone()),
            version: self.version.clone(),
            download_url: url,
            checksum: self.told_checksum(),
            size: Some(self.pretence.size.unwrap_or(self.size)),
            revision: Some(self.revision),
            published_at: Some(format_millis(self.published_ms)),
            allow_downgrade: Some(self.allow_downgrade),
        }
    }

    pub(super) fn change(&self) -> Change {
        let document = serde_json::to_value(self).unwrap_or_default();
        let key = format!("{}/{}", self.snap_name, self.version);
        Change::Put {
            collection: COLLECTION,
            key,
            document,
        }
    }
}

pub(super) fn blob_change(key: &str, bytes: &[u8]) -> Change {
    Change::Put {
        collection: BLOBS,
        key: key.to_owned(),
        document: json!({"base64": STANDARD.encode(bytes)}),
    }
}

pub(super) fn blob_from_document(document: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(document.get("base64")?.as_str()?).ok()
}
