//! The snap the cloud offers: answer of `latest` and of a publish (reference sections 3.3 and 3.6).

use super::{is_snap_name, is_version};
use crate::{
    digest::{self, ChecksumError},
    http::AbsoluteUrl,
    json,
    members::Members,
    oddity::{Decoded, OddityKind, Weight},
    timestamp,
};
use serde::Serialize;

/// One offered snap. Only `version` and `download_url` are certain; older clouds send nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LatestAnswer {
    /// Which snap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snap_name: Option<String>,
    /// Which version.
    pub version: String,
    /// Absolute URL of the blob.
    pub download_url: String,
    /// `sha256:<64 hex>` of the blob. Without one a unit must not install.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Bytes of the blob.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Grows with each publish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// When it was published, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<String>,
    /// Whether a unit may go back to this version; absent means no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_downgrade: Option<bool>,
}

impl LatestAnswer {
    /// Reads the answer. Values outside their rule are kept, so a unit can say why it refuses them.
    pub fn decode(bytes: &[u8]) -> Decoded<LatestAnswer> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let snap_name: Option<String> = members.optional("snap_name");
            let version: Option<String> = members.required("version");
            let download_url: Option<String> = members.required("download_url");
            let checksum: Option<String> = members.optional("checksum");
            let size = members.optional("size");
            let revision = members.optional("revision");
            let published_at: Option<String> = members.optional("published_at");
            let allow_downgrade = members.optional("allow_downgrade");
            let rules = [
                (
                    "snap_name",
                    snap_name.as_deref().is_none_or(is_snap_name),
                    "not a snap name",
                ),
                (
                    "version",
                    version.as_deref().is_none_or(is_version),
                    "not a version",
                ),
                (
                    "download_url",
                    download_url
                        .as_deref()
                        .is_none_or(|url| AbsoluteUrl::parse(url).is_some()),
                    "not an absolute URL",
                ),
                (
                    "published_at",
                    published_at
                        .as_deref()
                        .is_none_or(|t| timestamp::parse(t).is_some()),
                    "not an RFC 3339 timestamp",
                ),
            ];
            for (name, holds, rule) in rules {
                members.require(holds, name, rule);
            }
            if let Some(Err(error)) = checksum.as_deref().map(digest::parse_sha256) {
                let kind = match error {
                    ChecksumError::UnknownAlgorithm(_) => OddityKind::UnknownName,
                    ChecksumError::Empty | ChecksumError::Malformed => OddityKind::InvalidValue,
                };
                members.report(kind, Weight::Invalid, "checksum", error.to_string());
            }
            members.finish();
            Some(LatestAnswer {
                snap_name,
                version: version?,
                download_url: download_url?,
                checksum,
                size,
                revision,
                published_at,
                allow_downgrade,
            })
        });
        Decoded { value, oddities }
    }

    /// The path of a blob below the public URL: `/api/v1/snaps/blobs/<snap>/<version>/<sha256>.snap`.
    pub fn blob_path(snap_name: &str, version: &str, sha256_hex: &str) -> String {
        format!("/api/v1/snaps/blobs/{snap_name}/{version}/{sha256_hex}.snap")
    }
}
