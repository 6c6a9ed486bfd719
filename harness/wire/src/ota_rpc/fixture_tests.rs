//! The recorded frames, byte streams, HTTP exchanges and archives, each against its expectation.

use super::{
    BootState, BootStateChange, Frame, FrameKind, UpdateRequest,
    archive::{ArchiveError, ArchiveEvent, ArchiveReader, Checks},
    argument, decode,
    digest::{Algorithm, Challenge, Context, Credentials, Expectation, Refusal, user_hash},
    encode, http, method, mqtt,
    uart::{Crc, Deframer, Event, UnitEncoder, caller_line, crc_text, mos_frame},
};
use crate::{
    digest::sha256_hex,
    http::{Headers, Request, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

#[test]
fn valid_frames_decode_and_encode_to_the_same_json() {
    for case in cases(include_str!("../../fixtures/ota-rpc/frames.json")) {
        let name = text(&case, "name");
        let wire = case["frame"].to_string();
        let decoded = decode(wire.as_bytes());
        assert!(decoded.is_valid(), "{name}: {:?}", decoded.oddities);
        let frame = decoded.value.unwrap();
        assert_eq!(frame.to_value(), case["frame"], "{name}");
        let to_unit = text(&case, "direction") == "to_unit";
        assert_eq!(frame.kind() != FrameKind::Reply, to_unit, "{name}");
        check_typed(&frame, &case);
    }
}

fn check_typed(frame: &Frame, case: &Value) {
    let name = text(case, "name");
    if frame.called_method() == Some(method::UPDATE) {
        let request = UpdateRequest::read(frame.arguments()).unwrap();
        assert!(request.url.starts_with("http"), "{name}");
    }
    if let Some(result) = frame.result.as_ref().filter(|r| r.get("active_slot").is_some()) {
        let state = BootState::from_value(result).value.unwrap();
        assert_eq!(&state.to_value(), result, "{name}");
    }
    if let Some(topic) = case["reply_topic"].as_str() {
        assert_eq!(mqtt::frames_topic(frame.src.as_deref().unwrap()), topic);
        assert_eq!(mqtt::frames_topic(frame.dst.as_deref().unwrap()), case["topic"]);
    }
    let Some(auth) = &frame.auth else { return };
    let credentials = Credentials::from_auth(auth).unwrap();
    assert_eq!(&credentials.to_auth(), auth, "{name}");
    let algorithm = Algorithm::from_name(credentials.algorithm.as_deref().unwrap()).unwrap();
    let (user, password) = (text(case, "user"), text(case, "password"));
    let hash = user_hash(algorithm, user, "RPC", password);
    assert_eq!(hash, case["ha1"], "{name}");
    let challenge = Challenge {
        realm: "RPC".into(),
        nonce: 1_714_521_600,
        algorithm,
    };
    assert_eq!(
        challenge.answer(user, password, 313_273_957, Context::Frame),
        credentials
    );
    let expectation = Expectation {
        realm: "RPC",
        algorithm,
        user_hash: &hash,
        now_seconds: 1_714_521_700,
        context: Context::Frame,
    };
    assert_eq!(credentials.check(&expectation), Ok(()), "{name}");
}

#[test]
fn invalid_frames_are_reported_for_their_reason() {
    for case in cases(include_str!("../../fixtures/ota-rpc/invalid_frames.json")) {
        let name = text(&case, "name");
        let decoded = decode(text(&case, "raw").as_bytes());
        if text(&case, "class") == "unit" {
            assert!(decoded.is_valid(), "{name}: {:?}", decoded.oddities);
            check_unit_case(&decoded.value.unwrap(), name);
            continue;
        }
        let oddity = decoded
            .first_invalid()
            .unwrap_or_else(|| panic!("{name} is valid"));
        assert_eq!(json!(oddity.kind), case["kind"], "{name}: {oddity}");
        assert_eq!(oddity.path, text(&case, "path"), "{name}");
    }
}

/// What a unit needs to give the answers the fixtures ask for.
fn check_unit_case(frame: &Frame, name: &str) {
    match name {
        "foreign_dst" => assert!(!frame.is_for(&["unit"])),
        "reply_to_nothing" => assert_eq!(frame.kind(), FrameKind::Reply),
        "mqtt_no_src" => assert_eq!(frame.src, None),
        "auth_incomplete" => assert_eq!(
            Credentials::from_auth(frame.auth.as_ref().unwrap()),
            Err(Refusal::Incomplete)
        ),
        "set_boot_state_empty" => assert!(BootStateChange::read(frame.arguments()).is_empty()),
        "set_boot_state_slot" => {
            assert_eq!(BootStateChange::read(frame.arguments()).active_slot, Some(99));
        }
        "unknown_method" => assert_eq!(frame.called_method(), Some("OTA.Nope")),
        _ => assert!(UpdateRequest::read(frame.arguments()).is_err(), "{name}"),
    }
}

#[test]
fn arguments_mean_what_the_table_says() {
    let tables: Value = serde_json::from_str(include_str!("../../fixtures/ota-rpc/arguments.json")).unwrap();
    for case in tables["integers"].as_array().unwrap() {
        let arguments = json!({"n": parse(text(case, "json"))});
        let means = argument::integer(Some(&arguments), "n");
        assert_eq!(json!(means), case["means"], "{case}");
    }
    for case in tables["booleans"].as_array().unwrap() {
        let arguments = match case["json"].as_str() {
            Some(json) => json!({"b": parse(json)}),
            None => json!({}),
        };
        let means = argument::boolean(Some(&arguments), "b");
        assert_eq!(json!(means), case["means"], "{case}");
    }
}

#[test]
fn serial_streams_give_their_events() {
    let fixture: Value = serde_json::from_str(include_str!("../../fixtures/ota-rpc/uart.json")).unwrap();
    let check = &fixture["crc_check"];
    assert_eq!(crc_text(text(check, "payload").as_bytes()), check["crc"]);
    for case in fixture["streams"].as_array().unwrap() {
        let name = text(case, "name");
        let bytes = hex::decode(text(case, "hex")).unwrap();
        let to_unit = text(case, "direction") == "to_unit";
        let mut deframer = if to_unit {
            Deframer::unit()
        } else {
            Deframer::caller()
        };
        let events = if name == "request_high_byte" {
            deframer.push_read(&bytes)
        } else {
            deframer.push(&bytes)
        };
        if let Some(expected) = case.get("events") {
            let names: Vec<_> = events.iter().map(event_name).collect();
            assert_eq!(&json!(names), expected, "{name}");
        }
        let frames: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Frame(frame) => Some(frame),
                _ => None,
            })
            .collect();
        let Some(json) = case["json"].as_str().filter(|_| case.get("events").is_none()) else {
            assert!(frames.is_empty(), "{name}");
            continue;
        };
        assert_eq!(frames.len(), 1, "{name}");
        assert_eq!(frames[0].json, json.as_bytes(), "{name}");
        let crc = match frames[0].crc {
            Crc::Absent => "absent",
            Crc::Valid => "valid",
            Crc::Wrong { .. } => "wrong",
        };
        assert_eq!(crc, text(case, "crc"), "{name}");
        assert_eq!(frames[0].crc.is_acceptable(), case["valid"], "{name}");
        if let Some(right) = case["crc_text"].as_str() {
            assert_eq!(crc_text(json.as_bytes()), right, "{name}");
        }
        check_written(name, json.as_bytes(), &bytes);
    }
}

