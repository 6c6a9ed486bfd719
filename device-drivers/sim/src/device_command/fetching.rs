//! Fetching commands in relay mode (reference section 3.2).

use super::agent::{DeviceAgent, FETCH, FETCH_TIMER};
use crate::{Context, HttpError, Limits};
use hil_wire::{
    device_command::{Entry, FetchAnswer},
    http::Response,
    json::field_name,
};
use rand::Rng;
use std::{collections::BTreeSet, time::Duration};

/// The rhythm of fetching.
#[derive(Debug, Default)]
pub(super) struct Fetching {
    /// A fetch has no answer yet.
    pub(super) in_flight: bool,
    /// Commands with a status settled since the fetch began: its answer may be older than that.
    pub(super) settled_meanwhile: BTreeSet<String>,
    failures: u32,
}

impl DeviceAgent {
    /// Asks for commands.
    pub(super) fn fetch(&mut self, context: &mut Context<'_>) {
        if self.fetching.in_flight || self.silent {
            return;
        }
        let wait = self.held(Duration::ZERO, context.now());
        if !wait.is_zero() {
            context.timer(FETCH_TIMER, wait);
            return;
        }
        self.fetching.in_flight = true;
        self.fetching.settled_meanwhile.clear();
        let path = format!("/api/v1/device/command/{}", self.device_id);
        let call = self.api("GET", &path, context).limits(Limits {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            total: Some(Duration::from_secs(20)),
            body: 32 * 1024,
        });
        context.http(FETCH, call);
    }

    /// The fetch has its answer, or none.
    pub(super) fn fetched(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        self.fetching.in_flight = false;
        let interval = context.setup.seconds("poll_interval", 30.0);
        let gap = match result {
            Ok(response) => {
                self.note_answer(&response, context);
                match response.status {
                    200 => {
                        self.fetching.failures = 0;
                        self.take_answer(&response, context);
                        interval.mul_f64(context.rng.random_range(0.9..=1.0))
                    }
                    401 | 403 => interval.max(Duration::from_secs(60)),
                    _ => self.backoff(interval, context),
                }
            }
            Err(error) => {
                context.console(format!("fetch failed: {error}"));
                self.backoff(interval, context)
            }
        };
        context.timer(FETCH_TIMER, self.held(gap, context.now()));
        self.start_next(context);
    }

    fn backoff(&mut self, interval: Duration, context: &mut Context<'_>) -> Duration {
        self.fetching.failures += 1;
        let exponent = self.fetching.failures.clamp(1, 12) as i32 - 1;
        let seconds = 2f64.powi(exponent).min(interval.as_secs_f64().max(1.0));
        Duration::from_secs_f64(seconds * context.rng.random_range(0.9..=1.0))
    }

    fn take_answer(&mut self, response: &Response, context: &mut Context<'_>) {
        let decoded = FetchAnswer::decode(&response.body);
        let Some(answer) = decoded.value else {
            // Runs nothing; the next fetch comes as usual.
            context.console("the answer to the fetch is no list of commands");
            return;
        };
        for (index, entry) in answer.commands.into_iter().enumerate() {
            match entry {
                Entry::Command(fetched) => self.take_fetched(&fetched, context),
                Entry::Malformed(item) => {
                    let prefix = format!("/commands/{index}/");
                    let field = decoded.oddities.iter().find_map(|o| o.path.strip_prefix(&prefix));
                    self.take_malformed(&item, &field.map(field_name).unwrap_or_default(), context);
                }
            }
        }
    }
}
