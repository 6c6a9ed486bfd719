//! The desired status (reference section 3.17): items made of images, their instances, and who signs their blobs.

use super::{ActError, AosCloud, Artifact, Map, Now, Outputs, Value, blob, document, json};
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_link::pki::{PkiError, Subject, Validity};
use hil_wire::digest::{sha256_hex, sha256_tagged};
use std::time::Duration;

/// Name of the certificate chain that signs blobs.
pub(super) const SIGNERS: &str = "hil-items";

impl AosCloud {
    /// Sends a desired status. Lists that are not given stay as they were in the one before.
    pub(super) fn desire(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let mut digests = Vec::new();
        let mut desired = self.desired.clone();
        if let Some(Value::Array(roles)) = with.get("artifacts") {
            let count = with.get("num_instances").and_then(Value::as_u64).unwrap_or(1);
            let (mut items, mut instances) = (Vec::new(), Vec::new());
            for role in roles.iter().filter_map(Value::as_str) {
                let artifact = artifacts(role).ok_or_else(|| unknown_artifact(role))?;
                let item = self.add_item(role, &artifact, &mut digests, out);
                instances.push(json!({
                    "item": {"id": item_id(&artifact.name)},
                    "subject": {"id": SUBJECT},
                    "priority": 10,
                    "numInstances": count,
                    "labels": [],
                }));
                items.push(item);
            }
            desired.insert("items".to_owned(), json!(items));
            desired.insert("instances".to_owned(), json!(instances));
        }
        for (argument, member) in MEMBERS {
            if let Some(value) = with.get(argument).filter(|value| !value.is_null()) {
                desired.insert(member.to_owned(), value.clone());
            }
        }
        // Units of version 9.1.1 remove everything if these are absent (reference section 3.17).
        for member in ["items", "instances"] {
            desired.entry(member).or_insert_with(|| json!([]));
        }
        let subjects = json!([{"identity": {"id": SUBJECT}, "type": "group", "isReportedFromUnit": false}]);
        desired.entry("subjects").or_insert(subjects);
        self.desired = desired.clone();
        out.changes
            .push(document::put_state("desired", Value::Object(desired.clone())));
        let signers = self.signers(now, out)?;
        desired.insert("certificates".to_owned(), signers["certificates"].clone());
        desired.insert(
            "certificateChains".to_owned(),
            signers["certificateChains"].clone(),
        );
        if let Some(recipient) = with.get("encrypted").and_then(Value::as_str) {
            let items = desired["items"].clone();
            let sealed = self.sealed(now, recipient, &desired)?;
            let txn = self.post(now, "desiredStatus", &sealed, out);
            return Ok(json!({"txn": txn, "items": items, "digests": digests, "subject": SUBJECT}));
        }
        if let Some(Value::Object(extra)) = with.get("extra") {
            desired.extend(extra.clone());
        }
        let mut message = self.compose(now, "desiredStatus", &Value::Object(desired.clone()));
        if let Some(Value::Object(extra)) = with.get("header_extra") {
            message.payload = with_header(&message.payload, extra);
        }
        let txn = self.promise(now, message, out);
        Ok(json!({"txn": txn, "items": desired["items"], "digests": digests, "subject": SUBJECT}))
    }

