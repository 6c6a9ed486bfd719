//! The samples of the reference and the properties every codec of this protocol keeps.

use super::{strategies as make, *};
use crate::{
    http::Headers,
    json,
    oddity::{Decoded, Oddity, OddityKind, Weight},
    testing::{assert_round_trip, assert_same_json, sample_body, sample_headers, sample_request, samples},
};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

const SAMPLES: &str = include_str!("../../fixtures/edge-poll/samples.json");

#[test]
fn every_valid_sample_decodes_and_encodes_to_the_same_json() {
    for sample in samples(SAMPLES, "valid") {
        let seen = Sample::of(&sample).decode();
        assert!(seen.oddities.is_empty(), "{}: {:?}", sample["id"], seen.oddities);
    }
}

#[test]
fn every_invalid_codec_sample_is_reported_as_expected() {
    for sample in samples(SAMPLES, "invalid") {
        let found = Sample::of(&sample).decode().oddities;
        if sample["class"] == "codec" {
            let expected = &sample["oddity"];
            let reported = found.iter().any(|o| {
                json!(o.kind) == expected["kind"]
                    && json!(o.weight) == expected["weight"]
                    && o.path == expected["path"]
            });
            assert!(reported, "{}: {found:?}", sample["id"]);
        } else {
            let valid = found.iter().all(|o| o.weight == Weight::Tolerable);
            assert!(valid, "{}: {found:?}", sample["id"]);
        }
    }
}

#[test]
fn a_malformed_item_does_not_hide_the_others() {
    let sample = samples(SAMPLES, "invalid")
        .into_iter()
        .find(|s| s["id"] == "EP-X19")
        .unwrap();
    let list = CommandList::decode(sample["response"]["body"].to_string().as_bytes())
        .value
        .unwrap();
    let ids: Vec<_> = list.items().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["cmd_11", "cmd_12"]);
    assert_eq!(list.entries[1].id(), None);
    let bad = CommandList::decode(br#"[{"id": "cmd_1", "command": 7}]"#)
        .value
        .unwrap();
    assert_eq!((bad.entries[0].id(), bad.items().count()), (Some("cmd_1"), 0));
}

#[test]
fn request_bodies_must_not_name_a_member_twice() {
    let decoded = Ack::decode(br#"{"status":"completed","status":"failed"}"#);
    assert_eq!(
        decoded.first_invalid().map(|o| o.kind),
        Some(OddityKind::DuplicateMember)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn items_round_trip(items in proptest::collection::vec(make::command_item(), 0..4)) {
        for item in &items {
            prop_assert!(item.parse_payload().is_ok());
            assert_round_trip(item, CommandItem::decode)?;
        }
        assert_round_trip(&items.into_iter().collect::<CommandList>(), CommandList::decode)?;
    }

    #[test]
    fn acks_round_trip(ack in make::ack(), answer in make::ack_answer()) {
        assert_round_trip(&ack, Ack::decode)?;
        assert_round_trip(&answer, AckAnswer::decode)?;
    }

    #[test]
    fn answers_round_trip(latest in make::latest_answer(), error in make::error_body()) {
        assert_round_trip(&latest, LatestAnswer::decode)?;
        assert_round_trip(&error, ErrorBody::decode)?;
    }

    #[test]
    fn requests_round_trip(report in make::status_report(), queue in make::queue_command()) {
        assert_round_trip(&report, StatusReport::decode)?;
        assert_round_trip(&queue, QueueCommand::decode)?;
    }

    #[test]
    fn forms_round_trip(form in make::publish_form()) {
        let body = form.to_multipart().encode("a-boundary-of-no-snap");
        let decoded = PublishForm::decode("multipart/form-data; boundary=a-boundary-of-no-snap", &body);
        prop_assert_eq!(decoded, Decoded::clean(form));
    }

    #[test]
    fn commands_round_trip(command in make::command()) {
        prop_assert_eq!(parse_payload(command.name(), &command.payload()), Ok(command));
    }

    #[test]
    fn names_made_are_legal(id in make::command_id(), device in make::device_id(), snap in make::snap_name(), version in make::version()) {
        prop_assert!(is_command_id(&id) && is_device_id(&device) && is_snap_name(&snap) && is_version(&version));
        let target = format!("/api/v1/commands/{id}/ack");
        prop_assert_eq!(Call::parse("POST", &target), Call::Ack { id });
    }

    #[test]
    fn nothing_panics_on_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), target in "\\PC{0,60}") {
        decode_as_everything(&bytes);
        Call::parse("GET", &target);
    }

    #[test]
    fn nothing_panics_on_json(value in make::json_value()) {
        decode_as_everything(value.to_string().as_bytes());
        for name in Command::NAMES {
            let _ = parse_payload(name, &value);
        }
    }

    #[test]
    fn versions_are_ordered_without_contradiction(a in make::version(), b in make::version()) {
        let forth = compare_versions(&a, &b);
        prop_assert_eq!(forth.map(std::cmp::Ordering::reverse), compare_versions(&b, &a));
        prop_assert_eq!(compare_versions(&a, &a), Some(std::cmp::Ordering::Equal));
    }
}

