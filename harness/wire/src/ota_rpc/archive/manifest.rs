//! `manifest.json`: what an archive contains and for which platform.

use crate::{
    digest::sha256_hex,
    json,
    oddity::{Decoded, Oddity, OddityKind, Weight},
    ota_rpc::members::Members,
};
use indexmap::IndexMap;
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};

/// Name of the first member.
pub const MANIFEST_NAME: &str = "manifest.json";

/// The manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// Application name; not compared with the running one.
    pub name: Option<String>,
    /// Platform such as `esp32`.
    pub platform: String,
    /// Free text; no order is defined.
    pub version: String,
    /// Free text.
    pub build_id: String,
    /// RFC 3339.
    pub build_timestamp: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Parts by name, in order.
    pub parts: IndexMap<String, Part>,
    /// Everything else.
    pub other: Map<String, Value>,
}

/// One part of the firmware. Attributes without a field of their own are kept in `other`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// `type`: `boot`, `app`, `fs`, `partition_table` and others.
    pub kind: Option<String>,
    /// Member that holds the bytes; absent for a part filled with one byte.
    pub src: Option<String>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// 40 hex digits.
    pub cs_sha1: Option<String>,
    /// 64 hex digits.
    pub cs_sha256: Option<String>,
    /// Partition name; units ignore it when choosing a slot.
    pub ptn: Option<String>,
    /// Everything else, such as `addr`, `fill`, `fs_block_size`.
    pub other: Map<String, Value>,
}

impl Manifest {
    /// Reads a manifest.
    pub fn decode(bytes: &[u8]) -> Decoded<Manifest> {
        let parsed = json::parse(bytes);
        let Some(value) = parsed.value else {
            return Decoded {
                value: None,
                oddities: parsed.oddities,
            };
        };
        let mut decoded = Manifest::from_value(value);
        decoded.oddities.splice(0..0, parsed.oddities);
        decoded
    }

    /// Reads a manifest from parsed JSON.
    pub fn from_value(value: Value) -> Decoded<Manifest> {
        let Value::Object(map) = value else {
            return Decoded::nothing(Oddity::invalid(OddityKind::WrongType, "", "must be an object"));
        };
        let mut members = Members::new(map, "");
        let mut required = |name: &str| {
            let value = members.text(name);
            members.require(name, &value);
            value
        };
        let (platform, version, build_id) = (required("platform"), required("version"), required("build_id"));
        let parts = members.take("parts", "an object", Weight::Invalid, |value| {
            value.as_object().cloned()
        });
        members.require("parts", &parts);
        let mut manifest = Manifest {
            name: members.text("name"),
            build_timestamp: members.text("build_timestamp"),
            description: members.text("description"),
            ..Manifest::default()
        };
        for (name, value) in parts.iter().flatten() {
            let path = format!("/parts/{}", name.replace('~', "~0").replace('/', "~1"));
            let part = Part::from_value(value.clone(), &path);
            members.oddities.extend(part.oddities);
            if let Some(part) = part.value {
                manifest.parts.insert(name.clone(), part);
            }
        }
        manifest.other = members.rest;
        let value = match (platform, version, build_id, parts) {
            (Some(platform), Some(version), Some(build_id), Some(_)) => Some(Manifest {
                platform,
                version,
                build_id,
                ..manifest
            }),
            _ => None,
        };
        Decoded {
            value,
            oddities: members.oddities,
        }
    }

    /// The manifest as JSON.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        let parts = self
            .parts
            .iter()
            .map(|(name, part)| (name.clone(), part.to_value()));
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        put("name", self.name.clone().map(Value::from));
        put("platform", Some(self.platform.clone().into()));
        put("version", Some(self.version.clone().into()));
        put("build_id", Some(self.build_id.clone().into()));
        put("build_timestamp", self.build_timestamp.clone().map(Value::from));
        put("description", self.description.clone().map(Value::from));
        put("parts", Some(Value::Object(parts.collect())));
        for (name, value) in &self.other {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(map)
    }
}

impl Part {
    /// A part of that type whose bytes are the member `src`, with size and both digests.
    pub fn of(kind: &str, src: &str, bytes: &[u8]) -> Self {
        Part {
            kind: Some(kind.to_owned()),
            src: Some(src.to_owned()),
            size: Some(bytes.len() as u64),
            cs_sha1: Some(hex::encode(Sha1::digest(bytes))),
            cs_sha256: Some(sha256_hex(bytes)),
            ptn: None,
            other: Map::new(),
        }
    }

    fn from_value(value: Value, path: &str) -> Decoded<Part> {
        let Value::Object(map) = value else {
            return Decoded::nothing(Oddity::invalid(OddityKind::WrongType, path, "must be an object"));
        };
        let mut members = Members::new(map, path);
        let part = Part {
            kind: members.text("type"),
            src: members.text("src"),
            size: members.take("size", "a number of bytes", Weight::Invalid, Value::as_u64),
            cs_sha1: members.text("cs_sha1"),
            cs_sha256: members.text("cs_sha256"),
            ptn: members.text("ptn"),
            other: Map::new(),
        };
        Decoded {
            value: Some(Part {
                other: members.rest,
                ..part
            }),
            oddities: members.oddities,
        }
    }

    fn to_value(&self) -> Value {
        let mut map = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        put("type", self.kind.clone().map(Value::from));
        put("src", self.src.clone().map(Value::from));
        put("size", self.size.map(Value::from));
        put("cs_sha1", self.cs_sha1.clone().map(Value::from));
        put("cs_sha256", self.cs_sha256.clone().map(Value::from));
        put("ptn", self.ptn.clone().map(Value::from));
        for (name, value) in &self.other {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(map)
    }
}
