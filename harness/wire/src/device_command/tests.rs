//! The samples of the reference and the properties every codec of this protocol keeps.

use super::{strategies as make, *};
use crate::{
    digest,
    edge_poll::strategies::json_value,
    oddity::{Decoded, Oddity, OddityKind, Weight},
    testing::{
        assert_round_trip, assert_same_json, reverse_members, sample_body, sample_headers, sample_request,
        samples,
    },
};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

const SAMPLES: &str = include_str!("../../fixtures/device-command/samples.json");

#[test]
fn every_valid_sample_decodes_and_encodes_to_the_same_json() {
    for sample in samples(SAMPLES, "valid") {
        let found = Sample::of(&sample).decode().oddities;
        let expected: Vec<_> = sample.get("oddity").cloned().into_iter().collect();
        let found: Vec<_> = found.iter().map(summary).collect();
        assert_eq!(found, expected, "{}", sample["id"]);
    }
}

#[test]
fn every_invalid_codec_sample_is_reported_as_expected() {
    for sample in samples(SAMPLES, "invalid") {
        let found = Sample::of(&sample).decode().oddities;
        if sample["class"] == "codec" {
            let reported = found.iter().any(|o| summary(o) == sample["oddity"]);
            assert!(reported, "{}: {found:?}", sample["id"]);
        } else {
            let valid = found.iter().all(|o| o.weight == Weight::Tolerable);
            assert!(valid, "{}: {found:?}", sample["id"]);
        }
    }
}

#[test]
fn the_signature_vectors_of_the_reference_hold() {
    let file: Value = serde_json::from_str(SAMPLES).unwrap();
    let constants = &file["constants"];
    let key = constants["hmac_key_text"].as_str().unwrap().as_bytes();
    for vector in constants["signature_vectors"].as_array().unwrap() {
        let canonical = vector["canonical_json"].as_str().unwrap();
        let value: Value = serde_json::from_str(canonical).unwrap();
        assert_eq!(canonical_json(&value), canonical);
        let signature = Signature::hmac(key, canonical.as_bytes());
        assert_eq!(json!(signature.to_string()), vector["signature"]);
    }
    for (set, id, fits) in [
        ("valid", "DC-V03", true),
        ("valid", "DC-V06", true),
        ("invalid", "DC-X35", false),
    ] {
        let sample = samples(SAMPLES, set).into_iter().find(|s| s["id"] == id).unwrap();
        let body = sample["request"]["body"].to_string();
        let request = IssueRequest::decode(body.as_bytes()).value.unwrap();
        let signature: Signature = request.command.signature.as_deref().unwrap().parse().unwrap();
        assert_eq!(signature.verify_hmac(key, &request.signing_input()), fits, "{id}");
        let relayed = FetchedCommand {
            issued_at: request.timestamp.clone(),
            delay_remaining: 0,
            device_id: None,
            command: request.command,
        };
        let input = relayed.signing_input(&request.device_id);
        assert_eq!(signature.verify_hmac(key, &input), fits, "{id}, relayed");
    }
}

#[test]
fn the_signature_covers_members_nobody_defined() {
    let body =
        |extra: u8| json!({"type": "storage_cleanup", "command_id": "c", "signature": "x", "extra": extra});
    let input = |extra| {
        let command = CommandObject::read(&body(extra), "", &mut Vec::new()).unwrap();
        String::from_utf8(signing_input("d", "t", &command)).unwrap()
    };
    assert_eq!(
        input(1),
        r#"{"command":{"command_id":"c","extra":1,"type":"storage_cleanup"},"device_id":"d","timestamp":"t"}"#
    );
    assert_ne!(input(1), input(2));
}

