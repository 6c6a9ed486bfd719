//! Token calls and what credentials go where (SOTA-AUTH-001, 002, 007, 008, 009).

use crate::{Judge, Monitor, Tally, message::recorded_request};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, Who};
use hil_wire::{
    http::Request,
    oddity::Weight,
    sota::core::{Call, TokenAnswer, check_request},
};
use serde_json::json;
use std::collections::BTreeSet;

/// Follows tokens from their issue to every call that carries one.
pub(super) struct AuthenticationMonitor {
    exact: Tally,
    carried: Tally,
    dropped: Tally,
    patient: Tally,
    granted: Tally,
    issued: BTreeSet<String>,
    /// The last answer to a token call, if it was no token.
    unusable: Option<u64>,
    /// Token exchanges that are open.
    asking: BTreeSet<u32>,
    /// The unit has asked for a token since it booted, or a device call came before.
    asked: bool,
    early: Option<u64>,
    /// The answer before was a redirect: what follows carries no credentials.
    redirected: bool,
    /// Token calls since the authentication server began to refuse.
    refused: Vec<(Stamp, u64)>,
    refusing: bool,
    hasty: bool,
}

impl Default for AuthenticationMonitor {
    fn default() -> Self {
        AuthenticationMonitor {
            exact: Tally::new("SOTA-AUTH-001"),
            carried: Tally::new("SOTA-AUTH-002"),
            dropped: Tally::new("SOTA-AUTH-009"),
            patient: Tally::new("SOTA-AUTH-007"),
            granted: Tally::new("SOTA-AUTH-008"),
            unusable: None,
            issued: BTreeSet::new(),
            asking: BTreeSet::new(),
            asked: false,
            early: None,
            redirected: false,
            refused: Vec::new(),
            refusing: false,
            hasty: false,
        }
    }
}