    /// Offers an image as an item: index, manifest, configuration and one layer.
    fn add_item(
        &mut self,
        role: &str,
        artifact: &Artifact,
        digests: &mut Vec<String>,
        out: &mut Outputs,
    ) -> Value {
        let layer = artifact.bytes.to_vec();
        let configuration = json!({
            "created": "2026-01-01T00:00:00Z",
            "architecture": self.nodes.architecture(),
            "os": "linux",
            "config": {"Entrypoint": ["/service"]},
        });
        let configuration = configuration.to_string().into_bytes();
        let part = |kind: &str, bytes: &[u8]| {
            json!({
                "mediaType": format!("application/vnd.oci.image.{kind}"),
                "digest": sha256_tagged(bytes),
                "size": bytes.len(),
            })
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": part("config.v1+json", &configuration),
            "layers": [part("layer.v1.tar", &layer)],
        });
        let manifest = manifest.to_string().into_bytes();
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [part("manifest.v1+json", &manifest)],
            "annotations": {
                "org.opencontainers.image.title": artifact.name,
                "org.opencontainers.image.version": artifact.version,
            },
        });
        let mut last = String::new();
        let index = index.to_string().into_bytes();
        let parts = [
            ("layer", layer),
            ("configuration", configuration),
            ("manifest", manifest),
            ("index", index),
        ];
        for (part, content) in parts {
            last = self.add_blob(content, role, part);
            if let Some(blob) = self.blobs.get(&last) {
                out.changes.push(document::put_blob(&last, blob));
            }
            digests.push(last.clone());
        }
        json!({
            "item": {"id": item_id(&artifact.name), "type": "service"},
            "version": artifact.version,
            "owner": {"id": OWNER},
            "indexDigest": last,
        })
    }

    /// Certificates of the signer of blobs; made once.
    fn signers(&mut self, now: Now, out: &mut Outputs) -> Result<Value, ActError> {
        if let Some(signers) = &self.signers {
            return Ok(signers.clone());
        }
        let failed = |error: PkiError| ActError::BadArgument {
            argument: "certificates".to_owned(),
            problem: error.to_string(),
        };
        let year = Duration::from_secs(365 * 24 * 3600);
        let validity = Validity::for_span(now.unix_ms.saturating_mul(1000), year);
        let subject = Subject::named("hil item signer");
        let signer = self
            .authority
            .issue_client_for_key(&subject, validity, None, blob::SIGNER_KEY)
            .map_err(failed)?;
        let mut certificates = Vec::new();
        let mut fingerprints = Vec::new();
        for pem in [signer.certificate_chain.as_str(), self.authority.authority_pem()] {
            let der = der(pem).ok_or_else(|| failed(PkiError::NotACertificate))?;
            let fingerprint = sha256_hex(&der).to_uppercase();
            certificates.push(json!({"certificate": STANDARD.encode(&der), "fingerprint": fingerprint}));
            fingerprints.push(fingerprint);
        }
        let signers = json!({
            "certificates": certificates,
            "certificateChains": [{"name": SIGNERS, "fingerprints": fingerprints}],
        });
        self.signers = Some(signers.clone());
        out.changes.push(document::put_state("signers", signers.clone()));
        Ok(signers)
    }
}

/// The id an image's item has, by the name of the image.
pub(super) fn item_id(name: &str) -> String {
    let digest = sha256_hex(name.as_bytes());
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digest.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The bytes of the first PEM block.
pub(super) fn der(pem: &str) -> Option<Vec<u8>> {
    let lines = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1);
    let text: String = lines.take_while(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(text).ok()
}

pub(super) fn unknown_artifact(role: &str) -> ActError {
    ActError::Unknown {
        kind: "artifact",
        name: role.to_owned(),
    }
}

/// The message with members of the header added or, if null, removed.
pub(super) fn with_header(payload: &[u8], changes: &Map<String, Value>) -> Vec<u8> {
    let Ok(mut envelope) = serde_json::from_slice::<Value>(payload) else {
        return payload.to_vec();
    };
    if let Some(header) = envelope.get_mut("header").and_then(Value::as_object_mut) {
        for (name, value) in changes {
            if value.is_null() {
                header.shift_remove(name);
            } else {
                header.insert(name.clone(), value.clone());
            }
        }
    }
    envelope.to_string().into_bytes()
}

/// The subject of all instances.
pub(super) const SUBJECT: &str = "b633c0d5-3788-45ca-b6b0-a9b88ff307f4";
const OWNER: &str = "d0b90182-3e83-45de-9948-3b5e010b81e9";
const MEMBERS: [(&str, &str); 5] = [
    ("items", "items"),
    ("instances", "instances"),
    ("nodes", "nodes"),
    ("unit_config", "unitConfig"),
    ("subjects", "subjects"),
];