#[test]
fn a_malformed_command_does_not_hide_the_others() {
    let good = |id: &str| json!({"type": "storage_cleanup", "command_id": id, "issued_at": "2025-01-27T10:30:00Z", "delay_remaining": 0});
    let bad = json!({"type": "storage_cleanup", "command_id": "c2", "parameters": []});
    let answer = json!({"commands": [good("c1"), bad, good("c3")], "server_time": "2025-01-27T10:30:00Z"});
    let decoded = FetchAnswer::decode(answer.to_string().as_bytes());
    assert!(!decoded.is_valid());
    let answer = decoded.value.unwrap();
    let ids: Vec<_> = answer.valid().map(|c| c.command.command_id.as_str()).collect();
    assert_eq!(ids, ["c1", "c3"]);
    assert_eq!(answer.commands[1].command_id(), Some("c2"));
}

#[test]
fn error_bodies_have_the_forms_of_the_reference() {
    let unknown = serde_json::to_vec(&InvalidTypeBody::new("x")).unwrap();
    assert_eq!(
        InvalidTypeBody::decode(&unknown),
        Decoded::clean(InvalidTypeBody::new("x"))
    );
    let short =
        br#"{"error": "Invalid command type", "command_type": "x", "supported_commands": ["data_export"]}"#;
    assert!(!InvalidTypeBody::decode(short).is_valid());
    let busy = BusyBody::new(CommandType::FirmwareUpdate, "2025-01-27T10:45:00.000Z");
    let bytes = serde_json::to_vec(&busy).unwrap();
    assert_eq!(BusyBody::decode(&bytes), Decoded::clean(busy));
    let field = ErrorBody::invalid_field(crate::json::field_name("/command/type"));
    assert_eq!(
        serde_json::to_value(field).unwrap(),
        json!({"error": "Invalid request", "code": "invalid_field", "field": "command.type"})
    );
}

#[test]
fn unset_clocks_are_told_apart() {
    let body = |timestamp: &str| StatusBody {
        command_id: "c".to_owned(),
        status: CommandStatus::Executing,
        timestamp: timestamp.to_owned(),
        details: None,
    };
    assert_eq!(body("1970-01-01T00:01:00Z").timestamp_millis(), None);
    assert_eq!(
        body("2020-01-01T00:00:00Z").timestamp_millis(),
        Some(1_577_836_800_000)
    );
}

#[test]
fn a_refusal_may_name_the_id_that_was_given() {
    let body =
        |id: &str| json!({"command_id": id, "status": "failed", "timestamp": "2026-01-01T00:00:00.000Z"});
    let valid = |id: &str| StatusBody::decode(&serde_json::to_vec(&body(id)).unwrap()).is_valid();
    assert!(valid("cmd_1") && valid("../../cfg"));
    assert!(!valid(""));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn issuing_round_trips(request in make::issue_request(), answer in make::issue_answer()) {
        prop_assert!(is_device_id(&request.device_id));
        assert_round_trip(&request, IssueRequest::decode)?;
        assert_round_trip(&answer, IssueAnswer::decode)?;
    }

    #[test]
    fn parameters_round_trip(parameters in make::parameters()) {
        let value = serde_json::to_value(&parameters).unwrap();
        prop_assert_eq!(Parameters::parse(parameters.command_type(), &value), Ok(parameters));
    }

    #[test]
    fn relaying_round_trips(answer in make::fetch_answer()) {
        assert_round_trip(&answer, FetchAnswer::decode)?;
    }

    #[test]
    fn reporting_round_trips(status in make::status_body(), answer in make::status_answer()) {
        assert_round_trip(&status, StatusBody::decode)?;
        assert_round_trip(&answer, StatusAnswer::decode)?;
    }

    #[test]
    fn exports_round_trip(body in make::export_body(), csv in make::csv_export()) {
        assert_round_trip(&body, ExportBody::decode)?;
        prop_assert_eq!(CsvExport::decode(csv.encode().as_bytes()), Decoded::clean(csv));
    }

    #[test]
    fn diagnostics_round_trip_or_say_that_they_are_cut(diagnostics in make::diagnostics()) {
        let details = diagnostics.to_details();
        prop_assert!(details.len() <= header::DETAILS_LIMIT);
        let read = Diagnostics::decode(&details).value.unwrap();
        prop_assert!(read == diagnostics || read.truncated == Some(true));
    }

    #[test]
    fn signatures_survive_any_member_order(request in make::issue_request(), key in any::<[u8; 16]>()) {
        let signature = Signature::hmac(&key, &request.signing_input());
        let reversed = reverse_members(&serde_json::to_value(&request).unwrap());
        let read = IssueRequest::decode(reversed.to_string().as_bytes()).value.unwrap();
        prop_assert!(signature.verify_hmac(&key, &read.signing_input()));
        prop_assert_eq!(signature.to_string().parse(), Ok(signature));
    }

    #[test]
    fn canonical_text_is_a_fixed_point(value in json_value(), float in any::<f64>()) {
        let text = canonical_json(&value);
        let again: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(canonical_json(&again), text);
        if let Some(number) = serde_json::Number::from_f64(float) {
            let text = canonical_json(&Value::Number(number));
            prop_assert_eq!(text.parse::<f64>().unwrap(), float);
        }
    }

    #[test]
    fn nothing_panics_on_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,60}") {
        decode_as_everything(&bytes);
        Call::parse("GET", &text);
        let _ = text.parse::<Signature>();
        Diagnostics::decode(&text);
    }

    #[test]
    fn nothing_panics_on_json(value in json_value()) {
        decode_as_everything(value.to_string().as_bytes());
        Diagnostics::decode(&value.to_string());
        for command_type in CommandType::ALL {
            let _ = Parameters::parse(command_type, &value);
        }
    }
}

