//! Logs (reference sections 3.6 and 3.18): the journal of the node, in compressed parts.

use super::agent::{AosAgent, MAIN_NODE, SECOND_NODE, error_info};
use crate::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use hil_wire::{
    aos::{LogType, RequestLog},
    timestamp::{format_micros, parse},
};
use serde_json::{Value, json};
use std::io::Write;

impl AosAgent {
    /// Answers a request for a log, node by node.
    pub(super) fn push_log(&mut self, request: &RequestLog, context: &mut Context<'_>) {
        context.hardware.count("logs_pushed");
        let correlation = &request.correlation_id;
        for node in request.filter.node_ids.iter().flatten() {
            let name = node.codename.clone().unwrap_or_default();
            let alone = |part: u64, status: &str| {
                json!({
                    "correlationId": correlation,
                    "node": {"codename": name},
                    "part": part,
                    "partsCount": part,
                    "content": "",
                    "status": status,
                })
            };
            if name != MAIN_NODE && name != SECOND_NODE {
                let mut failed = alone(0, "error");
                failed["errorInfo"] = error_info(5, "node not found");
                self.post("pushLog", failed, context);
                continue;
            }
            if self.journal_broken {
                let mut failed = alone(0, "error");
                failed["errorInfo"] = error_info(1, "journal is unavailable");
                self.post("pushLog", failed, context);
                continue;
            }
            let lines = match self.lines(request) {
                Some(lines) => lines,
                None => {
                    self.post("pushLog", alone(1, "absent"), context);
                    continue;
                }
            };
            if lines.is_empty() {
                self.post("pushLog", alone(1, "empty"), context);
                continue;
            }
            let parts: Vec<String> = lines.chunks(LINES_PER_PART).map(|lines| lines.join("")).collect();
            for (index, text) in parts.iter().enumerate() {
                let part: Value = json!({
                    "correlationId": correlation,
                    "node": {"codename": name},
                    "part": index + 1,
                    "partsCount": parts.len(),
                    "content": STANDARD.encode(compressed(text)),
                    "status": "ok",
                });
                self.post("pushLog", part, context);
            }
        }
    }

    /// Lines the request is about; `None` if there is no such instance or crash.
    fn lines(&self, request: &RequestLog) -> Option<Vec<String>> {
        let filter = &request.filter;
        let time = |text: &Option<String>| text.as_deref().and_then(parse).map(|parsed| parsed.unix_micros);
        let (from, till) = (time(&filter.from), time(&filter.till));
        if request.log_type != LogType::System {
            let item = filter.item.as_ref().map(|item| item.name());
            let subject = filter.subject.as_ref().map(|subject| subject.name());
            let matching = self.store.instances.iter().any(|instance| {
                item.is_none_or(|item| item == instance.item)
                    && subject.is_none_or(|subject| subject == instance.subject)
                    && filter.instance.is_none_or(|number| number == instance.number)
            });
            if !matching || request.log_type == LogType::Crash {
                return None;
            }
        }
        let inside = |at: i64| from.is_none_or(|from| at >= from) && till.is_none_or(|till| at <= till);
        let lines = self.journal.iter().filter(|(at, _)| inside(*at));
        Some(
            lines
                .map(|(at, text)| format!("{} {text}\n", format_micros(*at)))
                .collect(),
        )
    }
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// Far below what a part may hold, so that parts show.
const LINES_PER_PART: usize = 8;
