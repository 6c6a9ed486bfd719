//! Properties of the codecs of this protocol.

use super::{
    Command, Dialect, Event,
    core::{Call, ListedUpdate, TokenAnswer, decode_results, decode_update_list, encode_update_list},
    socket::{SocketEvent, SocketReply},
    strategies::{call, command, event, listed_update, text_command},
    text::{self, Keywords},
};
use crate::testing::reverse_members;
use proptest::{collection::vec, prelude::*};

fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Rustc), Just(Dialect::Serde)]
}

proptest! {
    #[test]
    fn commands_survive_the_wire((dialect, command) in dialect().prop_flat_map(|d| (Just(d), command(d)))) {
        let text = command.encode(dialect).unwrap();
        let decoded = Command::decode(text.as_bytes(), dialect);
        prop_assert_eq!(&decoded.oddities, &[]);
        prop_assert_eq!(decoded.value.as_ref(), Some(&command));
        let turned = reverse_members(&command.to_value(dialect).unwrap()).to_string();
        prop_assert_eq!(Command::decode(turned.as_bytes(), dialect).value, Some(command));
    }

    #[test]
    fn events_survive_the_wire((dialect, event) in dialect().prop_flat_map(|d| (Just(d), event(d)))) {
        let text = event.encode(dialect).unwrap();
        let decoded = Event::decode(text.as_bytes(), dialect);
        prop_assert_eq!(&decoded.oddities, &[]);
        prop_assert_eq!(decoded.value.as_ref(), Some(&event));
        let turned = reverse_members(&event.to_value(dialect).unwrap()).to_string();
        prop_assert_eq!(Event::decode(turned.as_bytes(), dialect).value, Some(event.clone()));
        let wrapped = SocketEvent::of(&event);
        if let Some(wrapped) = wrapped {
            let decoded = SocketEvent::decode(wrapped.to_value().to_string().as_bytes());
            prop_assert_eq!(decoded.value.map(SocketEvent::into_event), Some(event));
        }
    }

    #[test]
    fn the_other_dialect_is_noticed((spoken, event) in dialect().prop_flat_map(|d| (Just(d), event(d)))) {
        let other = if spoken == Dialect::Rustc { Dialect::Serde } else { Dialect::Rustc };
        let text = event.encode(spoken).unwrap();
        if let Some(detected) = Dialect::detect(text.as_bytes()) {
            prop_assert_eq!(detected, spoken);
            let decoded = Event::decode(text.as_bytes(), other);
            prop_assert!(!decoded.is_valid());
            prop_assert_eq!(decoded.value, Some(event));
        }
    }

    #[test]
    fn text_commands_read_back(
        (dialect, command) in dialect().prop_flat_map(|d| (Just(d), text_command(d))),
        short in any::<bool>(),
        tail in "(|;|\r\n|\n; ls)",
    ) {
        let keywords = if short { Keywords::Short } else { Keywords::Long };
        let mut line = text::format(&command, dialect, keywords).unwrap();
        if dialect == Dialect::Rustc {
            line.push_str(&tail);
        }
        prop_assert_eq!(text::parse(line.as_bytes(), dialect), Ok(command));
    }

    #[test]
    fn lists_read_back(
        (dialect, list) in dialect().prop_flat_map(|d| (Just(d), vec(listed_update(d), 0..4))),
    ) {
        let list: Vec<ListedUpdate> = list;
        let bytes = encode_update_list(&list).to_string();
        let decoded = decode_update_list(bytes.as_bytes(), dialect);
        prop_assert_eq!(decoded.oddities, []);
        prop_assert_eq!(decoded.value, Some(list));
    }

    #[test]
    fn calls_read_back(call in call()) {
        prop_assert_eq!(Call::parse(call.method(), &call.target()), Ok(call));
    }

    #[test]
    fn no_bytes_upset_a_decoder(bytes in vec(any::<u8>(), 0..100), text in ".{0,60}", dialect in dialect()) {
        for input in [&bytes[..], text.as_bytes()] {
            Command::decode(input, dialect);
            Event::decode(input, dialect);
            SocketEvent::decode(input);
            SocketReply::decode(input, dialect);
            let _ = text::parse(input, dialect);
            TokenAnswer::decode(input);
            decode_results(input);
            decode_update_list(input, dialect);
        }
        let _ = Call::parse("GET", &text);
        let _ = super::console::LogLine::parse(&text);
        let _ = super::console::find_outcome(&text);
        let _ = super::core::read_basic(&text);
    }
}
