//! Where the device key goes and where it must not (POLL-AUTH).

use crate::{Judge, Monitor, Tally};
use hil_trace::{ConsoleStream, Event, HowClosed, Party, Record, RecordBody, Stamp};
use hil_wire::{edge_poll::Call, http::Request};
use std::collections::BTreeSet;

/// Remembers every key it saw in a header, and looks for it elsewhere.
pub(super) struct CredentialMonitor {
    keys: BTreeSet<String>,
    sent: Tally,
    hidden: Tally,
    kept_home: Tally,
}

impl Default for CredentialMonitor {
    fn default() -> Self {
        CredentialMonitor {
            keys: BTreeSet::new(),
            sent: Tally::new("POLL-AUTH-001"),
            hidden: Tally::new("POLL-AUTH-002"),
            kept_home: Tally::new("POLL-AUTH-003"),
        }
    }
}

impl Monitor for CredentialMonitor {
    fn name(&self) -> &'static str {
        "edge-poll/credential"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["POLL-AUTH-001", "POLL-AUTH-002", "POLL-AUTH-003"]
    }

    fn observe(&mut self, record: &Record, _: &[Event], judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::HttpRequest {
                face,
                from: Party::Unit,
                method,
                target,
                headers,
                body,
                ..
            } => {
                if face != "edge-api" {
                    let text = || format!("the device key was sent to another origin, {face}");
                    self.kept_home
                        .check(headers.get(KEY).is_none(), text, record.seq, judge);
                    return;
                }
                let call = Call::of(&Request::new(method.clone(), target.clone()));
                if matches!(
                    call,
                    Call::Poll { .. } | Call::Ack { .. } | Call::Latest { .. } | Call::Report
                ) {
                    let count = headers.count(KEY);
                    let text = || format!("{method} {target} carried {count} {KEY} headers instead of one");
                    self.sent.check(count == 1, text, record.seq, judge);
                }
                self.keys.extend(
                    headers
                        .get_all(KEY)
                        .filter(|key| !key.is_empty())
                        .map(str::to_owned),
                );
                let leaked = self.find(target.as_bytes()) || self.find(body.bytes());
                let text = || format!("the device key stands in the URL or body of {method} {target}");
                self.hidden.check(!leaked, text, record.seq, judge);
            }
            RecordBody::Console { stream, payload }
                if *stream != ConsoleStream::Lab && self.find(payload.bytes()) =>
            {
                let text = "the device key was written to the console";
                self.hidden.violated(text, vec![record.seq], judge);
            }
            _ => {}
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [&mut self.sent, &mut self.hidden, &mut self.kept_home] {
            tally.close(judge);
        }
    }
}

impl CredentialMonitor {
    fn find(&self, bytes: &[u8]) -> bool {
        self.keys
            .iter()
            .any(|key| bytes.windows(key.len()).any(|window| window == key.as_bytes()))
    }
}

const KEY: &str = "X-Device-Key";
