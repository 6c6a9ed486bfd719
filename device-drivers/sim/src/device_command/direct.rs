//! Direct mode: the device serves the issuing call itself (reference sections 1 and 3.1).

use super::{
    admission::{Refusal, new_record},
    agent::DeviceAgent,
    cleanup::YEAR_2020,
    defects,
    store::{CommandRecord, CommandState},
};
use crate::Context;
use hil_wire::{
    device_command::{
        BusyBody, Call, CommandStatus, CommandType, ErrorBody, InvalidTypeBody, IssueAnswer, IssueRequest,
        Parameters, canonical_json, error_code, header,
    },
    digest::sha256_hex,
    http::{Request, Response},
    json::field_name,
    oddity::OddityKind,
    timestamp::{format_millis, parse_millis},
};
use serde_json::Value;
use std::time::Duration;

impl DeviceAgent {
    /// Answers a request on its face.
    pub(super) fn serve(&mut self, request: &Request, context: &mut Context<'_>) -> Response {
        match Call::of(request) {
            Call::Issue { device_id } => self
                .issue(&device_id, request, context)
                .unwrap_or_else(|refusal| *refusal),
            Call::MethodNotAllowed { .. } | Call::Fetch { .. } => Response::new(405).header("Allow", "POST"),
            _ => refusal(404, ErrorBody::new("Not found", error_code::NOT_FOUND)),
        }
    }

    fn issue(
        &mut self,
        device: &str,
        request: &Request,
        context: &mut Context<'_>,
    ) -> Result<Response, Box<Response>> {
        let refuse = |status, body| Err(Box::new(refusal(status, body)));
        let code = |status, text: &str, code| Err(Box::new(refusal(status, ErrorBody::new(text, code))));
        let token = context.setup.endpoints.get("issuer_token");
        if token.is_empty() || request.headers.bearer_token() != Some(token) {
            let response = refusal(401, ErrorBody::new("Unauthorized", error_code::UNAUTHORIZED));
            return Err(Box::new(response.header("WWW-Authenticate", "Bearer")));
        }
        let media = request.headers.get("Content-Type").unwrap_or_default();
        if !media
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case("application/json")
        {
            return code(415, "Not JSON", error_code::UNSUPPORTED_MEDIA_TYPE);
        }
        if request.body.len() > header::REQUEST_BODY_LIMIT {
            return code(413, "Body too large", error_code::BODY_TOO_LARGE);
        }
        let decoded = IssueRequest::decode(&request.body);
        if let Some(oddity) = decoded.first_invalid() {
            let field = field_name(&oddity.path);
            let body = if field.is_empty() || oddity.kind == OddityKind::DuplicateMember {
                ErrorBody::invalid_json()
            } else {
                ErrorBody::invalid_field(field)
            };
            return refuse(400, body);
        }
        let Some(issue) = decoded.value else {
            return refuse(400, ErrorBody::invalid_json());
        };
        if issue.device_id != device {
            return code(
                400,
                "Body and path name different devices",
                error_code::DEVICE_MISMATCH,
            );
        }
        if device != self.device_id {
            return code(400, "Another device", error_code::DEVICE_MISMATCH);
        }
        let Some(kind) = issue.command.command_type() else {
            let body = InvalidTypeBody::new(&issue.command.type_name);
            return Err(Box::new(Response::json(
                400,
                &serde_json::to_value(body).unwrap_or_default(),
            )));
        };
        let fingerprint = fingerprint(&issue);
        let replayable = context.setup.has(defects::REPLAYS_EXECUTED);
        if let Some(known) = self
            .commands
            .get(&issue.command.command_id)
            .filter(|_| !replayable)
        {
            if known.fingerprint != fingerprint {
                return refuse(409, ErrorBody::command_id_conflict());
            }
            return Ok(self.issue_answer(known));
        }
        let wall = context.wall_ms();
        let issued = parse_millis(&issue.timestamp).unwrap_or(i64::MIN);
        if !replayable
            && wall / 1000 >= YEAR_2020
            && wall.abs_diff(issued) > header::TIMESTAMP_WINDOW_S * 1000
        {
            return code(400, "Stale timestamp", error_code::STALE_TIMESTAMP);
        }
        match self.admit(&issue.command, &issue.signing_input()) {
            Ok(_) => {}
            Err(Refusal::SignatureRequired) => {
                return code(403, "Signature required", error_code::SIGNATURE_REQUIRED);
            }
            Err(Refusal::SignatureInvalid) => {
                return code(403, "Signature invalid", error_code::SIGNATURE_INVALID);
            }
            Err(Refusal::Parameter(error)) => {
                return refuse(400, ErrorBody::invalid_parameter(error.name, error.allowed()));
            }
            Err(Refusal::Type) => return refuse(400, ErrorBody::invalid_field("command.type")),
        }
        if kind == CommandType::FirmwareUpdate
            && let Some(seconds) = self.update_wait(context)
        {
            let response = refusal(429, ErrorBody::rate_limited(seconds));
            return Err(Box::new(response.header("Retry-After", seconds.to_string())));
        }
        if let Some(busy) = self.busy(context) {
            return Err(Box::new(busy));
        }
        let mut record = new_record(
            &issue.command,
            issue.command.execution_delay.unwrap_or(0),
            context,
        );
        record.fingerprint = fingerprint;
        self.commands.put(&mut context.hardware.flash, record.clone());
        let answer = self.issue_answer(&record);
        // The answer leaves first.
        let delay = Duration::from_millis(10).max(Duration::from_secs(record.delay_s));
        if self.work.is_none() {
            context.timer(super::agent::START_TIMER, delay.min(Duration::from_secs(1)));
        }
        Ok(answer)
    }

