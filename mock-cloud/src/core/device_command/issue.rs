//! The issuing call (reference section 3.1): its checks in their order, and its answers.

use super::{Caller, DeviceCommandCloud, command::StoredCommand};
use crate::core::{Now, Outputs};
use hil_wire::{
    device_command::{
        BusyBody, CommandObject, CommandStatus, CommandType, ErrorBody, InvalidTypeBody, IssueAnswer,
        IssueRequest, Parameters, Signature, SignaturePolicy, error_code, header,
    },
    digest::sha256_hex,
    http::{Request, Response},
    oddity::Weight,
    timestamp::{format_millis, parse_millis},
};
use serde_json::{Value, json};

impl DeviceCommandCloud {
    /// `POST /device/command/{device_id}`. Order: authentication, size and syntax, ids, type, known id, stale
    /// timestamp, parameters, signature, rate, busy.
    pub(super) fn issue(&mut self, now: Now, device: &str, request: &Request, out: &mut Outputs) -> Response {
        match self.caller(request) {
            Err(refusal) => return refusal,
            Ok(Caller::Unit)
                if !self.settings.flag("device_token_issues") || device != self.settings.unit_id =>
            {
                return self.refuse_device();
            }
            Ok(Caller::Unit | Caller::Issuer) => {}
        }
        if let Some(refusal) = self.refuse_body(request) {
            return refusal;
        }
        let decoded = IssueRequest::decode(&request.body);
        let invalid = decoded
            .oddities
            .iter()
            .find(|oddity| oddity.weight == Weight::Invalid);
        let Some(issue) = decoded.value.as_ref().filter(|_| invalid.is_none()) else {
            return self.refuse_oddity(invalid);
        };
        if issue.device_id != device {
            return self.error(
                400,
                "Body and path name different devices",
                error_code::DEVICE_MISMATCH,
            );
        }
        if device != self.settings.unit_id {
            return self.error(404, "Unknown device", error_code::UNKNOWN_DEVICE);
        }
        match self.admit(now, issue) {
            Err(refusal) => refusal,
            Ok(Admitted::Known(answer)) => answer,
            Ok(Admitted::New(parameters)) => self.accept(now, issue, &parameters, out),
        }
    }

    /// True if the policy asks for a signature of this command; parameters that cannot be read need none.
    pub(super) fn needs_signature(&self, command: &CommandObject) -> bool {
        let parameters = command.command_type().map(|kind| {
            Parameters::parse_with(
                kind,
                &command.parameters_value(),
                hil_wire::device_command::UrlPolicy::LabMode,
            )
        });
        match parameters {
            Some(Ok(parameters)) => self.policy.requires(&parameters),
            _ => {
                self.policy == SignaturePolicy::Required
                    || self.policy == SignaturePolicy::Destructive
                        && command.command_type() == Some(CommandType::FirmwareUpdate)
            }
        }
    }

    fn admit(&mut self, now: Now, issue: &IssueRequest) -> Result<Admitted, Response> {
        let command = &issue.command;
        let Some(kind) = command.command_type() else {
            let body = serde_json::to_value(InvalidTypeBody::new(&command.type_name)).unwrap_or_default();
            return Err(self.source_body(400, &body));
        };
        let parameters = Parameters::parse(kind, &command.parameters_value());
        if let Some(known) = self.commands.get(&command.command_id).cloned() {
            if known.body_sha256 != digest(issue) {
                return Err(self.refusal(409, ErrorBody::command_id_conflict()));
            }
            let answer = self.answer(&known, parameters.ok().as_ref());
            return Ok(Admitted::Known(answer));
        }
        let issued = parse_millis(&issue.timestamp).unwrap_or(i64::MIN);
        if now.unix_ms.abs_diff(issued) > header::TIMESTAMP_WINDOW_S * 1000 {
            return Err(self.error(400, "Stale timestamp", error_code::STALE_TIMESTAMP));
        }
        let parameters = parameters.map_err(|error| {
            if error.name.is_empty() {
                self.refusal(400, ErrorBody::invalid_field("command.parameters"))
            } else {
                self.refusal(400, ErrorBody::invalid_parameter(error.name, error.allowed()))
            }
        })?;
        self.check_signature(issue, &parameters)?;
        if kind == CommandType::FirmwareUpdate
            && let Some(seconds) = self.update_wait(now)
        {
            let refusal = self.refusal(429, ErrorBody::rate_limited(seconds));
            return Err(refusal.header("Retry-After", seconds.to_string()));
        }
        if let Some(busy) = self.busy(now) {
            return Err(busy);
        }
        Ok(Admitted::New(Box::new(parameters)))
    }

