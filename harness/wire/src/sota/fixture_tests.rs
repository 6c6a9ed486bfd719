//! The recorded commands, events, texts and exchanges, each against its expectation.

use super::{
    Command, Dialect, Event, ResultCode,
    core::{self, Call, CoreError, DeviceRegistration, ListedUpdate, TokenAnswer},
    socket::{SocketEvent, SocketReply},
    text::{self, Keywords, TextError},
};
use crate::{
    http::Request,
    oddity::{Decoded, OddityKind, Weight},
};
use serde_json::{Value, json};

#[test]
fn valid_commands_decode_and_encode_to_the_same_json() {
    for case in cases(include_str!("../../fixtures/sota/commands.json")) {
        let name = member(&case, "name");
        let decoded = Command::decode(member(&case, "json").as_bytes(), Dialect::Rustc);
        assert!(decoded.is_valid(), "{name}: {:?}", decoded.oddities);
        let command = decoded.value.unwrap();
        let written = command.to_value(Dialect::Rustc).unwrap();
        if case["never_emitted"] == true {
            assert_eq!(decoded.oddities[0].kind, OddityKind::Dialect, "{name}");
            assert_ne!(written, parse(member(&case, "json")), "{name}");
        } else {
            assert_eq!(decoded.oddities, [], "{name}");
            assert_eq!(written, parse(member(&case, "json")), "{name}");
        }
        assert_eq!(
            json!(sorted(command.final_events(Dialect::Rustc))),
            json!(sorted_values(&case["final_events"])),
            "{name}"
        );
        let spoken = case["text"]
            .as_str()
            .map(|text| text::parse(text.as_bytes(), Dialect::Rustc));
        match (spoken, &command) {
            (None, _) => assert!(text::format(&command, Dialect::Rustc, Keywords::Long).is_err()),
            // the text carries no result text
            (Some(Ok(Command::SendUpdateReport(said))), Command::SendUpdateReport(written)) => {
                assert_eq!(said.update_id, written.update_id, "{name}");
                let codes = |report: &super::UpdateReport| report.operation_results[0].result_code;
                assert_eq!(codes(&said), codes(written), "{name}");
            }
            (Some(said), _) => assert_eq!(said.as_ref(), Ok(&command), "{name}"),
        }
    }
}

#[test]
fn invalid_commands_are_reported_for_their_reason() {
    for case in cases(include_str!("../../fixtures/sota/invalid_commands.json")) {
        let bytes = match case["hex"].as_str() {
            Some(hex) => hex::decode(hex).unwrap(),
            None => member(&case, "body").as_bytes().to_vec(),
        };
        check_reason(&case, &Command::decode(&bytes, Dialect::Rustc));
    }
}

#[test]
fn what_a_client_may_decide_is_understood_and_noted() {
    for case in cases(include_str!("../../fixtures/sota/implementation_defined.json")) {
        let name = member(&case, "name");
        let decoded = Command::decode(member(&case, "body").as_bytes(), Dialect::Rustc);
        assert!(decoded.value.is_some(), "{name}");
        assert_eq!(json!(decoded.oddities[0].kind), case["kind"], "{name}");
        assert_eq!(json!(decoded.oddities[0].weight), case["weight"], "{name}");
    }
}

#[test]
fn texts_are_taken_or_rejected() {
    let fixture: Value = serde_json::from_str(include_str!("../../fixtures/sota/texts.json")).unwrap();
    for case in fixture["valid"].as_array().unwrap() {
        let command = text::parse(member(case, "text").as_bytes(), Dialect::Rustc).unwrap();
        assert_eq!(command.name(Dialect::Rustc), case["command"], "{case}");
        if let (Some(code), Command::SendUpdateReport(report)) = (case["code"].as_str(), &command) {
            assert_eq!(report.operation_results[0].result_code.name(), code, "{case}");
        }
        if let (Some(count), Command::SendInstalledPackages(packages)) = (case["packages"].as_u64(), &command)
        {
            assert_eq!(packages.len() as u64, count, "{case}");
        }
    }
    for case in fixture["invalid"].as_array().unwrap() {
        let error = text::parse(member(case, "text").as_bytes(), Dialect::Rustc).unwrap_err();
        let name = match error {
            TextError::NotText => "not_text",
            TextError::Empty => "empty",
            TextError::UnknownKeyword(_) => "unknown_keyword",
            TextError::ArgumentCount { .. } => "argument_count",
            TextError::ResultCode(_) => "result_code",
            TextError::UpdateId(_) => "update_id",
            TextError::NotExpressible(_) => "not_expressible",
        };
        assert_eq!(name, case["error"], "{case}");
    }
}

#[test]
fn valid_events_decode_and_encode_to_the_same_json() {
    for case in cases(include_str!("../../fixtures/sota/events.json")) {
        let json = member(&case, "json");
        let decoded = Event::decode(json.as_bytes(), Dialect::Rustc);
        assert_eq!(decoded.oddities, [], "{case}");
        let event = decoded.value.unwrap();
        assert_eq!(event.to_value(Dialect::Rustc), Ok(parse(json)), "{case}");
        assert!(matches!(
            SocketReply::decode(json.as_bytes(), Dialect::Rustc),
            SocketReply::Event(found) if found.value.as_ref() == Some(&event)
        ));
    }
}

#[test]
fn invalid_events_are_reported_for_their_reason() {
    for case in cases(include_str!("../../fixtures/sota/invalid_events.json")) {
        check_reason(
            &case,
            &Event::decode(member(&case, "json").as_bytes(), Dialect::Rustc),
        );
    }
}

