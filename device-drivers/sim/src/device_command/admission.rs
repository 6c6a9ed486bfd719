//! Whether a command may be taken: known or new, its type, its signature, its parameters (reference sections 3.1, 5, 6).

use super::{
    agent::DeviceAgent,
    defects,
    store::{CommandRecord, CommandState},
};
use crate::Context;
use hil_wire::device_command::{
    CommandObject, CommandStatus, CommandType, FetchedCommand, ParameterError, Parameters, Signature,
    SignaturePolicy, is_command_id, status_text,
};
use serde_json::{Value, json};

/// Why a command is not taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// None of the six types.
    Type,
    /// Missing where the policy demands one.
    SignatureRequired,
    /// Does not fit, or has an unknown form.
    SignatureInvalid,
    /// A parameter is wrong.
    Parameter(ParameterError),
}

impl Refusal {
    /// The details of the `failed` status.
    pub(super) fn details(&self) -> String {
        match self {
            Refusal::Type => status_text::UNSUPPORTED_COMMAND_TYPE.to_owned(),
            Refusal::SignatureRequired | Refusal::SignatureInvalid => {
                status_text::SIGNATURE_INVALID.to_owned()
            }
            Refusal::Parameter(error) => error.failed_details(),
        }
    }
}

impl DeviceAgent {
    /// Checks a command by itself; `input` is what its signature covers.
    pub(super) fn admit(&self, command: &CommandObject, input: &[u8]) -> Result<Parameters, Refusal> {
        let kind = command.command_type().ok_or(Refusal::Type)?;
        let parameters = Parameters::parse_with(kind, &command.parameters_value(), self.url_policy());
        let required = match &parameters {
            Ok(parameters) => self.policy.requires(parameters),
            Err(_) => self.policy == SignaturePolicy::Required,
        };
        match command.signature.as_deref() {
            None | Some("") if required => return Err(Refusal::SignatureRequired),
            Some(text) if self.policy.checks() => {
                let signature = text.parse::<Signature>().map_err(|_| Refusal::SignatureInvalid)?;
                if !self.keys.fit(&signature, input) {
                    return Err(Refusal::SignatureInvalid);
                }
            }
            _ => {}
        }
        parameters.map_err(Refusal::Parameter)
    }

    /// Takes a command from a fetch answer.
    pub(super) fn take_fetched(&mut self, fetched: &FetchedCommand, context: &mut Context<'_>) {
        let id = &fetched.command.command_id;
        if self.is_known(id, context) {
            return;
        }
        let mut record = new_record(&fetched.command, fetched.delay_remaining, context);
        match self.admit(&fetched.command, &fetched.signing_input(&self.device_id)) {
            Ok(_) => self.commands.put(&mut context.hardware.flash, record),
            Err(refusal) => {
                record.due_ms = context.counter_ms();
                self.refuse(record, refusal.details(), context);
            }
        }
    }

    /// Refuses an item that breaks a rule, if it has a usable id.
    pub(super) fn take_malformed(&mut self, item: &Value, field: &str, context: &mut Context<'_>) {
        let id = item
            .get("command_id")
            .and_then(Value::as_str)
            .filter(|id| is_command_id(id));
        let Some(id) = id else {
            context.console("an item without a usable id is ignored");
            return;
        };
        if self.is_known(id, context) {
            return;
        }
        let command = CommandObject::new(CommandType::StorageCleanup, id);
        let mut record = new_record(&command, 0, context);
        record.type_name = item
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let details = match CommandType::from_name(&record.type_name) {
            None => status_text::UNSUPPORTED_COMMAND_TYPE.to_owned(),
            Some(_) => status_text::invalid_parameter(field),
        };
        self.refuse(record, details, context);
    }

    /// Ends a command that was never started.
    pub(super) fn refuse(&mut self, mut record: CommandRecord, details: String, context: &mut Context<'_>) {
        let id = record.id.clone();
        context.console(format!("command {id} is refused: {details}"));
        // Stored as ended: were power lost now, it must not start after the next boot.
        record.state = CommandState::Done;
        record.last = Some((CommandStatus::Failed.name().to_owned(), Some(details.clone())));
        self.commands.put(&mut context.hardware.flash, record);
        self.conclude(&id, CommandStatus::Failed, Some(details), context);
    }

    /// Whether a command was taken before; the last status of one that has ended is sent again.
    fn is_known(&mut self, id: &str, context: &mut Context<'_>) -> bool {
        let Some(record) = self.commands.get(id) else {
            return false;
        };
        if record.state == CommandState::Done && context.setup.has(defects::NO_COMMAND_HISTORY) {
            return false;
        }
        let sent = self.outbox.has(id) || self.fetching.settled_meanwhile.contains(id);
        if let (CommandState::Done, Some((status, details)), false) =
            (record.state, record.last.clone(), sent)
        {
            let status = CommandStatus::from_name(&status).unwrap_or(CommandStatus::Failed);
            self.report(id, status, details, context);
        }
        true
    }
}

/// A queued command with this much of its delay left.
pub(super) fn new_record(command: &CommandObject, delay_s: u64, context: &mut Context<'_>) -> CommandRecord {
    CommandRecord {
        id: command.command_id.clone(),
        type_name: command.type_name.clone(),
        parameters: json!(command.parameters.clone().unwrap_or_default()),
        expires_ms: command.expires_at_millis(),
        due_ms: context.counter_ms().saturating_add(delay_s.saturating_mul(1000)),
        accepted_ms: context.wall_ms(),
        delay_s,
        fingerprint: String::new(),
        state: CommandState::Queued,
        last: None,
    }
}
