//! The AosEdge samples: valid ones decode without anything invalid and survive re-encoding, broken ones are
//! reported for their reason.

use hil_wire::{
    Oddity, OddityKind, Weight,
    aos::{self, Dialect, Direction, Message},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct ValidSample {
    id: String,
    direction: Direction,
    dialects: Vec<Dialect>,
    message: Value,
}

#[derive(Deserialize)]
struct InvalidSample {
    id: String,
    class: String,
    direction: Direction,
    expect: Vec<Expected>,
    message: Option<Value>,
    text: Option<String>,
    hex: Option<String>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Expected {
    kind: OddityKind,
    weight: Weight,
    path: String,
}

impl Expected {
    fn of(oddity: &Oddity) -> Self {
        Expected {
            kind: oddity.kind,
            weight: oddity.weight,
            path: oddity.path.clone(),
        }
    }
}

impl InvalidSample {
    fn payload(&self) -> Vec<u8> {
        match (&self.message, &self.text, &self.hex) {
            (Some(message), None, None) => message.to_string().into_bytes(),
            (None, Some(text), None) => text.clone().into_bytes(),
            (None, None, Some(digits)) => hex::decode(digits).unwrap(),
            _ => panic!("{}: exactly one payload", self.id),
        }
    }
}

fn valid() -> Vec<ValidSample> {
    serde_json::from_str(include_str!("../fixtures/aos-v7/valid.json")).unwrap()
}

fn invalid() -> Vec<InvalidSample> {
    serde_json::from_str(include_str!("../fixtures/aos-v7/invalid.json")).unwrap()
}

#[test]
fn valid_samples_decode_cleanly_and_survive() {
    for sample in valid() {
        let frame = sample.message.to_string();
        for dialect in &sample.dialects {
            let decoded = aos::decode(frame.as_bytes(), sample.direction, *dialect);
            let invalid: Vec<&Oddity> = decoded
                .oddities
                .iter()
                .filter(|o| o.weight == Weight::Invalid)
                .collect();
            assert!(invalid.is_empty(), "{}: {invalid:?}", sample.id);
            let envelope = decoded.value.unwrap();
            let again: Value = serde_json::from_slice(&aos::encode(&envelope)).unwrap();
            assert_eq!(again, sample.message, "{}", sample.id);
        }
    }
}

#[test]
fn valid_samples_take_the_fast_path() {
    let mut slow = Vec::new();
    for sample in valid() {
        let frame = sample.message.to_string();
        for dialect in &sample.dialects {
            if let Err(error) = aos::decode_fast(&frame, sample.direction, *dialect) {
                let decoded = aos::decode(frame.as_bytes(), sample.direction, *dialect);
                slow.push((sample.id.clone(), error.to_string(), decoded.oddities));
            }
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[test]
fn valid_samples_of_one_dialect_are_told_from_the_other() {
    for sample in valid().iter().filter(|sample| sample.dialects.len() == 1) {
        let frame = sample.message.to_string();
        let decoded = aos::decode(frame.as_bytes(), sample.direction, sample.dialects[0].other());
        let first = decoded.first_invalid().map(|o| (o.kind, o.path.as_str()));
        assert_eq!(
            first,
            Some((OddityKind::Dialect, "/data/messageType")),
            "{}",
            sample.id
        );
        assert!(!matches!(decoded.value.unwrap().data, Message::Unreadable(_)));
    }
}

#[test]
fn broken_samples_are_reported_for_their_reason() {
    for sample in invalid() {
        for dialect in Dialect::ALL {
            let decoded = aos::decode(&sample.payload(), sample.direction, dialect);
            let found: Vec<Expected> = decoded.oddities.iter().map(Expected::of).collect();
            for expected in &sample.expect {
                assert!(
                    found.contains(expected),
                    "{}: {expected:?} in {found:#?}",
                    sample.id
                );
            }
            match sample.class.as_str() {
                "codec" => assert!(!sample.expect.is_empty(), "{}", sample.id),
                "cloud" | "unit" => assert!(decoded.is_valid(), "{}: {found:#?}", sample.id),
                other => panic!("{}: class {other}", sample.id),
            }
        }
    }
}

#[test]
fn broken_samples_are_reported_for_nothing_else() {
    for sample in invalid() {
        let decoded = aos::decode(&sample.payload(), sample.direction, Dialect::Seed);
        let surprises: Vec<&Oddity> = decoded
            .oddities
            .iter()
            .filter(|oddity| !sample.expect.contains(&Expected::of(oddity)))
            .collect();
        // two messages of the wrong direction break rules of detail of that direction as well
        let wrong_way = ["INV-107", "INV-108", "INV-022"].contains(&sample.id.as_str());
        assert!(wrong_way || surprises.is_empty(), "{}: {surprises:#?}", sample.id);
    }
}

#[test]
fn every_type_and_direction_has_a_sample() {
    let samples = valid();
    for dialect in Dialect::ALL {
        for direction in Direction::ALL {
            for message_type in aos::MessageType::ALL {
                if aos::direction_allowed(*message_type, direction, dialect) {
                    let found = samples.iter().any(|sample| {
                        sample.direction == direction
                            && sample.dialects.contains(&dialect)
                            && sample.message["data"]["messageType"] == message_type.name()
                    });
                    assert!(found, "{message_type} from {direction} in {dialect}");
                }
            }
        }
    }
}

#[test]
fn discovery_samples_decode_cleanly_and_survive() {
    let samples: Value = serde_json::from_str(include_str!("../fixtures/aos-v7/discovery.json")).unwrap();
    for request in samples["requests"].as_array().unwrap() {
        let decoded = aos::decode_discovery_request(request.to_string().as_bytes());
        assert_eq!(decoded.oddities, []);
        assert_eq!(&serde_json::to_value(decoded.value.unwrap()).unwrap(), request);
    }
    for response in samples["responses"].as_array().unwrap() {
        let decoded = aos::decode_discovery_response(response.to_string().as_bytes());
        assert_eq!(decoded.oddities, []);
        assert_eq!(&serde_json::to_value(decoded.value.unwrap()).unwrap(), response);
    }
}

#[test]
fn the_checksum_vector_holds() {
    let vectors: Value = serde_json::from_str(include_str!("../fixtures/aos-v7/vectors.json")).unwrap();
    let text = vectors["stateText"].as_str().unwrap();
    assert_eq!(aos::state_checksum(text), vectors["stateChecksumSha3_224"]);
}
