//! One command as the cloud lists it, and the list an appliance polls (reference section 3.1).

use super::{Command, PayloadError, is_command_id, parse_payload};
use crate::{
    json,
    members::Members,
    oddity::{Decoded, Oddity, OddityKind, Weight},
    timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// One command in the answer to a poll.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommandItem {
    /// Id, used in the path of the acknowledgement.
    pub id: String,
    /// Command type.
    pub command: String,
    /// Parameters of the command.
    pub payload: Map<String, Value>,
    /// State of the command before this listing, or as the operator sees it.
    pub status: ItemStatus,
    /// When it was queued, RFC 3339.
    pub created_at: String,
    /// Not to be started after this instant, RFC 3339.
    pub expires_at: Option<String>,
    /// 1 on the first delivery, 0 before it.
    pub delivery_count: u64,
}

impl CommandItem {
    /// Reads one item, such as the answer to an operator's request.
    pub fn decode(bytes: &[u8]) -> Decoded<CommandItem> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed
            .value
            .and_then(|value| CommandItem::read(&value, "", &mut oddities));
        Decoded { value, oddities }
    }

    /// Reads one item at a place of a message.
    pub fn read(value: &Value, path: &str, oddities: &mut Vec<Oddity>) -> Option<CommandItem> {
        let mut members = Members::open(value, path, oddities)?;
        let id: Option<String> = members.required("id");
        let command: Option<String> = members.required("command");
        let payload: Option<Map<String, Value>> = members.required("payload");
        let status = members.required::<&str>("status").and_then(|text| {
            let status = ItemStatus::from_name(text);
            if status.is_none() {
                let detail = format!("`{text}` is no command status");
                members.report(OddityKind::UnknownName, Weight::Invalid, "status", detail);
            }
            status
        });
        let created_at: Option<String> = members.required("created_at");
        let expires_at: Option<String> = members.nullable("expires_at");
        let delivery_count = members.required("delivery_count");
        if let Some(id) = &id {
            members.require(
                is_command_id(id),
                "id",
                "a command id has 1 to 64 of A-Z a-z 0-9 _ -",
            );
        }
        for (name, time) in [("created_at", &created_at), ("expires_at", &expires_at)] {
            let is_time = time.as_deref().is_none_or(|t| timestamp::parse(t).is_some());
            members.require(is_time, name, "not an RFC 3339 timestamp");
        }
        members.finish();
        Some(CommandItem {
            id: id?,
            command: command?,
            payload: payload?,
            status: status?,
            created_at: created_at?,
            expires_at,
            delivery_count: delivery_count?,
        })
    }

    /// The command with its payload understood.
    pub fn parse_payload(&self) -> Result<Command, PayloadError> {
        parse_payload(&self.command, &Value::Object(self.payload.clone()))
    }

    /// `expires_at` in Unix milliseconds.
    pub fn expires_at_millis(&self) -> Option<i64> {
        self.expires_at.as_deref().and_then(timestamp::parse_millis)
    }

    /// `created_at` in Unix milliseconds.
    pub fn created_at_millis(&self) -> Option<i64> {
        timestamp::parse_millis(&self.created_at)
    }
}

/// The life cycle of a command on the cloud side (reference section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// Never listed in an answer to a poll.
    Pending,
    /// Listed at least once.
    Delivered,
    /// Acknowledged as running.
    InProgress,
    /// Acknowledged as done; terminal.
    Completed,
    /// Acknowledged as failed; terminal.
    Failed,
    /// Acknowledged as refused; terminal.
    Rejected,
    /// Past its `expires_at`; terminal.
    Expired,
    /// Cancelled by the operator; terminal.
    Cancelled,
}

impl ItemStatus {
    /// Every status, in the order of the life cycle.
    pub const ALL: [ItemStatus; 8] = [
        ItemStatus::Pending,
        ItemStatus::Delivered,
        ItemStatus::InProgress,
        ItemStatus::Completed,
        ItemStatus::Failed,
        ItemStatus::Rejected,
        ItemStatus::Expired,
        ItemStatus::Cancelled,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ItemStatus::Pending => "pending",
            ItemStatus::Delivered => "delivered",
            ItemStatus::InProgress => "in_progress",
            ItemStatus::Completed => "completed",
            ItemStatus::Failed => "failed",
            ItemStatus::Rejected => "rejected",
            ItemStatus::Expired => "expired",
            ItemStatus::Cancelled => "cancelled",
        }
    }

    /// The status of a name on the wire.
    pub fn from_name(name: &str) -> Option<ItemStatus> {
        ItemStatus::ALL.into_iter().find(|s| s.name() == name)
    }

    /// True if no acknowledgement can change it any more; such commands are not listed in polls.
    pub fn is_terminal(self) -> bool {
        !matches!(
            self,
            ItemStatus::Pending | ItemStatus::Delivered | ItemStatus::InProgress
        )
    }
}

/// The answer to a poll, or to the operator's listing. One malformed item does not hide the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CommandList {
    /// Every item, in list order.
    pub entries: Vec<Entry>,
}

/// One place of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// A valid item.
    Item(CommandItem),
    /// Something that breaks a rule of the protocol.
    Malformed(
        /// The JSON value as received.
        Value,
    ),
}

impl Entry {
    /// The command id, if there is a usable one, valid item or not.
    pub fn id(&self) -> Option<&str> {
        match self {
            Entry::Item(item) => Some(&item.id),
            Entry::Malformed(value) => value.get("id")?.as_str().filter(|id| is_command_id(id)),
        }
    }
}

impl CommandList {
    /// Reads the answer to a poll. Its value is absent only if it is not JSON or not an array.
    pub fn decode(bytes: &[u8]) -> Decoded<CommandList> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = match parsed.value {
            Some(Value::Array(items)) => Some(CommandList {
                entries: items
                    .into_iter()
                    .enumerate()
                    .map(|(index, value)| read_entry(value, index, &mut oddities))
                    .collect(),
            }),
            Some(_) => {
                let detail = "an array of commands is expected";
                oddities.push(Oddity::invalid(OddityKind::WrongType, "", detail));
                None
            }
            None => None,
        };
        Decoded { value, oddities }
    }

    /// The valid items, in list order.
    pub fn items(&self) -> impl Iterator<Item = &CommandItem> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Item(item) => Some(item),
            Entry::Malformed(_) => None,
        })
    }
}

impl FromIterator<CommandItem> for CommandList {
    fn from_iter<I: IntoIterator<Item = CommandItem>>(items: I) -> Self {
        CommandList {
            entries: items.into_iter().map(Entry::Item).collect(),
        }
    }
}

fn read_entry(value: Value, index: usize, oddities: &mut Vec<Oddity>) -> Entry {
    let before = oddities.len();
    let item = CommandItem::read(&value, &format!("/{index}"), oddities);
    let valid = oddities[before..].iter().all(|o| o.weight == Weight::Tolerable);
    match item {
        Some(item) if valid => Entry::Item(item),
        _ => Entry::Malformed(value),
    }
}
