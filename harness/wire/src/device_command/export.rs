//! The export upload as JSON, and the answer to it (reference section 3.4). The other form is [`super::CsvExport`].

use super::{is_command_id, is_device_id};
use crate::{
    json,
    members::Members,
    oddity::{Decoded, Oddity, OddityKind, Weight},
    timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// The JSON body of an export upload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExportBody {
    /// Which device.
    pub device_id: String,
    /// Which `data_export` command.
    pub command_id: String,
    /// First instant as commanded, RFC 3339.
    pub start_time: String,
    /// Last instant as commanded, RFC 3339.
    pub end_time: String,
    /// Whether records carry raw data.
    pub include_raw: bool,
    /// The records within the closed range.
    pub records: Vec<ExportRecord>,
}

/// One stored record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExportRecord {
    /// When it was taken, RFC 3339.
    pub timestamp: String,
    /// Measured values by name.
    pub values: Map<String, Value>,
    /// Raw data, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<Value>,
}

impl ExportBody {
    /// Reads a request body. Raw data in spite of `include_raw: false` is a contradiction.
    pub fn decode(bytes: &[u8]) -> Decoded<ExportBody> {
        let parsed = json::parse_request(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed
            .value
            .and_then(|value| ExportBody::read(&value, &mut oddities));
        Decoded { value, oddities }
    }

    fn read(value: &Value, oddities: &mut Vec<Oddity>) -> Option<ExportBody> {
        let mut members = Members::open(value, "", oddities)?;
        let device_id: Option<String> = members.required("device_id");
        let command_id: Option<String> = members.required("command_id");
        let start_time: Option<String> = members.required("start_time");
        let end_time: Option<String> = members.required("end_time");
        let include_raw = members.required("include_raw");
        let records = members.required::<&Vec<Value>>("records").and_then(|items| {
            let records = items.iter().enumerate().map(|(index, item)| {
                ExportRecord::read(
                    item,
                    &format!("/records/{index}"),
                    include_raw,
                    members.oddities(),
                )
            });
            // read every record before giving up, so that each is reported
            records.collect::<Vec<_>>().into_iter().collect()
        });
        let rules = [
            (
                "device_id",
                device_id.as_deref().is_none_or(is_device_id),
                "not a device id",
            ),
            (
                "command_id",
                command_id.as_deref().is_none_or(is_command_id),
                "not a command id",
            ),
            (
                "start_time",
                start_time
                    .as_deref()
                    .is_none_or(|t| timestamp::parse(t).is_some()),
                "not an RFC 3339 timestamp",
            ),
            (
                "end_time",
                end_time.as_deref().is_none_or(|t| timestamp::parse(t).is_some()),
                "not an RFC 3339 timestamp",
            ),
        ];
        for (name, holds, rule) in rules {
            members.require(holds, name, rule);
        }
        members.finish();
        Some(ExportBody {
            device_id: device_id?,
            command_id: command_id?,
            start_time: start_time?,
            end_time: end_time?,
            include_raw: include_raw?,
            records: records?,
        })
    }
}

impl ExportRecord {
    fn read(
        value: &Value,
        path: &str,
        include_raw: Option<bool>,
        oddities: &mut Vec<Oddity>,
    ) -> Option<ExportRecord> {
        let mut members = Members::open(value, path, oddities)?;
        let timestamp: Option<String> = members.required("timestamp");
        let values = members.required("values");
        let raw: Option<&Value> = members.optional("raw");
        let is_time = timestamp.as_deref().is_none_or(|t| timestamp::parse(t).is_some());
        members.require(is_time, "timestamp", "not an RFC 3339 timestamp");
        if raw.is_some() && include_raw == Some(false) {
            let detail = "raw data although `include_raw` is false";
            members.report(OddityKind::Contradiction, Weight::Invalid, "raw", detail);
        }
        members.finish();
        Some(ExportRecord {
            timestamp: timestamp?,
            values: values?,
            raw: raw.cloned(),
        })
    }
}

/// The 201 or 200 answer to an export upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportAnswer {
    /// Bytes stored.
    pub bytes: u64,
    /// Records counted.
    pub records: u64,
}

impl ExportAnswer {
    /// Reads the answer.
    pub fn decode(bytes: &[u8]) -> Decoded<ExportAnswer> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let bytes = members.required("bytes");
            let records = members.required("records");
            members.finish();
            Some(ExportAnswer {
                bytes: bytes?,
                records: records?,
            })
        });
        Decoded { value, oddities }
    }
}