/// The streams our own encoders have to reproduce to the byte.
fn check_written(name: &str, json: &[u8], expected: &[u8]) {
    let mut encoder = UnitEncoder::new();
    let written = match name {
        "request_mos_style" => mos_frame(json),
        "request_line_no_crc" => caller_line(json, false),
        "request_line_crc" => caller_line(json, true),
        "reply_line_no_crc" => encoder.frame(json),
        "reply_line_crc" => {
            encoder.observe(&Deframer::unit().push(&caller_line(b"{}", true)));
            encoder.frame(json)
        }
        "reply_crc_and_old_delimiters" => {
            encoder.observe(&Deframer::unit().push(b"\"\"\""));
            encoder.observe(&Deframer::unit().push(&mos_frame(b"{}")));
            let bytes = encoder.frame(json);
            // behind the line feeds that answer the empty frames
            let queued = bytes.len() - expected.len();
            assert!(bytes[..queued].iter().all(|&b| b == b'\n'));
            bytes[queued..].to_vec()
        }
        _ => return,
    };
    assert_eq!(written, expected, "{name}");
}

fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Frame(_) => "frame",
        Event::Eot(_) => "eot",
        Event::Empty(_) => "empty",
        Event::Junk { .. } => "junk",
        Event::Discarded { .. } => "discarded",
        Event::FlowControl(_) => "flow_control",
    }
}

