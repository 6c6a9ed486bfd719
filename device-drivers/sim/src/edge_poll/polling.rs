//! The rhythm of polling (reference sections 2 and 3.1).

use super::{
    agent::{EdgeAgent, POLL, POLL_TIMER},
    pacing,
};
use crate::{Context, HttpError, Limits};
use hil_trace::Stamp;
use hil_wire::{
    edge_poll::{CommandList, header},
    http::Response,
    oddity::{Oddity, OddityKind},
};
use rand::Rng;
use std::{collections::BTreeSet, time::Duration};

/// Where polling stands.
#[derive(Debug, Default)]
pub(super) struct Polling {
    /// The last hint of the cloud.
    pub(super) hint: Option<Duration>,
    /// When the last poll began.
    pub(super) begun: Stamp,
    /// Commands whose acknowledgement was settled since the last poll began: its answer may still list them.
    pub(super) settled_meanwhile: BTreeSet<String>,
    in_flight: bool,
    failures: u32,
}

impl Polling {
    /// Whether a poll waits for its answer.
    pub(super) fn is_in_flight(&self) -> bool {
        self.in_flight
    }
}

impl EdgeAgent {
    /// The first poll after a boot comes soon, but not at the same moment on all units.
    pub(super) fn begin_polling(&mut self, context: &mut Context<'_>) {
        let spread = self.interval().mul_f64(0.1 * context.rng.random::<f64>());
        context.timer(POLL_TIMER, spread);
    }

    /// Polls, unless a poll is on its way or the unit is about to restart.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) {
        if self.polling.in_flight || self.restarting || self.silent {
            return;
        }
        let wait = self.held(self.base.as_ref(), Duration::ZERO, context.now());
        if !wait.is_zero() {
            context.timer(POLL_TIMER, wait);
            return;
        }
        self.polling.begun = context.now();
        self.polling.in_flight = true;
        self.polling.settled_meanwhile.clear();
        let limits = Limits {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            total: Some(Duration::from_secs(30)),
            body: header::POLL_ANSWER_LIMIT,
        };
        let version = crate::Agent::version(self, context.hardware).unwrap_or_default();
        let boot = format!("b-{}-{:08x}", context.hardware.boots, context.setup.seed as u32);
        let call = self
            .api("GET", "/api/v1/commands", context)
            .header(header::AGENT_VERSION, version)
            .header(header::BOOT_ID, boot)
            .limits(limits);
        context.http(POLL, call);
    }

    /// The poll has its answer, or none.
    pub(super) fn polled(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        self.polling.in_flight = false;
        let gap = match &result {
            Ok(response) => {
                self.note_answer(response, context);
                self.take_answer(response, context)
            }
            Err(error) => Err(error.to_string()),
        };
        let gap = match gap {
            Ok(()) => {
                self.polling.failures = 0;
                pacing::jittered(self.interval(), context.rng)
            }
            Err(reason) => {
                self.polling.failures += 1;
                context.console(format!("poll failed: {reason}"));
                pacing::backoff(self.interval(), self.polling.failures, context.rng)
            }
        };
        let rest = (self.polling.begun + gap).since(context.now());
        let rest = self.held(self.base.as_ref(), rest, context.now());
        if self.restarting {
            self.restart_if_idle(context);
        } else {
            context.timer(POLL_TIMER, rest);
        }
    }

    fn take_answer(&mut self, response: &Response, context: &mut Context<'_>) -> Result<(), String> {
        if !matches!(response.status, 200 | 204 | 304) {
            return Err(format!("status {}", response.status));
        }
        self.keep_configuration(context);
        if let Some(text) = response.headers.get(header::POLL_INTERVAL)
            && let Some(hint) = pacing::interval_hint(text, self.is_lab())
        {
            self.polling.hint = Some(hint);
        }
        if response.status == 200 {
            let decoded = CommandList::decode(&response.body);
            // A list with bytes behind it is no JSON text.
            let surplus = |odd: &Oddity| odd.kind == OddityKind::Surplus && odd.path.is_empty();
            let whole = !decoded.oddities.iter().any(surplus);
            match decoded.value.filter(|_| whole) {
                Some(list) => self.accept(list, context),
                // Runs nothing; the next poll comes as usual.
                None => context.console("the answer to the poll is no list of commands"),
            }
        }
        self.hurry_outbox(context);
        Ok(())
    }
}