fn decode_as_everything(bytes: &[u8]) {
    CommandList::decode(bytes);
    CommandItem::decode(bytes);
    Ack::decode(bytes);
    AckAnswer::decode(bytes);
    LatestAnswer::decode(bytes);
    StatusReport::decode(bytes);
    ErrorBody::decode(bytes);
    QueueCommand::decode(bytes);
    PublishForm::decode("multipart/form-data; boundary=x", bytes);
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
        assert!(
            !matches!(
                self.call,
                Call::NotFound | Call::MethodNotAllowed { .. } | Call::Poll { limit: Err(_) }
            ),
            "{}: {:?}",
            self.id,
            self.call
        );
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
        if self.call.needs_device_key() && device_key(&headers).is_err() {
            self.report(OddityKind::MissingMember, header::DEVICE_KEY);
        }
        if self.call == Call::Publish {
            match publish_credential(&headers) {
                Err(PublishCredentialError::Missing) => {
                    self.report(OddityKind::MissingMember, "Authorization")
                }
                Err(PublishCredentialError::Conflicting) => {
                    self.report(OddityKind::Contradiction, "Authorization")
                }
                Ok(_) => {}
            }
        }
        if let Some(form) = request["form"].as_object() {
            let parts = form
                .iter()
                .map(|(name, value)| Part {
                    name: name.clone(),
                    filename: value["filename"].as_str().map(str::to_owned),
                    data: value["content_text"].as_str().or(value.as_str()).unwrap().into(),
                })
                .collect();
            let body = Multipart { parts }.encode("x");
            self.oddities
                .extend(PublishForm::decode("multipart/form-data; boundary=x", &body).oddities);
        }
        let Some(body) = self.body(request, &headers) else {
            return;
        };
        match self.call {
            Call::Ack { .. } => self.check(&body, Ack::decode(&body)),
            Call::Report => self.check(&body, StatusReport::decode(&body)),
            Call::OperatorQueue { .. } => self.check(&body, QueueCommand::decode(&body)),
            _ => panic!("{}: a body is not expected", self.id),
        }
    }

    fn response(&mut self) {
        let response = &self.value["response"];
        if matches!(self.call, Call::Blob { .. }) {
            return;
        }
        let Some(body) = self.body(response, &sample_headers(&response["headers"])) else {
            return;
        };
        if response["status"].as_u64().unwrap() >= 400 {
            return self.check(&body, ErrorBody::decode(&body));
        }
        match self.call {
            Call::Poll { .. } => {
                let decoded = CommandList::decode(&body);
                for (index, item) in decoded.value.iter().flat_map(CommandList::items).enumerate() {
                    if let Err(error) = item.parse_payload() {
                        let member = error.member().unwrap_or_default();
                        self.report(error.oddity_kind(), &format!("/{index}/payload/{member}"));
                    }
                }
                self.check(&body, decoded);
            }
            Call::Ack { .. } => self.check(&body, AckAnswer::decode(&body)),
            Call::Latest { .. } | Call::Publish => self.check(&body, LatestAnswer::decode(&body)),
            Call::OperatorQueue { .. } => self.check(&body, CommandItem::decode(&body)),
            _ => panic!("{}: a body is not expected", self.id),
        }
    }

    fn body(&mut self, message: &Value, headers: &Headers) -> Option<Vec<u8>> {
        let body = sample_body(message)?;
        if !headers.get("Content-Type").is_some_and(json::is_media_type) {
            self.report(OddityKind::InvalidValue, "Content-Type");
            return None;
        }
        Some(body)
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
