//! Where the device token goes (DCMD-SEC).

use crate::{Judge, Monitor, Tally, view::is_other_origin};
use hil_trace::{ConsoleStream, Event, HowClosed, Party, Record, RecordBody, Stamp};
use std::collections::BTreeMap;

/// Looks at every request of the unit to another origin than the API, and at what it prints.
pub(super) struct CredentialMonitor {
    origin: Tally,
    /// The token, once a request to the API showed it.
    token: Option<Vec<u8>>,
    /// What was printed lately, by stream; a token may come in two reads.
    printed: BTreeMap<ConsoleStream, Vec<u8>>,
    told: bool,
}

impl Default for CredentialMonitor {
    fn default() -> Self {
        CredentialMonitor {
            origin: Tally::new("DCMD-SEC-007"),
            token: None,
            printed: BTreeMap::new(),
            told: false,
        }
    }
}

impl Monitor for CredentialMonitor {
    fn name(&self) -> &'static str {
        "device-command/credential"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["DCMD-SEC-007"]
    }

    fn observe(&mut self, record: &Record, _: &[Event], judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::HttpRequest {
                face,
                from: Party::Unit,
                target,
                headers,
                body,
                ..
            } if is_other_origin(face) => {
                let in_header = headers.0.iter().any(|(_, value)| self.shows(value.as_bytes()));
                let place = match () {
                    () if headers.get("Authorization").is_some() || in_header => Some("a header"),
                    () if self.shows(target.as_bytes()) => Some("the URL"),
                    () if self.shows(body.bytes()) => Some("the body"),
                    () => None,
                };
                let text = || {
                    let place = place.unwrap_or_default();
                    format!("the device token was sent to another origin than the API, in {place}")
                };
                self.origin.check(place.is_none(), text, record.seq, judge);
            }
            RecordBody::HttpRequest {
                from: Party::Unit,
                headers,
                ..
            } if self.token.is_none() => {
                let token = headers
                    .get("Authorization")
                    .and_then(|value| value.strip_prefix("Bearer "));
                // A shorter one may stand in a log by chance.
                self.token = token.filter(|t| t.len() >= SHORTEST).map(|t| t.into());
                self.search(record.seq, judge);
            }
            RecordBody::Console { stream, payload } if *stream != ConsoleStream::Lab => {
                self.printed.entry(*stream).or_default().extend(payload.bytes());
                self.search(record.seq, judge);
                for printed in self.printed.values_mut() {
                    let surplus = printed.len().saturating_sub(KEPT);
                    printed.drain(..surplus);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.origin.close(judge);
    }
}

impl CredentialMonitor {
    /// Whether some bytes hold the token.
    fn shows(&self, bytes: &[u8]) -> bool {
        let token = self.token.as_deref();
        token.is_some_and(|token| bytes.windows(token.len()).any(|part| part == token))
    }

    /// Whether the token stands in what was printed; said once.
    fn search(&mut self, seq: u64, judge: &mut Judge<'_>) {
        if !self.told && self.printed.values().any(|text| self.shows(text)) {
            self.told = true;
            let text = "the device token stands in the output of the unit".to_owned();
            self.origin.violated(text, vec![seq], judge);
        }
    }
}

/// Bytes of output kept of each stream.
const KEPT: usize = 4096;
/// Bytes of a token that are told from other text.
const SHORTEST: usize = 12;