#[test]
fn socket_events_read_back() {
    for case in cases(include_str!("../../fixtures/sota/socket_events.json")) {
        let text = case.as_str().unwrap();
        let decoded = SocketEvent::decode(text.as_bytes());
        assert_eq!(decoded.oddities, []);
        let event = decoded.value.unwrap();
        assert_eq!(event.to_value(), parse(text));
        assert_eq!(SocketEvent::of(&event.clone().into_event()), Some(event));
    }
}

#[test]
fn the_serde_dialect_reads_back() {
    let fixture: Value =
        serde_json::from_str(include_str!("../../fixtures/sota/serde_dialect.json")).unwrap();
    for text in fixture["commands"].as_array().unwrap() {
        let text = text.as_str().unwrap();
        let decoded = Command::decode(text.as_bytes(), Dialect::Serde);
        assert_eq!(decoded.oddities, [], "{text}");
        assert_eq!(decoded.value.unwrap().to_value(Dialect::Serde), Ok(parse(text)));
    }
    for text in fixture["events"].as_array().unwrap() {
        let text = text.as_str().unwrap();
        let decoded = Event::decode(text.as_bytes(), Dialect::Serde);
        assert_eq!(decoded.oddities, [], "{text}");
        assert_eq!(decoded.value.unwrap().to_value(Dialect::Serde), Ok(parse(text)));
        assert_eq!(Dialect::detect(text.as_bytes()), Some(Dialect::Serde));
    }
}

#[test]
fn result_codes_have_their_numbers() {
    let names: Vec<_> = ResultCode::all().map(ResultCode::name).collect();
    let fixture: Value = serde_json::from_str(include_str!("../../fixtures/sota/result_codes.json")).unwrap();
    assert_eq!(json!(names), fixture);
}

#[test]
fn exchanges_are_routed_and_their_bodies_read_back() {
    for case in cases(include_str!("../../fixtures/sota/exchanges.json")) {
        let name = member(&case, "name");
        let (method, path) = (member(&case, "method"), member(&case, "path"));
        let call = Call::parse(method, path).unwrap();
        assert_eq!((call.method(), &call.target()[..]), (method, path), "{name}");
        let sent = case["request_body"].as_str().unwrap_or_default().as_bytes();
        let answered = case["response_body"].as_str().unwrap_or_default().as_bytes();
        match &call {
            Call::Token => {
                let token = TokenAnswer::decode(answered);
                assert!(token.is_valid());
                let token = token.value.unwrap();
                assert_eq!(token.to_value().to_string().as_bytes(), answered);
                let device = "123e4567-e89b-12d3-a456-426655440000";
                assert_eq!(TokenAnswer::for_device("tok-1", device, 3600), token);
                assert!(token.allows(core::Scope::Write, device));
            }
            Call::Updates { .. } => {
                let list = core::decode_update_list(answered, Dialect::Rustc);
                assert_eq!(list.oddities, [], "{name}");
                let list: Vec<ListedUpdate> = list.value.unwrap();
                assert_eq!(core::encode_update_list(&list), parse(text_of(answered)));
            }
            Call::Report { .. } => {
                let results = core::decode_results(sent);
                assert_eq!(results.oddities, [], "{name}");
                let results = results.value.unwrap();
                assert!(!core::results_are_success(&results));
                assert_eq!(core::encode_results(&results), parse(text_of(sent)));
            }
            Call::Installed { .. } => {
                let packages = core::decode_packages(sent).value.unwrap();
                assert_eq!(core::encode_packages(&packages), parse(text_of(sent)));
            }
            Call::RegisterDevice => {
                let registration = DeviceRegistration::decode(sent).value.unwrap();
                assert_eq!(registration.to_value(), parse(text_of(sent)));
            }
            _ => {}
        }
        check_headers(&call, &case, sent);
    }
}

fn check_headers(call: &Call, case: &Value, body: &[u8]) {
    let Some(headers) = case["request_headers"].as_object() else {
        return;
    };
    let mut request = Request::new(call.method(), call.target());
    for (name, value) in headers {
        request.headers.push(name, value.as_str().unwrap());
    }
    request.headers.push("Content-Length", body.len().to_string());
    request.body = body.to_vec();
    assert_eq!(core::check_request(call, &request, Some("tok-1")), []);
    let value = request.headers.get("Authorization").unwrap();
    match core::read_basic(value) {
        Some(credentials) => assert_eq!(core::basic(&credentials), value),
        None => assert_eq!(core::bearer(request.headers.bearer_token().unwrap()), value),
    }
}

#[test]
fn faulty_answers_are_seen() {
    for case in cases(include_str!("../../fixtures/sota/faults.json")) {
        let name = member(&case, "name");
        let body = member(&case, "response_body").as_bytes();
        if case["status"].as_u64().unwrap() >= 300 {
            assert!(!CoreError::decode(body).is_valid(), "{name}");
            continue;
        }
        match member(&case, "exchange") {
            "updates" => assert!(
                !core::decode_update_list(body, Dialect::Rustc).is_valid(),
                "{name}"
            ),
            "token" => assert!(!TokenAnswer::decode(body).is_valid(), "{name}"),
            _ => {}
        }
    }
}

fn check_reason<T>(case: &Value, decoded: &Decoded<T>) {
    let oddity = decoded
        .oddities
        .iter()
        .find(|o| o.weight == Weight::Invalid)
        .unwrap_or_else(|| panic!("{case} is valid"));
    assert_eq!(json!(oddity.kind), case["kind"], "{case}: {oddity}");
    assert_eq!(oddity.path, member(case, "path"), "{case}");
}

fn cases(fixture: &str) -> Vec<Value> {
    serde_json::from_str(fixture).unwrap()
}

fn member<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {case}"))
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

fn sorted_values(names: &Value) -> Vec<&str> {
    let names: Vec<&str> = names
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    sorted(&names)
}
