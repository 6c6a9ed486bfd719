//! `data_export`: the records of a closed range, as a file that never outlives its upload (reference section 3.4).

use super::{
    agent::{DeviceAgent, WORK, WORK_TIMER},
    execution::Step,
    store::{self, TELEMETRY, Telemetry},
};
use crate::{Context, HttpError, Limits};
use hil_wire::{
    device_command::{
        CommandStatus, CsvExport, ExportBody, ExportFormat, ExportRecord, Parameters, header, status_text,
    },
    digest::sha256_hex,
    http::Response,
    timestamp::{format_millis, parse_millis},
};
use serde_json::Value;
use std::time::Duration;

/// The upload under way.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    content_type: &'static str,
    bytes: Vec<u8>,
    records: u64,
    tries: u32,
}

impl DeviceAgent {
    /// Writes the export file and begins its upload.
    pub(super) fn begin_export(&mut self, context: &mut Context<'_>) {
        let Some(work) = &mut self.work else { return };
        let Parameters::DataExport {
            start_time,
            end_time,
            export_format,
            include_raw,
        } = work.parameters.clone()
        else {
            return;
        };
        let range =
            parse_millis(&start_time).unwrap_or(i64::MAX)..=parse_millis(&end_time).unwrap_or(i64::MIN);
        let stored: Vec<Telemetry> = store::load(&context.hardware.flash, TELEMETRY).unwrap_or_default();
        let chosen: Vec<Telemetry> = stored.into_iter().filter(|r| range.contains(&r.at_ms)).collect();
        let records = chosen.len() as u64;
        let (content_type, bytes) = match export_format {
            ExportFormat::Json => {
                let body = ExportBody {
                    device_id: self.device_id.clone(),
                    command_id: work.id.clone(),
                    start_time,
                    end_time,
                    include_raw,
                    records: chosen
                        .into_iter()
                        .map(|record| json_record(record, include_raw))
                        .collect(),
                };
                ("application/json", serde_json::to_vec(&body).unwrap_or_default())
            }
            ExportFormat::Csv => ("text/csv", csv(&chosen, include_raw).encode().into_bytes()),
        };
        if context.hardware.flash.write(EXPORT_FILE, bytes.clone()).is_err() {
            return self.fail(status_text::EXPORT_FILE_FAILED, context);
        }
        work.step = Step::Uploading(Box::new(Upload {
            content_type,
            bytes,
            records,
            tries: 0,
        }));
        self.upload(context);
    }

    /// Sends the file.
    pub(super) fn upload(&mut self, context: &mut Context<'_>) {
        let Some(work) = &mut self.work else { return };
        let path = format!("/api/v1/device/export/{}/{}", self.device_id, work.id);
        let Step::Uploading(upload) = &mut work.step else {
            return;
        };
        upload.tries += 1;
        let (bytes, content_type) = (upload.bytes.clone(), upload.content_type);
        let mut call = self
            .api("PUT", &path, context)
            .header("Content-Type", content_type)
            .header(header::CONTENT_SHA256, sha256_hex(&bytes));
        call.request.body = bytes;
        context.http(
            WORK,
            call.limits(Limits {
                connect: Duration::from_secs(10),
                idle: Duration::from_secs(30),
                total: Some(Duration::from_secs(120)),
                body: 64 * 1024,
            }),
        );
    }

    /// The upload has its answer, or none.
    pub(super) fn uploaded(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        let Some(Step::Uploading(upload)) = self.work.as_ref().map(|work| work.step.clone()) else {
            return;
        };
        let status = result.as_ref().map_or(0, |response| response.status);
        if let Ok(response) = &result {
            self.note_answer(response, context);
        }
        if (200..300).contains(&status) {
            self.clear_exports(context);
            let details = Some(status_text::exported(upload.records));
            return self.finish(CommandStatus::Completed, details, context);
        }
        let may_pass = matches!(status, 0 | 408 | 429 | 500..=599);
        if may_pass && upload.tries < TRIES {
            let gap = Duration::from_secs(2 * u64::from(upload.tries));
            context.timer(WORK_TIMER, self.held(gap, context.now()));
        } else {
            self.clear_exports(context);
            self.fail(status_text::EXPORT_UPLOAD_FAILED, context);
        }
    }

    /// No export file is left behind.
    pub(super) fn clear_exports(&mut self, context: &mut Context<'_>) {
        let _ = context.hardware.flash.remove(EXPORT_FILE);
    }
}

fn json_record(record: Telemetry, include_raw: bool) -> ExportRecord {
    ExportRecord {
        timestamp: format_millis(record.at_ms),
        values: record.values,
        raw: include_raw.then_some(record.raw),
    }
}

fn csv(records: &[Telemetry], include_raw: bool) -> CsvExport {
    let names: Vec<String> = records
        .first()
        .map(|r| r.values.keys().cloned().collect())
        .unwrap_or_default();
    let mut header = vec!["timestamp".to_owned()];
    header.extend(names.iter().cloned());
    if include_raw {
        header.push("raw".to_owned());
    }
    let text = |value: Option<&Value>| match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let row = |record: &Telemetry| {
        let mut row = vec![format_millis(record.at_ms)];
        row.extend(names.iter().map(|name| text(record.values.get(name))));
        if include_raw {
            row.push(record.raw.to_string());
        }
        row
    };
    CsvExport {
        header,
        records: records.iter().map(row).collect(),
    }
}

/// One name for all: it holds no text that came from outside.
pub(super) const EXPORT_FILE: &str = "exports/current";
const TRIES: u32 = 3;
