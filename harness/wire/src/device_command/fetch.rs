//! The answer to a fetch in relay mode (reference section 3.2).

use super::{CommandObject, fetched_signing_input, is_command_id};
use crate::{
    json,
    members::Members,
    oddity::{Decoded, Oddity, Weight},
    timestamp,
};
use serde::Serialize;
use serde_json::Value;

/// A command as the cloud hands it to the device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FetchedCommand {
    /// The command as issued.
    #[serde(flatten)]
    pub command: CommandObject,
    /// The `timestamp` of the issue request, verbatim: its signature covers it. RFC 3339.
    pub issued_at: String,
    /// Seconds of `execution_delay` left at the time of the answer.
    pub delay_remaining: u64,
    /// The device of the issue request, if the cloud carries it along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
}

impl FetchedCommand {
    /// Reads one command at a place of a message.
    pub fn read(value: &Value, path: &str, oddities: &mut Vec<Oddity>) -> Option<FetchedCommand> {
        let mut members = Members::open(value, path, oddities)?;
        let command = CommandObject::read_members(&mut members);
        let issued_at: Option<String> = members.required("issued_at");
        let delay_remaining = members.required("delay_remaining");
        let device_id = members.optional("device_id");
        let is_time = issued_at.as_deref().is_none_or(|t| timestamp::parse(t).is_some());
        members.require(is_time, "issued_at", "not an RFC 3339 timestamp");
        let undefined = members.finish();
        Some(FetchedCommand {
            command: CommandObject {
                members: undefined,
                ..command?
            },
            issued_at: issued_at?,
            delay_remaining: delay_remaining?,
            device_id,
        })
    }

    /// What its signature covers, rebuilt by the device with its own id.
    pub fn signing_input(&self, device_id: &str) -> Vec<u8> {
        fetched_signing_input(device_id, self)
    }
}

/// One place of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// A valid command, of a known type or not.
    Command(Box<FetchedCommand>),
    /// Something that breaks a rule of the protocol.
    Malformed(
        /// The JSON value as received.
        Value,
    ),
}

impl Entry {
    /// The command id, if there is a usable one, valid command or not.
    pub fn command_id(&self) -> Option<&str> {
        match self {
            Entry::Command(fetched) => Some(&fetched.command.command_id),
            Entry::Malformed(value) => value.get("command_id")?.as_str().filter(|id| is_command_id(id)),
        }
    }
}

/// The 200 answer to a fetch: oldest first, at most 8. One malformed command does not hide the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FetchAnswer {
    /// Every command, in list order.
    pub commands: Vec<Entry>,
    /// The cloud's clock, RFC 3339.
    pub server_time: String,
}

impl FetchAnswer {
    /// Reads the answer.
    pub fn decode(bytes: &[u8]) -> Decoded<FetchAnswer> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let commands = members.required::<&Vec<Value>>("commands").map(|items| {
                items
                    .iter()
                    .enumerate()
                    .map(|(index, value)| read_entry(value, index, members.oddities()))
                    .collect()
            });
            let server_time: Option<String> = members.required("server_time");
            let is_time = server_time
                .as_deref()
                .is_none_or(|t| timestamp::parse(t).is_some());
            members.require(is_time, "server_time", "not an RFC 3339 timestamp");
            members.finish();
            Some(FetchAnswer {
                commands: commands?,
                server_time: server_time?,
            })
        });
        Decoded { value, oddities }
    }

    /// The valid commands, in list order.
    pub fn valid(&self) -> impl Iterator<Item = &FetchedCommand> {
        self.commands.iter().filter_map(|entry| match entry {
            Entry::Command(command) => Some(command.as_ref()),
            Entry::Malformed(_) => None,
        })
    }
}

fn read_entry(value: &Value, index: usize, oddities: &mut Vec<Oddity>) -> Entry {
    let before = oddities.len();
    let command = FetchedCommand::read(value, &format!("/commands/{index}"), oddities);
    let valid = oddities[before..].iter().all(|o| o.weight == Weight::Tolerable);
    match command {
        Some(command) if valid => Entry::Command(Box::new(command)),
        _ => Entry::Malformed(value.clone()),
    }
}
