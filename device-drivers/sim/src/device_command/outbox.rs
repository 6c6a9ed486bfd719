//! Statuses on their way to the cloud: one at a time, in order, in flash until they are settled (reference section 3.3).

use super::{
    agent::{DELIVERY, DeviceAgent, FETCH_TIMER, OUTBOX_TIMER},
    defects,
    store::{self, STATUSES, StatusEntry},
};
use crate::{Context, Flash, HttpError, Limits};
use hil_wire::{
    device_command::{CommandStatus, StatusAnswer, header},
    http::Response,
    timestamp::format_millis,
};
use rand::Rng;
use serde_json::json;
use std::{collections::VecDeque, time::Duration};

/// What waits to be delivered.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: VecDeque<(u64, StatusEntry)>,
    in_flight: bool,
    failures: u32,
    next: u64,
}

impl Outbox {
    /// Everything that lies in flash.
    pub(super) fn load(flash: &Flash) -> Self {
        let mut outbox = Outbox::default();
        for name in flash.names(STATUSES) {
            let number = name[STATUSES.len()..].parse::<u64>();
            if let (Ok(number), Some(entry)) = (number, store::load(flash, name)) {
                outbox.entries.push_back((number, entry));
                outbox.next = number + 1;
            }
        }
        outbox
    }

    /// Whether a status of a command waits.
    pub(super) fn has(&self, id: &str) -> bool {
        self.entries.iter().any(|(_, entry)| entry.command_id == id)
    }

    /// The terminal status of a command that waits.
    pub(super) fn terminal(&self, id: &str) -> Option<&StatusEntry> {
        self.entries
            .iter()
            .map(|(_, entry)| entry)
            .find(|entry| entry.command_id == id && entry.status != CommandStatus::Executing.name())
    }
}

impl DeviceAgent {
    /// Stores a status and sends it as soon as those before it are settled.
    pub(super) fn report(
        &mut self,
        id: &str,
        status: CommandStatus,
        details: Option<String>,
        context: &mut Context<'_>,
    ) {
        let entry = StatusEntry {
            command_id: id.to_owned(),
            status: status.name().to_owned(),
            details: details.filter(|text| !text.is_empty()),
            timestamp: format_millis(context.wall_ms()),
            minimal: false,
        };
        let number = self.outbox.next;
        self.outbox.next += 1;
        if !context.setup.has(defects::STATUSES_NOT_PERSISTED) {
            store::save(&mut context.hardware.flash, &file(number), &entry);
        }
        self.outbox.entries.push_back((number, entry));
        if self.outbox.failures == 0 {
            self.deliver(context);
        }
    }

    /// Sends the first status.
    pub(super) fn deliver(&mut self, context: &mut Context<'_>) {
        if self.outbox.in_flight || self.silent {
            return;
        }
        let Some((_, entry)) = self.outbox.entries.front() else {
            return;
        };
        let wait = self.held(Duration::ZERO, context.now());
        if !wait.is_zero() {
            context.timer(OUTBOX_TIMER, wait);
            return;
        }
        let mut body = json!({
            "command_id": entry.command_id,
            "status": entry.status,
            "timestamp": entry.timestamp,
        });
        if let Some(details) = entry.details.as_ref().filter(|_| !entry.minimal) {
            body["details"] = json!(details);
        }
        let call = self.api("POST", "/api/v1/device/command/status", context);
        self.outbox.in_flight = true;
        context.http(DELIVERY, call.json(&body).limits(LIMITS));
    }

    /// The status has its answer, or none.
    pub(super) fn delivered(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        self.outbox.in_flight = false;
        let status = result.as_ref().ok().map(|response| response.status);
        let Some((number, entry)) = self.outbox.entries.front().cloned() else {
            return;
        };
        match status {
            Some(200..=299 | 404 | 409) => {
                self.outbox.failures = 0;
                self.outbox.entries.pop_front();
                let _ = context.hardware.flash.remove(&file(number));
                self.fetching.settled_meanwhile.insert(entry.command_id.clone());
                if let Ok(response) = &result {
                    self.note_answer(response, context);
                    self.note_pending(response, context);
                }
                self.status_settled(&entry.command_id, context);
            }
            Some(400 | 413 | 415 | 422) if entry.minimal || entry.details.is_none() => {
                self.outbox.failures = 0;
                self.outbox.entries.pop_front();
                let _ = context.hardware.flash.remove(&file(number));
                self.status_settled(&entry.command_id, context);
            }
            Some(400 | 413 | 415 | 422) => {
                self.outbox.failures = 0;
                if let Some((_, front)) = self.outbox.entries.front_mut() {
                    front.minimal = true;
                    store::save(&mut context.hardware.flash, &file(number), front);
                }
            }
            _ => {
                if let Ok(response) = &result {
                    self.note_answer(response, context);
                }
                self.outbox.failures += 1;
                let exponent = self.outbox.failures.clamp(1, 10) as i32 - 1;
                let slow = matches!(status, Some(401 | 403));
                let base = if slow { 60.0 } else { 1.0 };
                let gap = (base * 2f64.powi(exponent)).min(300.0) * context.rng.random_range(0.9..=1.1);
                let gap = self.held(Duration::from_secs_f64(gap), context.now());
                context.timer(OUTBOX_TIMER, gap);
                return;
            }
        }
        self.deliver(context);
    }

    /// An `executing` of a command still waits, so that another one adds nothing.
    pub(super) fn is_announcing(&self, id: &str) -> bool {
        self.outbox.has(id)
    }

    fn note_pending(&mut self, response: &Response, context: &mut Context<'_>) {
        if self.direct || self.fetching.in_flight {
            return;
        }
        let told = response.headers.get(header::COMMANDS_PENDING);
        let count = told.and_then(|text| text.trim().parse::<usize>().ok());
        let flag = StatusAnswer::decode(&response.body)
            .value
            .is_some_and(|answer| answer.commands_pending);
        let known = self.commands.open().count();
        if count.map_or(flag, |count| count > known) {
            context.timer(FETCH_TIMER, self.held(Duration::from_secs(1), context.now()));
        }
    }
}

fn file(number: u64) -> String {
    format!("{STATUSES}{number:010}")
}

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(10),
    idle: Duration::from_secs(15),
    total: Some(Duration::from_secs(20)),
    body: 64 * 1024,
};