fn decode_as_everything(bytes: &[u8]) {
    IssueRequest::decode(bytes);
    IssueAnswer::decode(bytes);
    FetchAnswer::decode(bytes);
    StatusBody::decode(bytes);
    StatusAnswer::decode(bytes);
    ExportBody::decode(bytes);
    ExportAnswer::decode(bytes);
    CsvExport::decode(bytes);
    ErrorBody::decode(bytes);
    InvalidTypeBody::decode(bytes);
    BusyBody::decode(bytes);
}

fn summary(oddity: &Oddity) -> Value {
    json!({"kind": oddity.kind, "weight": oddity.weight, "path": oddity.path})
}

/// One sample with its call, checked the way a receiver would.
struct Sample<'a> {
    id: &'a str,
    value: &'a Value,
    call: Call,
    oddities: Vec<Oddity>,
}

impl<'a> Sample<'a> {
    fn of(value: &'a Value) -> Self {
        Sample {
            id: value["id"].as_str().unwrap(),
            value,
            call: Call::of(&sample_request(value)),
            oddities: Vec::new(),
        }
    }

    fn decode(mut self) -> Self {
        let unrouted = matches!(self.call, Call::NotFound | Call::MethodNotAllowed { .. });
        assert!(!unrouted, "{}: {:?}", self.id, self.call);
        if !self.value["request"].is_null() {
            self.request();
        }
        if !self.value["response"].is_null() {
            self.response();
        }
        self
    }

    fn request(&mut self) {
        let request = &self.value["request"];
        let headers = sample_headers(&request["headers"]);
        if headers.bearer_token().is_none() {
            self.report(OddityKind::MissingMember, "Authorization");
        }
        let Some(body) = sample_body(request) else { return };
        match self.call.clone() {
            Call::Issue { device_id } => {
                let decoded = IssueRequest::decode(&body);
                if let Some(request) = &decoded.value {
                    self.issue(request, &device_id);
                }
                self.check(&body, decoded);
            }
            Call::Status => {
                let decoded = StatusBody::decode(&body);
                let details = decoded.value.as_ref().and_then(|status| status.details.clone());
                if let Some(details) = details.filter(|d| d.starts_with('{')) {
                    let diagnostics = Diagnostics::decode(&details);
                    assert!(
                        diagnostics.oddities.is_empty(),
                        "{}: {:?}",
                        self.id,
                        diagnostics.oddities
                    );
                    let written = diagnostics.value.unwrap().to_details();
                    let [written, given]: [Value; 2] =
                        [&written, &details].map(|text| serde_json::from_str(text).unwrap());
                    assert_eq!(written, given, "{}", self.id);
                }
                self.check(&body, decoded);
            }
            Call::Export { .. } => {
                assert_eq!(
                    headers.get("Content-Length"),
                    Some(body.len().to_string().as_str())
                );
                assert_eq!(
                    headers.get(header::CONTENT_SHA256),
                    Some(digest::sha256_hex(&body).as_str())
                );
                if headers.get("Content-Type") == Some("text/csv") {
                    let decoded = CsvExport::decode(&body);
                    assert_eq!(
                        decoded.value.map(|csv| csv.encode().into_bytes()),
                        Some(body),
                        "{}",
                        self.id
                    );
                    self.oddities.extend(decoded.oddities);
                } else {
                    self.check(&body, ExportBody::decode(&body));
                }
            }
            _ => panic!("{}: a body is not expected", self.id),
        }
    }

