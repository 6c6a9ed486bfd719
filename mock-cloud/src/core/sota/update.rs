//! Queued updates and their images, as they are listed and stored (reference sections 4.3 and 4.4).

use super::{SotaCloud, token};
use crate::{core::Outputs, store::Change};
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::{
    digest::sha256_hex,
    sota::{
        Package, UpdateRequest, UpdateRequestStatus,
        core::{ListedUpdate, decode_packages, encode_packages},
    },
    timestamp::format_millis,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Collection of updates in the store.
pub(super) const COLLECTION: &str = "sota_updates";
/// Collection of images.
pub(super) const IMAGES: &str = "sota_images";
/// Collection of facts about the device.
pub(super) const DEVICE: &str = "sota_device";

/// One queued update.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredUpdate {
    /// Position in the order of queueing.
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    /// Name of its status.
    pub(super) status: String,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    /// SHA-256 of the image.
    pub(super) image: Option<String>,
    /// Taken off the list.
    pub(super) cancelled: bool,
    /// What the unit is told instead of the truth.
    #[serde(default)]
    pub(super) told_status: Option<String>,
    #[serde(default)]
    pub(super) told_position: Option<i32>,
    #[serde(default)]
    pub(super) extra: Map<String, Value>,
}

impl StoredUpdate {
    /// Whether Core lists it.
    fn is_listed(&self) -> bool {
        !self.cancelled && matches!(self.status.as_str(), "Pending" | "InFlight")
    }

    /// The update as Core lists it.
    pub(super) fn listed(&self, position: i32) -> Value {
        let status = UpdateRequestStatus::from_name(&self.status).unwrap_or(UpdateRequestStatus::Pending);
        let listed = ListedUpdate {
            request: UpdateRequest {
                request_id: self.id.clone(),
                status,
                package_id: Package::new(self.name.clone(), self.version.clone()),
                install_pos: self.told_position.unwrap_or(position),
                created_at: format_millis(self.created_ms),
            },
            updated_at: Some(format_millis(self.updated_ms)),
        };
        let mut value = listed.to_value();
        if let Some(told) = &self.told_status {
            value["status"] = json!(told);
        }
        for (name, extra) in &self.extra {
            value[name.as_str()] = extra.clone();
        }
        value
    }

    fn change(&self) -> Change {
        Change::Put {
            collection: COLLECTION,
            key: self.id.clone(),
            document: serde_json::to_value(self).unwrap_or_default(),
        }
    }
}

impl SotaCloud {
    /// The list of C1; empty while the queue is blocked.
    pub(super) fn list(&self) -> Value {
        let listed = self
            .updates
            .iter()
            .filter(|update| !self.blocked && update.is_listed());
        listed
            .zip(0..)
            .map(|(update, position)| update.listed(position))
            .collect()
    }

    /// Queues an update.
    pub(super) fn enqueue(&mut self, update: StoredUpdate, out: &mut Outputs) {
        out.changes.push(update.change());
        out.note(
            "queued",
            json!({"id": update.id, "name": update.name, "version": update.version}),
        );
        self.updates.push(update);
    }

    /// Keeps an image under its digest.
    pub(super) fn keep_image(&mut self, bytes: &[u8], out: &mut Outputs) -> String {
        let key = sha256_hex(bytes);
        if !self.images.contains_key(&key) {
            out.changes.push(Change::Put {
                collection: IMAGES,
                key: key.clone(),
                document: json!({"base64": STANDARD.encode(bytes)}),
            });
            self.images.insert(key.clone(), bytes.to_vec());
        }
        key
    }

    /// Changes an update; `None` if there is none of that id.
    pub(super) fn change_update(
        &mut self,
        id: &str,
        out: &mut Outputs,
        change: impl FnOnce(&mut StoredUpdate),
    ) -> Option<&StoredUpdate> {
        let update = self.updates.iter_mut().find(|update| update.id == id)?;
        change(update);
        out.changes.push(update.change());
        Some(update)
    }

    /// Blocks or unblocks the install queue.
    pub(super) fn set_blocked(&mut self, blocked: bool, out: &mut Outputs) {
        self.blocked = blocked;
        self.keep_fact("blocked", json!(blocked), out);
        out.note(if blocked { "blocked" } else { "unblocked" }, json!({}));
    }

    /// Replaces the list of installed packages.
    pub(super) fn set_installed(&mut self, packages: Vec<Package>, out: &mut Outputs) {
        self.keep_fact("installed", encode_packages(&packages), out);
        self.installed = packages;
    }

    fn keep_fact(&self, name: &str, value: Value, out: &mut Outputs) {
        out.changes.push(Change::Put {
            collection: DEVICE,
            key: name.to_owned(),
            document: value,
        });
    }

    /// An id nobody has: a UUID of version 4 in form.
    pub(super) fn new_id(&mut self) -> String {
        let text = format!("{}/update/{}", self.settings.seed, self.next_id);
        uuid_of(&text)
    }

    pub(super) fn load_document(&mut self, collection: &str, key: String, document: Value) {
        match collection {
            COLLECTION => {
                if let Ok(update) = serde_json::from_value(document) {
                    self.updates.push(update);
                }
            }
            IMAGES => {
                let text = document.get("base64").and_then(Value::as_str);
                if let Some(bytes) = text.and_then(|text| STANDARD.decode(text).ok()) {
                    self.images.insert(key, bytes);
                }
            }
            token::COLLECTION => self.tokens.load(key, &document),
            _ if key == "blocked" => self.blocked = document == json!(true),
            _ => {
                let packages = decode_packages(document.to_string().as_bytes());
                self.installed = packages.value.unwrap_or_default();
            }
        }
    }
}

/// The device's UUID: the unit's id if it is one, else one made from it.
pub(super) fn device_uuid(unit_id: &str) -> String {
    match uuid::Uuid::parse_str(unit_id) {
        Ok(_) => unit_id.to_owned(),
        Err(_) => uuid_of(unit_id),
    }
}

/// The update of a path below another origin.
pub(super) fn moved(path: &str) -> Option<&str> {
    path.strip_prefix("/moved/")
}

fn uuid_of(text: &str) -> String {
    let digest = sha256_hex(text.as_bytes());
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(0..) {
        *byte = u8::from_str_radix(&digest[pair * 2..pair * 2 + 2], 16).unwrap_or_default();
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
