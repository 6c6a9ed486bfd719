//! Discovery and system methods every unit has: `RPC.Describe`, `Sys.GetInfo`, `Sys.Reboot`.

use super::{argument, members::Members};
use crate::oddity::{Decoded, Oddity, OddityKind};
use serde_json::{Map, Value, json};

/// Result of `Sys.GetInfo`. Interface objects such as `wifi` stay in `other`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemInfo {
    /// Device id.
    pub id: Option<String>,
    /// Application name.
    pub app: Option<String>,
    /// Version of the running firmware.
    pub fw_version: Option<String>,
    /// Build id of the running firmware.
    pub fw_id: Option<String>,
    /// MAC address.
    pub mac: Option<String>,
    /// Platform name.
    pub arch: Option<String>,
    /// Whole seconds since boot.
    pub uptime: Option<i64>,
    /// Free heap in bytes.
    pub ram_free: Option<i64>,
    /// Free bytes of the file system.
    pub fs_free: Option<i64>,
    /// Everything else.
    pub other: Map<String, Value>,
}

impl SystemInfo {
    /// Reads a result; members of a wrong type are noted and stay in `other`.
    pub fn from_value(value: &Value) -> Decoded<SystemInfo> {
        let Value::Object(map) = value else {
            return Decoded::nothing(Oddity::invalid(OddityKind::WrongType, "", "must be an object"));
        };
        let mut members = Members::new(map.clone(), "");
        let mut info = SystemInfo {
            id: members.text("id"),
            app: members.text("app"),
            fw_version: members.text("fw_version"),
            fw_id: members.text("fw_id"),
            mac: members.text("mac"),
            arch: members.text("arch"),
            uptime: members.integer("uptime"),
            ram_free: members.integer("ram_free"),
            fs_free: members.integer("fs_free"),
            other: Map::new(),
        };
        members.require("fw_version", &info.fw_version);
        members.require("uptime", &info.uptime);
        info.other = members.rest;
        Decoded {
            value: Some(info),
            oddities: members.oddities,
        }
    }

    /// The result as JSON.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        put("id", self.id.clone().map(Value::from));
        put("app", self.app.clone().map(Value::from));
        put("fw_version", self.fw_version.clone().map(Value::from));
        put("fw_id", self.fw_id.clone().map(Value::from));
        put("mac", self.mac.clone().map(Value::from));
        put("arch", self.arch.clone().map(Value::from));
        put("uptime", self.uptime.map(Value::from));
        put("ram_free", self.ram_free.map(Value::from));
        put("fs_free", self.fs_free.map(Value::from));
        for (name, value) in &self.other {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(map)
    }
}

/// Result of `RPC.Describe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Describe {
    /// Method name.
    pub name: String,
    /// Format the arguments are scanned with.
    pub args_fmt: String,
}

impl Describe {
    /// Reads a result; `None` unless both members are strings.
    pub fn from_value(value: &Value) -> Option<Describe> {
        Some(Describe {
            name: value.get("name")?.as_str()?.to_owned(),
            args_fmt: value.get("args_fmt")?.as_str()?.to_owned(),
        })
    }

    /// The result as JSON.
    pub fn to_value(&self) -> Value {
        json!({"name": self.name, "args_fmt": self.args_fmt})
    }
}

/// Arguments of `Sys.Reboot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reboot {
    /// Milliseconds until the restart; 100 if not given.
    pub delay_millis: u32,
}

/// A negative delay, answered with code 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("delay_ms is negative: {0}")]
pub struct RebootError(pub i32);

impl Reboot {
    /// Reads the arguments the way a unit does.
    pub fn read(arguments: Option<&Value>) -> Result<Reboot, RebootError> {
        let delay = argument::integer(arguments, "delay_ms").unwrap_or(100);
        u32::try_from(delay)
            .map(|delay_millis| Reboot { delay_millis })
            .map_err(|_| RebootError(delay))
    }
}