#[test]
fn http_exchanges_map_to_calls_and_back() {
    let state = parse(r#"{"active_slot": 0, "is_committed": true, "revert_slot": 0, "commit_timeout": 0}"#);
    for case in cases(include_str!("../../fixtures/ota-rpc/http.json")) {
        let name = text(&case, "name");
        if name == "digest" {
            check_http_digest(&case);
            continue;
        }
        let request = parse_request(text(&case, "request"));
        let call = http::parse_request(&request).unwrap();
        assert!(!call.keep_alive, "{name}");
        if let Some(arguments) = case["args_seen_by_handler"].as_str() {
            assert_eq!(call.frame.arguments(), Some(&parse(arguments)), "{name}");
        }
        let mut asked = call.frame.clone();
        asked.id.get_or_insert_with(|| 1.into());
        let reply = match asked.called_method().unwrap() {
            method::GET_BOOT_STATE => asked.reply("esp32_0A1B2C", state.clone()),
            method::COMMIT => asked.reply_error("esp32_0A1B2C", super::RpcError::bare(-1)),
            method::SET_BOOT_STATE => asked.reply("esp32_0A1B2C", Value::Null),
            other => asked.reply_error("esp32_0A1B2C", super::RpcError::no_handler(other)),
        };
        let response = http::reply_response(call.form, &reply.unwrap(), call.keep_alive);
        assert_eq!(http::check_response(&response), [], "{name}");
        let body = std::str::from_utf8(&response.body).unwrap();
        assert!(body.ends_with("\r\n"), "{name}");
        let (status, expected_body, headers) = match case["response"].as_str() {
            Some(raw) => {
                let response = parse_response(raw);
                let body = String::from_utf8(response.body).unwrap();
                (response.status, body, Some(response.headers))
            }
            None => (
                case["response_status"].as_u64().unwrap() as u16,
                text(&case, "response_body").to_owned(),
                None,
            ),
        };
        assert_eq!(response.status, status, "{name}");
        assert_eq!(parse(body), parse(&expected_body), "{name}");
        if let Some(headers) = headers {
            // the upstream body has blanks in it, so its length differs
            let without_length = |headers: Headers| -> Vec<_> {
                headers
                    .0
                    .into_iter()
                    .filter(|(name, _)| name != "Content-Length")
                    .collect()
            };
            assert_eq!(
                without_length(response.headers),
                without_length(headers),
                "{name}"
            );
        }
    }
}

fn check_http_digest(case: &Value) {
    let header = text(case, "challenge")
        .strip_prefix("WWW-Authenticate: ")
        .unwrap();
    let challenge = Challenge::from_header(header).unwrap();
    assert_eq!(challenge.to_header(), header);
    let context = Context::Http {
        method: "POST",
        uri: text(case, "uri"),
    };
    let cnonce = case["cnonce"].as_u64().unwrap();
    let credentials = challenge.answer(text(case, "user"), text(case, "password"), cnonce, context);
    assert_eq!(credentials.response, case["response"]);
    assert_eq!(credentials.nc, case["nc"]);
}

#[test]
fn archives_are_accepted_or_refused() {
    for case in cases(include_str!("../../fixtures/ota-rpc/archives.json")) {
        let name = text(&case, "name");
        let bytes = STANDARD.decode(text(&case, "base64")).unwrap();
        if let Some(digest) = case["sha256"].as_str() {
            assert_eq!(sha256_hex(&bytes), digest, "{name}");
        }
        let mut reader = ArchiveReader::new(Checks {
            platform: Some("esp32".into()),
            required_parts: vec!["app".into(), "fs".into()],
            max_part_size: Some(1024),
        });
        let events = reader.push(&bytes);
        let outcome = events.and_then(|events| reader.finish().map(|manifest| (manifest, events)));
        match (outcome, case["error"].as_str()) {
            (Ok((manifest, events)), None) => {
                assert_eq!(manifest.version, "2.0", "{name}");
                let signatures = events.iter().find_map(|event| match event {
                    ArchiveEvent::Manifest { signatures, .. } => signatures.clone().map(Value::Object),
                    _ => None,
                });
                assert_eq!(signatures.as_ref(), case.get("signatures"), "{name}");
            }
            (Err(ArchiveError::Compressed { .. }), Some("compressed"))
            | (Err(ArchiveError::BadCrc { .. }), Some("bad_crc"))
            | (Err(ArchiveError::Truncated { .. }), Some("truncated")) => {}
            (outcome, expected) => panic!("{name}: {outcome:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn encoding_is_the_compact_json() {
    let frame = Frame::request(1_932_735_283_211, "OTA.GetBootState", None).with_src("mos");
    assert_eq!(
        encode(&frame),
        br#"{"id":1932735283211,"src":"mos","method":"OTA.GetBootState"}"#
    );
}

fn cases(fixture: &str) -> Vec<Value> {
    serde_json::from_str(fixture).unwrap()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {case}"))
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn parse_request(raw: &str) -> Request {
    let (line, headers, body) = parse_message(raw);
    let mut words = line.split(' ');
    let mut request = Request::new(words.next().unwrap(), words.next().unwrap());
    request.headers = headers;
    request.body = body;
    request
}

fn parse_response(raw: &str) -> Response {
    let (line, headers, body) = parse_message(raw);
    Response {
        status: line.split(' ').nth(1).unwrap().parse().unwrap(),
        headers,
        body,
    }
}

fn parse_message(raw: &str) -> (&str, Headers, Vec<u8>) {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut list = Headers::new();
    for header in headers.split("\r\n").filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(": ").unwrap();
        list.push(name, value);
    }
    (line, list, body.as_bytes().to_vec())
}
