//! Forms of HTTP answers (OTA-HTTP-001, OTA-HTTP-002, OTA-HTTP-003, OTA-HTTP-005).

use crate::{Judge, Monitor, Tally, message::recorded_request};
use hil_trace::{Event, HowClosed, HttpEnding, Party, Record, RecordBody, Stamp};
use hil_wire::ota_rpc::http::{Form, parse_request, status_of};
use serde_json::Value;
use std::collections::BTreeMap;

/// Follows exchanges with the unit.
pub(super) struct HttpMonitor {
    open: BTreeMap<u32, (Form, u64)>,
    whole: Tally,
    bare: Tally,
    failed: Tally,
    length: Tally,
}

impl Default for HttpMonitor {
    fn default() -> Self {
        HttpMonitor {
            open: BTreeMap::new(),
            whole: Tally::new("OTA-HTTP-001"),
            bare: Tally::new("OTA-HTTP-002"),
            failed: Tally::new("OTA-HTTP-003"),
            length: Tally::new("OTA-HTTP-005"),
        }
    }
}

impl Monitor for HttpMonitor {
    fn name(&self) -> &'static str {
        "ota-rpc/http"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["OTA-HTTP-001", "OTA-HTTP-002", "OTA-HTTP-003", "OTA-HTTP-005"]
    }

    fn observe(&mut self, record: &Record, _: &[Event], judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::HttpRequest {
                exchange,
                face,
                from: Party::Cloud,
                method,
                target,
                headers,
                body,
                ..
            } if face == "rpc-http" => {
                let request = recorded_request(method, target, headers, body);
                // Only calls of a method with an id must be answered, and only if they are for this unit.
                let call = parse_request(&request).ok();
                let call = call.filter(|call| call.oddities.is_empty() && call.frame.dst.is_none());
                let call = call.filter(|call| call.frame.called_method().is_some());
                if let Some(call) = call.filter(|call| call.form != Form::Frame || call.frame.id.is_some()) {
                    self.open.insert(*exchange, (call.form, record.seq));
                }
            }
            RecordBody::HttpResponse {
                exchange,
                from: Party::Unit,
                status,
                headers,
                body,
                ending,
            } => {
                let Some((form, request)) = self.open.remove(exchange) else {
                    return;
                };
                let evidence = vec![request, record.seq];
                if *ending == HttpEnding::Complete && *status != 401 {
                    self.answer(form, *status, body.bytes(), evidence.clone(), judge);
                }
                let told: Option<u64> = headers
                    .get("Content-Length")
                    .and_then(|text| text.trim().parse().ok());
                let whole = *ending == HttpEnding::Complete;
                if let (Some(told), true) = (told, whole && body.length() == body.bytes().len() as u64) {
                    if body.length() == told {
                        self.length.met(record.seq);
                    } else {
                        let text = format!("Content-Length says {told}, {} bytes came", body.length());
                        self.length.violated(text, evidence, judge);
                    }
                }
            }
            RecordBody::HttpUnanswered { exchange, .. } => {
                self.open.remove(exchange);
            }
            _ => {}
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.whole,
            &mut self.bare,
            &mut self.failed,
            &mut self.length,
        ] {
            tally.close(judge);
        }
    }
}

impl HttpMonitor {
    fn answer(&mut self, form: Form, status: u16, body: &[u8], evidence: Vec<u64>, judge: &mut Judge<'_>) {
        let last = evidence.last().copied().unwrap_or_default();
        let parsed: Option<Value> = serde_json::from_slice(body).ok();
        match form {
            Form::Frame => {
                let members = parsed.as_ref().and_then(Value::as_object);
                let is_frame = members.is_some_and(|members| {
                    members.contains_key("id")
                        && (members.contains_key("result") || members.contains_key("error"))
                });
                if status == 200 && is_frame {
                    self.whole.met(last);
                } else {
                    let text =
                        format!("POST /rpc was answered with status {status} instead of 200 and a frame");
                    self.whole.violated(text, evidence, judge);
                }
            }
            Form::Rest | Form::Query if status == 200 => {
                let looks_framed = parsed.as_ref().and_then(Value::as_object).is_some_and(|members| {
                    members.contains_key("id")
                        && (members.contains_key("result") || members.contains_key("error"))
                });
                match parsed {
                    Some(_) if !looks_framed => self.bare.met(last),
                    _ => self.bare.violated(
                        "a REST call was not answered with the bare result",
                        evidence,
                        judge,
                    ),
                }
            }
            Form::Rest | Form::Query => {
                let code = parsed
                    .as_ref()
                    .and_then(|body| body.get("code"))
                    .and_then(Value::as_i64);
                match code {
                    Some(code) if status_of(code) == status => self.failed.met(last),
                    Some(code) => {
                        let text = format!("error {code} came with status {status}, not {}", status_of(code));
                        self.failed.violated(text, evidence, judge);
                    }
                    None => {
                        let text = format!("status {status} came without an error object");
                        self.failed.violated(text, evidence, judge);
                    }
                }
            }
            Form::Preflight => {}
        }
    }
}