    fn check_signature(&mut self, issue: &IssueRequest, parameters: &Parameters) -> Result<(), Response> {
        let required = self.policy.requires(parameters);
        match issue.command.signature.as_deref() {
            None | Some("") if required => {
                Err(self.error(403, "Signature required", error_code::SIGNATURE_REQUIRED))
            }
            None => Ok(()),
            Some(_) if !self.policy.checks() => Ok(()),
            Some(text) => {
                let input = issue.signing_input();
                let good = text
                    .parse::<Signature>()
                    .is_ok_and(|signature| self.keys.fits(&signature, &input));
                if good {
                    Ok(())
                } else {
                    Err(self.error(403, "Signature invalid", error_code::SIGNATURE_INVALID))
                }
            }
        }
    }

    /// Seconds until another firmware update may be issued, counted from the start of the last one.
    fn update_wait(&self, now: Now) -> Option<u64> {
        let interval = header::FIRMWARE_UPDATE_INTERVAL_S * 1000;
        let started = self
            .commands
            .values()
            .filter(|command| command.type_name() == CommandType::FirmwareUpdate.name())
            .filter_map(|command| command.started_ms)
            .max()?;
        let passed = u64::try_from(now.unix_ms.saturating_sub(started)).unwrap_or(0);
        (passed < interval).then(|| (interval - passed).div_ceil(1000))
    }

    /// 409 while an exclusive command executes or eight commands are open.
    fn busy(&mut self, now: Now) -> Option<Response> {
        let exclusive = self
            .open()
            .find(|command| {
                command.status == CommandStatus::Executing
                    && CommandType::from_name(command.type_name()).is_some_and(CommandType::is_exclusive)
            })
            .cloned();
        let full = self.open().count() >= header::OPEN_COMMAND_LIMIT;
        let by_number =
            |command: &&StoredCommand| (command.status != CommandStatus::Executing, command.number);
        let current =
            exclusive.or_else(|| full.then(|| self.open().min_by_key(by_number).cloned()).flatten())?;
        let kind = CommandType::from_name(current.type_name()).unwrap_or(CommandType::SystemRestart);
        let downtime = Parameters::parse(kind, current.command.get("parameters").unwrap_or(&json!({})))
            .map_or(300, |parameters| parameters.expected_downtime_s());
        let begin = current.started_ms.unwrap_or(now.unix_ms);
        let end = begin
            .saturating_add(1000 * downtime.max(2) as i64)
            .max(now.unix_ms);
        let body = BusyBody::new(kind, format_millis(end));
        Some(self.source_body(409, &serde_json::to_value(body).unwrap_or_default()))
    }

    fn accept(
        &mut self,
        now: Now,
        issue: &IssueRequest,
        parameters: &Parameters,
        out: &mut Outputs,
    ) -> Response {
        let command = serde_json::to_value(&issue.command).unwrap_or_default();
        let id = issue.command.command_id.clone();
        let mut stored = StoredCommand::new(id, command, issue.timestamp.clone(), now.unix_ms);
        stored.body_sha256 = digest(issue);
        let stored = self.insert(stored, out);
        self.answer(&stored, Some(parameters))
    }

    /// Keeps a new command.
    pub(super) fn insert(&mut self, mut command: StoredCommand, out: &mut Outputs) -> StoredCommand {
        command.number = self.next_id;
        self.next_id += 1;
        out.note(
            "issued",
            json!({"command_id": command.id, "type": command.type_name()}),
        );
        out.changes.push(command.change());
        self.commands.insert(command.id.clone(), command.clone());
        command
    }

    fn answer(&mut self, command: &StoredCommand, parameters: Option<&Parameters>) -> Response {
        let none = Parameters::NetworkDiagnostics {
            test_endpoints: Vec::new(),
            include_traceroute: false,
            dns_test: true,
        };
        let answer = IssueAnswer::estimate(
            command.status,
            &command.id,
            command.accepted_ms,
            command.delay_s,
            parameters.unwrap_or(&none),
        );
        self.source_body(200, &serde_json::to_value(answer).unwrap_or_default())
    }
}

enum Admitted {
    Known(Response),
    New(Box<Parameters>),
}

/// Covers the whole request, whatever the order of its members.
fn digest(issue: &IssueRequest) -> String {
    let value: Value = serde_json::to_value(issue).unwrap_or_default();
    sha256_hex(hil_wire::device_command::canonical_json(&value).as_bytes())
}
