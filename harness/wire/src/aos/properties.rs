//! Properties of the codec: round trips, any member order, agreement of the two ways, and no panic whatever
//! arrives.

use super::{
    decode::{decode, decode_fast, decode_only_thoroughly, encode},
    direction::{Dialect, Direction},
    discovery::{decode_discovery_request, decode_discovery_response},
    envelope::Envelope,
    strategies::{discovery_request, discovery_response, envelope, setting},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn any_envelope() -> impl Strategy<Value = (Envelope, Direction, Dialect)> {
    setting()
        .prop_flat_map(|(direction, dialect)| (envelope(direction, dialect), Just(direction), Just(dialect)))
}

/// The same value with members of every object sorted by a keyed hash of their names.
fn reordered(value: &Value, key: u64) -> Value {
    match value {
        Value::Object(members) => {
            let mut pairs: Vec<_> = members.iter().collect();
            pairs.sort_by_key(|(name, _)| {
                name.bytes().fold(key, |hash, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                })
            });
            pairs
                .into_iter()
                .map(|(name, value)| (name.clone(), reordered(value, key)))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(entries) => entries.iter().map(|entry| reordered(entry, key)).collect(),
        leaf => leaf.clone(),
    }
}

fn type_first(message: &mut Value) {
    if let Some(data) = message.get_mut("data").and_then(Value::as_object_mut)
        && let Some(message_type) = data.shift_remove("messageType")
    {
        data.shift_insert(0, "messageType".to_owned(), message_type);
    }
}

fn type_last(message: &mut Value) {
    if let Some(data) = message.get_mut("data").and_then(Value::as_object_mut)
        && let Some(message_type) = data.shift_remove("messageType")
    {
        data.insert("messageType".to_owned(), message_type);
    }
}

/// Every place in a value, as JSON pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                places(value, &format!("{here}/{name}"), found);
            }
        }
        Value::Array(entries) => {
            for (index, value) in entries.iter().enumerate() {
                places(value, &format!("{here}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[derive(Clone, Debug)]
enum Mutation {
    Replace(Value),
    Remove,
    Rename(String),
    Add(String, Value),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let odd = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(7.0),
        json!(0.5),
        json!(1e30),
        json!(u64::MAX),
        json!(""),
        json!("7"),
        json!("zzzz"),
        json!("failed"),
        json!("2026-03-02T09:15:00"),
        json!("x".repeat(70)),
        json!([]),
        json!({}),
        json!([null]),
    ]);
    let name = prop::sample::select(vec![
        "messageType",
        "HEADER",
        "Node",
        "subjectId",
        "connected",
        "what/~",
    ]);
    prop_oneof![
        odd.clone().prop_map(Mutation::Replace),
        Just(Mutation::Remove),
        name.clone().prop_map(|name| Mutation::Rename(name.to_owned())),
        (name, odd).prop_map(|(name, value)| Mutation::Add(name.to_owned(), value)),
    ]
}

fn mutate(message: &mut Value, at: usize, mutation: &Mutation) {
    let mut found = Vec::new();
    places(message, "", &mut found);
    let place = &found[at % found.len()];
    let (parent, name) = place.rsplit_once('/').unwrap_or(("", ""));
    match mutation {
        Mutation::Replace(value) => {
            if let Some(target) = message.pointer_mut(place) {
                *target = value.clone();
            }
        }
        Mutation::Add(name, value) => {
            if let Some(Value::Object(members)) = message.pointer_mut(place) {
                members.insert(name.clone(), value.clone());
            }
        }
        Mutation::Remove => match message.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.shift_remove(name);
            }
            Some(Value::Array(entries)) => {
                entries.pop();
            }
            _ => {}
        },
        Mutation::Rename(new) => {
            if let Some(Value::Object(members)) = message.pointer_mut(parent)
                && let Some(value) = members.shift_remove(name)
            {
                members.insert(new.clone(), value);
            }
        }
    }
}

