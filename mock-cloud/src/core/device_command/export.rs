//! Export uploads (reference section 3.4).

use super::{DeviceCommandCloud, answer::media_type, command::StoredCommand};
use crate::{
    core::{Now, Outputs},
    store::Change,
};
use hil_wire::{
    device_command::{
        CsvExport, ErrorBody, ExportAnswer, ExportBody, ExportFormat, Parameters, error_code, header,
    },
    digest::sha256_hex,
    http::{Request, Response},
    timestamp::{format_millis, parse_millis},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// One upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredExport {
    content_type: String,
    sha256: String,
    bytes: u64,
    records: u64,
    received_at: String,
}

impl DeviceCommandCloud {
    /// `PUT /device/export/{device_id}/{command_id}`.
    pub(super) fn export(
        &mut self,
        now: Now,
        device: &str,
        id: &str,
        request: &Request,
        out: &mut Outputs,
    ) -> Response {
        if let Err(refusal) = self.authenticate_unit(request, Some(device)) {
            return refusal;
        }
        let format = match media_type(request).as_deref() {
            Some("application/json") => ExportFormat::Json,
            Some("text/csv") => ExportFormat::Csv,
            _ => {
                let text = "The body must be application/json or text/csv";
                return self.error(415, text, error_code::UNSUPPORTED_MEDIA_TYPE);
            }
        };
        if request.body.len() > UPLOAD_LIMIT {
            return self.error(413, "The upload is too large", error_code::BODY_TOO_LARGE);
        }
        let Some(Wanted {
            start,
            end,
            raw,
            form,
        }) = self.commands.get(id).and_then(wanted)
        else {
            return self.error(404, "Unknown command", error_code::UNKNOWN_COMMAND);
        };
        let sha256 = sha256_hex(&request.body);
        match request.headers.get(header::CONTENT_SHA256) {
            None => return self.refusal(400, ErrorBody::invalid_field(header::CONTENT_SHA256)),
            Some(told) if !told.trim().eq_ignore_ascii_case(&sha256) => {
                return self.error(422, "Checksum mismatch", error_code::CHECKSUM_MISMATCH);
            }
            Some(_) => {}
        }
        if form != format {
            return self.refusal(400, ErrorBody::invalid_field("Content-Type"));
        }
        let times = match format {
            ExportFormat::Json => json_times(&request.body, device, id, raw),
            ExportFormat::Csv => csv_times(&request.body),
        };
        let times = match times {
            Ok(times) => times,
            Err(field) => return self.refusal(400, ErrorBody::invalid_field(field)),
        };
        let inside = |time: &String| parse_millis(time).is_some_and(|time| (start..=end).contains(&time));
        if !times.iter().all(inside) {
            return self.refusal(400, ErrorBody::invalid_field("records"));
        }
        let export = StoredExport {
            content_type: media_type(request).unwrap_or_default(),
            sha256,
            bytes: request.body.len() as u64,
            records: times.len() as u64,
            received_at: format_millis(now.unix_ms),
        };
        let answer = ExportAnswer {
            bytes: export.bytes,
            records: export.records,
        };
        let known = self
            .exports
            .get(id)
            .is_some_and(|old| old.sha256 == export.sha256);
        if !known {
            out.changes.push(Change::Put {
                collection: COLLECTION,
                key: id.to_owned(),
                document: serde_json::to_value(&export).unwrap_or_default(),
            });
            self.exports.insert(id.to_owned(), export);
        }
        let status = if known { 200 } else { 201 };
        Response::json(status, &serde_json::to_value(answer).unwrap_or_default())
    }
}

struct Wanted {
    start: i64,
    end: i64,
    raw: bool,
    form: ExportFormat,
}

/// What a command asks for, if it is an export.
fn wanted(command: &StoredCommand) -> Option<Wanted> {
    let kind = hil_wire::device_command::CommandType::from_name(command.type_name())?;
    let parameters = command
        .command
        .get("parameters")
        .cloned()
        .unwrap_or_else(|| json!({}));
    match Parameters::parse(kind, &parameters).ok()? {
        Parameters::DataExport {
            start_time,
            end_time,
            export_format,
            include_raw,
        } => Some(Wanted {
            start: parse_millis(&start_time)?,
            end: parse_millis(&end_time)?,
            raw: include_raw,
            form: export_format,
        }),
        _ => None,
    }
}

/// Times of the records, or the member at fault.
fn json_times(body: &[u8], device: &str, id: &str, raw: bool) -> Result<Vec<String>, &'static str> {
    let decoded = ExportBody::decode(body);
    let valid = decoded.is_valid();
    let export = decoded.value.filter(|_| valid).ok_or("records")?;
    if export.device_id != device {
        return Err("device_id");
    }
    if export.command_id != id {
        return Err("command_id");
    }
    if export.include_raw != raw {
        return Err("include_raw");
    }
    Ok(export
        .records
        .into_iter()
        .map(|record| record.timestamp)
        .collect())
}

fn csv_times(body: &[u8]) -> Result<Vec<String>, &'static str> {
    let decoded = CsvExport::decode(body);
    let valid = decoded.is_valid();
    let export = decoded.value.filter(|_| valid).ok_or("records")?;
    Ok(export
        .records
        .into_iter()
        .filter_map(|record| record.into_iter().next())
        .collect())
}

/// Exports by command id.
pub(super) const COLLECTION: &str = "device_exports";
/// The limit of 16 KiB is for requests that carry one message; an export of 31 days needs more.
const UPLOAD_LIMIT: usize = 16 * 1024 * 1024;
