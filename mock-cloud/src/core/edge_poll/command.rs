//! One queued command and its life cycle (reference sections 3.1 and 3.2).

use crate::store::Change;
use hil_wire::edge_poll::{AckStatus, ItemStatus};
use hil_wire::timestamp::format_millis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(super) const COLLECTION: &str = "edge_commands";

/// A command as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredCommand {
    pub(super) id: String,
    pub(super) command: String,
    pub(super) payload: Value,
    #[serde(with = "status_name")]
    pub(super) status: ItemStatus,
    pub(super) created_ms: i64,
    pub(super) expires_ms: Option<i64>,
    pub(super) acked_ms: Option<i64>,
    pub(super) delivery_count: u64,
    pub(super) last_ack: Option<Value>,
    /// Further members of the listed item.
    pub(super) extra: Map<String, Value>,
    /// Listed exactly like this instead.
    pub(super) raw: Option<Value>,
    /// Listed although expired.
    pub(super) list_expired: bool,
    /// Listed this often although settled.
    pub(super) redeliver: u64,
}

impl StoredCommand {
    pub(super) fn new(id: String, command: String, payload: Value, created_ms: i64) -> Self {
        StoredCommand {
            id,
            command,
            payload,
            status: ItemStatus::Pending,
            created_ms,
            expires_ms: None,
            acked_ms: None,
            delivery_count: 0,
            last_ack: None,
            extra: Map::new(),
            raw: None,
            list_expired: false,
            redeliver: 0,
        }
    }

    /// Marks it expired once its time has come.
    pub(super) fn expire(&mut self, now_ms: i64) -> bool {
        let due = self.expires_ms.is_some_and(|at| at <= now_ms) && !self.list_expired;
        let expires = due && !self.status.is_terminal();
        if expires {
            self.status = ItemStatus::Expired;
        }
        expires
    }

    /// True if a poll lists it.
    pub(super) fn is_open(&self) -> bool {
        !self.status.is_terminal() || self.redeliver > 0
    }

    /// Takes note of a delivery.
    pub(super) fn deliver(&mut self) {
        self.delivery_count += 1;
        self.redeliver = self.redeliver.saturating_sub(1);
        if self.status == ItemStatus::Pending {
            self.status = ItemStatus::Delivered;
        }
    }

    /// The item as listed now.
    pub(super) fn item(&self) -> Value {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let status = if self.status.is_terminal() {
            ItemStatus::Delivered
        } else {
            self.status
        };
        let mut item = json!({
            "id": self.id,
            "command": self.command,
            "payload": self.payload,
            "status": status.name(),
            "created_at": format_millis(self.created_ms),
            "expires_at": self.expires_ms.map(format_millis),
            "delivery_count": self.delivery_count.max(1),
        });
        if let Some(members) = item.as_object_mut() {
            members.extend(self.extra.clone());
        }
        item
    }

    /// The item as operators see it.
    pub(super) fn operator_item(&self) -> Value {
        json!({
            "id": self.id,
            "command": self.command,
            "payload": self.payload,
            "status": self.status.name(),
            "created_at": format_millis(self.created_ms),
            "expires_at": self.expires_ms.map(format_millis),
            "delivery_count": self.delivery_count,
            "acked_at": self.acked_ms.map(format_millis),
            "ack": self.last_ack,
        })
    }

    /// What an ack does to it.
    pub(super) fn settle(&mut self, status: AckStatus, body: Value, now_ms: i64) -> Settled {
        if matches!(self.status, ItemStatus::Expired | ItemStatus::Cancelled) {
            return Settled::Gone;
        }
        if self.status.is_terminal() {
            return if self.status == status.item_status() {
                Settled::Duplicate
            } else {
                Settled::Terminal
            };
        }
        if status == AckStatus::Rejected && self.status == ItemStatus::InProgress {
            return Settled::InvalidTransition;
        }
        self.status = status.item_status();
        self.acked_ms = Some(now_ms);
        self.last_ack = Some(body);
        Settled::Stored
    }

    pub(super) fn change(&self) -> Change {
        let document = serde_json::to_value(self).unwrap_or_default();
        Change::Put {
            collection: COLLECTION,
            key: self.id.clone(),
            document,
        }
    }
}

/// What became of an ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Stored,
    Duplicate,
    Terminal,
    Gone,
    InvalidTransition,
}

/// A status in the store, by its name.
mod status_name {
    use hil_wire::edge_poll::ItemStatus;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(status: &ItemStatus, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(status.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ItemStatus, D::Error> {
        let name = String::deserialize(deserializer)?;
        ItemStatus::from_name(&name).ok_or_else(|| D::Error::custom(format!("unknown status `{name}`")))
    }
}
