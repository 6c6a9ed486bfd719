//! The firmware host: archives by path, whole ones and spoilt ones (reference sections 3.1 and 5).

use super::{
    FIRMWARE, OtaRpcCloud,
    request::bad,
    signing::Signed,
    variant::{manifest, spoil, with_version},
};
use crate::{
    core::{ActError, Outputs, RedirectPlaces},
    store::Change,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_fault::Artifact;
use hil_wire::http::{Request, Response};
use serde_json::{Map, Value, json};

/// Collection of archives in the store.
pub(super) const COLLECTION: &str = "ota_rpc_archives";

impl OtaRpcCloud {
    /// Answers `GET` or `HEAD` of an archive.
    pub(super) fn download(&self, request: &Request) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::new(405).header("Allow", "GET, HEAD");
        }
        match self.archives.get(archive_path(request.path())) {
            Some(bytes) => {
                let mut response = Response::new(200).header("Content-Type", "application/zip");
                response.body = bytes.clone();
                response
            }
            None => Response::new(404),
        }
    }

    pub(super) fn publish(
        &mut self,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let word = |name: &str| with.get(name).and_then(Value::as_str);
        let role = word("artifact").ok_or_else(|| bad("artifact", "is needed"))?;
        let artifact = artifacts(role).ok_or_else(|| ActError::Unknown {
            kind: "artifact",
            name: role.to_owned(),
        })?;
        let variant = word("variant");
        let mut bytes = artifact.bytes.to_vec();
        // An image made by hil is told from the same image that runs already.
        let made = manifest(&bytes).map(|manifest| manifest.version);
        let again = made
            .filter(|version| version.ends_with(MADE) && self.running.as_ref() == Some(version))
            .map(|version| format!("{version}.again"));
        if let Some(version) = word("version").or(again.as_deref()) {
            bytes = with_version(&bytes, version).map_err(|error| bad("version", &error.to_string()))?;
        }
        let version = manifest(&bytes).map_or(artifact.version.clone(), |manifest| manifest.version);
        if let Some(word) = word("signature") {
            let signed = Signed::parse(word).ok_or_else(|| bad("signature", "is no way to sign"))?;
            // A unit that runs already was not told the keys of this run.
            let was_told = !self.settings.flag("unsettled");
            bytes = self
                .signing
                .sign(&bytes, signed, was_told)
                .map_err(|error| bad("signature", &error.to_string()))?;
        }
        if let Some(variant) = variant {
            bytes = spoil(&bytes, variant).map_err(|error| bad("variant", &error.to_string()))?;
        }
        let path = match word("path") {
            Some(path) => format!("/{}", path.trim_start_matches('/')),
            None => {
                let marks = [Some(role), word("signature"), variant];
                let marks: Vec<&str> = marks.into_iter().flatten().collect();
                format!("/fw/{}.zip", marks.join("-"))
            }
        };
        let (size, members) = (bytes.len(), members_end(&bytes));
        out.changes.push(Change::Put {
            collection: COLLECTION,
            key: path.clone(),
            document: json!({"base64": STANDARD.encode(&bytes)}),
        });
        self.archives.insert(path.clone(), bytes);
        let facts = json!({"path": path, "version": version, "artifact": role, "signature": word("signature"), "variant": variant, "size": size});
        out.note("published", without_nulls(facts));
        let url = format!("{}{path}", self.firmware_url);
        Ok(json!({
            "url": url, "path": path, "version": version, "size": size,
            "tenth": members / 10, "half": members / 2, "most": members - members.div_ceil(100),
        }))
    }

    /// One of so many parts of an archive, counted from 1, and its offset.
    pub(super) fn part_of_archive(&self, path: &str, part: u64, of: u64) -> Result<(u64, Vec<u8>), ActError> {
        let archive = self.archives.get(path).ok_or_else(|| ActError::Unknown {
            kind: "archive",
            name: path.to_owned(),
        })?;
        if part < 1 || part > of {
            return Err(bad("part", "must be one of the parts, counted from 1"));
        }
        let size = archive.len() as u64;
        let (from, to) = (size * (part - 1) / of, size * part / of);
        let bytes = archive.iter().skip(from as usize).take((to - from) as usize);
        Ok((from, bytes.copied().collect()))
    }

    pub(super) fn withdraw(
        &mut self,
        with: &Map<String, Value>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let path = with.get("path").and_then(Value::as_str);
        let path = path.ok_or_else(|| bad("path", "is needed"))?;
        self.archives.remove(path).ok_or_else(|| ActError::Unknown {
            kind: "archive",
            name: path.to_owned(),
        })?;
        out.changes.push(Change::Delete {
            collection: COLLECTION,
            key: path.to_owned(),
        });
        Ok(json!({"path": path}))
    }

    /// Takes an archive back from the store.
    pub(super) fn load_archive(&mut self, key: String, document: &Value) {
        let text = document.get("base64").and_then(Value::as_str);
        if let Some(bytes) = text.and_then(|text| STANDARD.decode(text).ok()) {
            self.archives.insert(key, bytes);
        }
    }

    /// Where redirects go; `moved` is the same archive below another path.
    pub(super) fn redirected(&self, request: &Request) -> RedirectPlaces {
        let path = archive_path(request.path());
        RedirectPlaces {
            moved: Some(format!("{}{MOVED}{path}", self.firmware_url)),
            ..RedirectPlaces::of(&self.firmware_url, request)
        }
    }
}

/// True for the face of the firmware host.
pub(super) fn is_firmware(face: &str) -> bool {
    face == FIRMWARE
}

/// The path an archive was published at.
fn archive_path(path: &str) -> &str {
    path.strip_prefix(MOVED).unwrap_or(path)
}

/// Where the members of an archive end and its directory begins, which units need not wait for; its size if it is no
/// archive.
fn members_end(bytes: &[u8]) -> usize {
    let end_record = bytes.windows(4).rposition(|window| window == b"PK\x05\x06");
    let directory = end_record
        .and_then(|at| bytes.get(at + 16..at + 20)?.try_into().ok())
        .map(u32::from_le_bytes);
    directory
        .and_then(|offset| usize::try_from(offset).ok())
        .map_or(bytes.len(), |offset| offset.min(bytes.len()))
}

/// The object without its nulls.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

/// How versions of images made by hil end.
const MADE: &str = "+hil";
const MOVED: &str = "/moved";