impl Monitor for AuthenticationMonitor {
    fn name(&self) -> &'static str {
        "sota/authentication"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "SOTA-AUTH-001",
            "SOTA-AUTH-002",
            "SOTA-AUTH-007",
            "SOTA-AUTH-008",
            "SOTA-AUTH-009",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        let restarts = ["started", "booted", "rebooted", "power_cut", "exited", "stopped"];
        if events
            .iter()
            .any(|event| event.who == Who::Unit && restarts.contains(&event.name.as_str()))
        {
            self.asked = false;
            self.early = None;
            self.redirected = false;
            self.refused.clear();
        }
        // A unit that runs already may hold a token since long before.
        let remote = |event: &&Event| event.name == "started" && event.field("remote") == Some(&json!(true));
        if events
            .iter()
            .filter(|event| event.who == Who::Unit)
            .any(|event| remote(&event))
        {
            self.asked = true;
        }
        self.judge_outcome(record.seq, events, judge);
        match &record.what {
            RecordBody::HttpRequest {
                exchange,
                face,
                from: Party::Unit,
                method,
                target,
                headers,
                body,
                ..
            } => {
                let request = recorded_request(method, target, headers, body);
                self.request(record, *exchange, face, &request, judge);
            }
            RecordBody::HttpResponse {
                exchange,
                from: Party::Cloud,
                status,
                body,
                ..
            } => {
                self.redirected = (300..400).contains(status);
                if self.asking.remove(exchange) {
                    self.answer(record.seq, *status, body.bytes());
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.settle_patience();
        for tally in [
            &mut self.exact,
            &mut self.carried,
            &mut self.dropped,
            &mut self.patient,
            &mut self.granted,
        ] {
            tally.close(judge);
        }
    }
}

impl AuthenticationMonitor {
    fn request(
        &mut self,
        record: &Record,
        exchange: u32,
        face: &str,
        request: &Request,
        judge: &mut Judge<'_>,
    ) {
        if face == "sota-second" {
            let text = || "a redirected request carries credentials to another origin".to_owned();
            let none = request.headers.get("Authorization").is_none();
            return self.dropped.check(none, text, record.seq, judge);
        }
        let Ok(call) = Call::parse(&request.method, &request.target) else {
            return;
        };
        if face == "sota-auth" && call == Call::Token {
            self.asking.insert(exchange);
            return self.token_call(record, &call, request, judge);
        }
        if call.device().is_none() {
            return;
        }
        if !self.asked {
            self.early.get_or_insert(record.seq);
        }
        let redirected = std::mem::take(&mut self.redirected);
        let carried = request.headers.bearer_token();
        if self.issued.is_empty() || (redirected && carried.is_none()) {
            return;
        }
        let text = || match carried {
            Some(_) => "a call of the device carries a token that was never issued".to_owned(),
            None => "a call of the device carries no token, though one was issued".to_owned(),
        };
        let known = carried.is_some_and(|token| self.issued.contains(token));
        self.carried.check(known, text, record.seq, judge);
    }

    fn token_call(&mut self, record: &Record, call: &Call, request: &Request, judge: &mut Judge<'_>) {
        let redirected = std::mem::take(&mut self.redirected);
        if let Some(early) = self.early.take() {
            let text = "a call of the device came before the first token call";
            self.exact.violated(text, vec![early, record.seq], judge);
        }
        self.asked = true;
        if !redirected {
            let mut oddities = check_request(call, request, None);
            oddities.retain(|oddity| oddity.weight == Weight::Invalid);
            let text = || {
                let all: Vec<_> = oddities.iter().map(ToString::to_string).collect();
                format!("the token call is not as it must be: {}", all.join("; "))
            };
            self.exact.check(oddities.is_empty(), text, record.seq, judge);
        }
        if self.refusing {
            self.refused.push((record.at, record.seq));
            let window: Vec<u64> = self
                .refused
                .iter()
                .filter(|(at, _)| record.at.since(*at) <= WINDOW)
                .map(|(_, seq)| *seq)
                .collect();
            // Once is enough: every further call would say the same.
            if window.len() > MOST && !std::mem::replace(&mut self.hasty, true) {
                let text = format!("{} token calls in 5 s while they are refused", window.len());
                self.patient.violated(text, window, judge);
                self.refused.clear();
            }
        }
    }

    /// What the unit says of an answer that is no token.
    fn judge_outcome(&mut self, seq: u64, events: &[Event], judge: &mut Judge<'_>) {
        let Some(answer) = self.unusable.filter(|_| self.issued.is_empty()) else {
            return;
        };
        let said = events.iter().filter(|event| event.who == Who::Unit);
        for event in said.filter_map(|event| event.text("event")) {
            match event {
                "Authenticated" => {
                    let text =
                        "Authenticated, though the token call was answered with something that is no token";
                    self.granted.violated(text, vec![answer, seq], judge);
                }
                "Error" => self.granted.met(seq),
                _ => {}
            }
        }
    }

    fn answer(&mut self, seq: u64, status: u16, body: &[u8]) {
        self.unusable = None;
        match status {
            401 | 403 => self.refusing = true,
            200 => {
                self.settle_patience();
                let decoded = TokenAnswer::decode(body);
                let valid = decoded.is_valid();
                match decoded.value.filter(|_| valid) {
                    Some(token) => {
                        self.issued.insert(token.access_token);
                    }
                    None => self.unusable = Some(seq),
                }
            }
            _ => {}
        }
    }

    /// A time of refusals has ended; it counts if it was long enough to show a rhythm.
    fn settle_patience(&mut self) {
        self.refusing = false;
        let refused = std::mem::take(&mut self.refused);
        if let (Some((first, _)), Some((last, seq))) = (refused.first(), refused.last())
            && last.since(*first) >= WINDOW
        {
            self.patient.met(*seq);
        }
    }
}

const WINDOW: std::time::Duration = std::time::Duration::from_secs(5);
/// Two in a second, both ends of the window counted, and one for the tolerance of stamps.
const MOST: usize = 12;