    fn busy(&self, context: &Context<'_>) -> Option<Response> {
        let exclusive = self
            .work
            .as_ref()
            .map(|work| &work.parameters)
            .filter(|parameters| parameters.command_type().is_exclusive());
        let full = self.commands.open().count() >= header::OPEN_COMMAND_LIMIT;
        let (kind, downtime) = match exclusive {
            Some(parameters) => (parameters.command_type(), parameters.expected_downtime_s()),
            None if full => {
                let first = self.commands.open().next()?;
                (CommandType::from_name(&first.type_name)?, 30)
            }
            None => return None,
        };
        let end = context.wall_ms() + 1000 * i64::try_from(downtime).unwrap_or(300);
        let body = BusyBody::new(kind, format_millis(end));
        Some(Response::json(
            409,
            &serde_json::to_value(body).unwrap_or_default(),
        ))
    }

    fn issue_answer(&self, record: &CommandRecord) -> Response {
        let status = match (record.state, &record.last) {
            (CommandState::Queued, _) => CommandStatus::Queued,
            (CommandState::Executing, _) => CommandStatus::Executing,
            (CommandState::Done, Some((name, _))) => {
                CommandStatus::from_name(name).unwrap_or(CommandStatus::Failed)
            }
            (CommandState::Done, None) => CommandStatus::Failed,
        };
        let kind = CommandType::from_name(&record.type_name).unwrap_or(CommandType::StorageCleanup);
        let parameters = Parameters::parse_with(kind, &record.parameters, self.url_policy());
        let answer = parameters.map(|parameters| {
            IssueAnswer::estimate(
                status,
                &record.id,
                record.accepted_ms,
                record.delay_s,
                &parameters,
            )
        });
        match answer {
            Ok(answer) => Response::json(200, &serde_json::to_value(answer).unwrap_or_default()),
            Err(error) => refusal(400, ErrorBody::invalid_parameter(error.name, error.allowed())),
        }
    }
}

fn refusal(status: u16, body: ErrorBody) -> Response {
    Response::json(status, &serde_json::to_value(body).unwrap_or_default())
}

fn fingerprint(issue: &IssueRequest) -> String {
    let value: Value = serde_json::to_value(issue).unwrap_or_default();
    sha256_hex(canonical_json(&value).as_bytes())
}

/// The face of the device.
pub(super) const FACE: &str = "device-direct";