    fn issue(&mut self, request: &IssueRequest, device_id: &str) {
        if request.device_id != device_id {
            self.report(OddityKind::Contradiction, "/device_id");
        }
        let command = &request.command;
        if let Some(Err(error)) = command.signature.as_deref().map(str::parse::<Signature>) {
            let kind = match error {
                SignatureError::UnknownFormat => OddityKind::UnknownName,
                SignatureError::Empty | SignatureError::Malformed => OddityKind::InvalidValue,
            };
            self.report(kind, "/command/signature");
        }
        let parameters = command
            .command_type()
            .map(|command_type| Parameters::parse(command_type, &command.parameters_value()));
        match parameters {
            Some(Err(error)) => {
                let path = format!("/command/parameters/{}", error.name);
                self.report(error.oddity_kind(), &path);
            }
            Some(Ok(parameters)) if self.value["response"]["status"] == 200 => {
                self.estimate(request, &parameters)
            }
            _ => {}
        }
    }

    /// The answer follows the reference arithmetic from the fixed date of the samples.
    fn estimate(&self, request: &IssueRequest, parameters: &Parameters) {
        let given = &self.value["response"]["body"];
        let answer = IssueAnswer::estimate(
            CommandStatus::from_name(given["command_status"].as_str().unwrap()).unwrap(),
            &request.command.command_id,
            crate::timestamp::parse_millis(&request.timestamp).unwrap(),
            request.command.execution_delay.unwrap_or(0),
            parameters,
        );
        assert_eq!(&serde_json::to_value(answer).unwrap(), given, "{}", self.id);
    }

    fn response(&mut self) {
        let response = &self.value["response"];
        let Some(body) = sample_body(response) else { return };
        match response["status"].as_u64().unwrap() {
            409 => self.check(&body, BusyBody::decode(&body)),
            400 => self.check(&body, InvalidTypeBody::decode(&body)),
            _ => match self.call {
                Call::Issue { .. } => self.check(&body, IssueAnswer::decode(&body)),
                Call::Fetch { .. } => {
                    let decoded = FetchAnswer::decode(&body);
                    let commands = decoded.value.iter().flat_map(FetchAnswer::valid);
                    let known = commands.filter_map(|c| Some((c.command.command_type()?, &c.command)));
                    for (command_type, command) in known {
                        assert!(Parameters::parse(command_type, &command.parameters_value()).is_ok());
                    }
                    self.check(&body, decoded);
                }
                Call::Status => self.check(&body, StatusAnswer::decode(&body)),
                Call::Export { .. } => self.check(&body, ExportAnswer::decode(&body)),
                _ => panic!("{}: a body is not expected", self.id),
            },
        }
        if response["status"].as_u64().unwrap() >= 400 {
            self.check(&body, ErrorBody::decode(&body));
        }
    }

    fn check<T: Serialize>(&mut self, body: &[u8], decoded: Decoded<T>) {
        assert_same_json(self.id, body, &decoded);
        self.oddities.extend(decoded.oddities);
    }

    fn report(&mut self, kind: OddityKind, path: &str) {
        self.oddities
            .push(Oddity::invalid(kind, path, "found by the receiver"));
    }
}