/// Both ways must tell the same about a frame.
fn agree(frame: &[u8], direction: Direction, dialect: Dialect) -> Result<(), TestCaseError> {
    let thorough = decode_only_thoroughly(frame, direction, dialect);
    let public = decode(frame, direction, dialect);
    prop_assert_eq!(&public, &thorough);
    let fast = std::str::from_utf8(frame)
        .ok()
        .and_then(|text| decode_fast(text, direction, dialect).ok());
    prop_assert_eq!(
        fast.is_some(),
        thorough.oddities.is_empty(),
        "{:?}",
        thorough.oddities
    );
    if let Some(fast) = fast {
        prop_assert_eq!(
            serde_json::to_value(fast).ok(),
            thorough
                .value
                .and_then(|envelope| serde_json::to_value(envelope).ok())
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn messages_survive_the_round_trip((envelope, direction, dialect) in any_envelope()) {
        let frame = encode(&envelope);
        let decoded = decode(&frame, direction, dialect);
        prop_assert_eq!(&decoded.oddities, &[]);
        prop_assert_eq!(decoded.value.as_ref(), Some(&envelope));
        let text = std::str::from_utf8(&frame).unwrap();
        let fast = decode_fast(text, direction, dialect);
        prop_assert!(fast.is_ok(), "{:?}", fast);
        agree(&frame, direction, dialect)?;
    }

    #[test]
    fn member_order_does_not_matter(
        (envelope, direction, dialect) in any_envelope(),
        key in any::<u64>(),
    ) {
        let message = serde_json::to_value(&envelope).unwrap();
        let mut shuffled = reordered(&message, key);
        for arrange in [|_: &mut Value| {}, type_first, type_last] {
            arrange(&mut shuffled);
            let frame = shuffled.to_string();
            let decoded = decode(frame.as_bytes(), direction, dialect);
            prop_assert_eq!(&decoded.oddities, &[]);
            let again = decoded.value.map(|envelope| serde_json::to_value(envelope).unwrap());
            prop_assert_eq!(again.as_ref(), Some(&message));
            prop_assert!(decode_fast(&frame, direction, dialect).is_ok());
        }
    }

    #[test]
    fn both_ways_agree_about_damaged_messages(
        (envelope, direction, dialect) in any_envelope(),
        damage in prop::collection::vec((any::<usize>(), mutation()), 1..3),
    ) {
        let mut message = serde_json::to_value(&envelope).unwrap();
        for (at, mutation) in &damage {
            mutate(&mut message, *at, mutation);
        }
        agree(message.to_string().as_bytes(), direction, dialect)?;
    }

    #[test]
    fn both_ways_agree_about_damaged_text(
        (envelope, direction, dialect) in any_envelope(),
        at in any::<usize>(),
        splice in prop::sample::select(vec![&b""[..], b",", b"\"", b"\\u0041", b"\\ud800", b"\xff", b"}", b" 1", b"null"]),
        cut in 0_usize..12,
    ) {
        let mut frame = encode(&envelope);
        let at = at % (frame.len() + 1);
        let end = (at + cut).min(frame.len());
        frame.splice(at..end, splice.iter().copied());
        agree(&frame, direction, dialect)?;
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        (direction, dialect) in setting(),
    ) {
        let decoded = decode(&bytes, direction, dialect);
        prop_assert!(!decoded.oddities.is_empty());
        prop_assert!(!decode_discovery_request(&bytes).is_valid());
        prop_assert!(!decode_discovery_response(&bytes).is_valid());
    }

    #[test]
    fn discovery_survives_the_round_trip(request in discovery_request(), response in discovery_response()) {
        let decoded = decode_discovery_request(&serde_json::to_vec(&request).unwrap());
        prop_assert_eq!(&decoded.oddities, &[]);
        prop_assert_eq!(decoded.value, Some(request));
        let decoded = decode_discovery_response(&serde_json::to_vec(&response).unwrap());
        prop_assert_eq!(&decoded.oddities, &[]);
        prop_assert_eq!(decoded.value, Some(response));
    }
}

#[test]
fn deep_nesting_is_refused_without_harm() {
    let bomb = format!(
        r#"{{"header":{{}},"data":{{"messageType":"ack","x":{}{}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for direction in Direction::ALL {
        assert!(!decode(bomb.as_bytes(), direction, Dialect::Seed).is_valid());
    }
}
