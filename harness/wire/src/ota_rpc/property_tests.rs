//! Properties of the codecs of this protocol.

use super::{
    Frame, archive, decode, encode, encode_ascii,
    strategies::{archive as any_archive, call, frame, json_value, serial_piece},
    uart::{Deframer, Event, Side, caller_line},
};
use crate::{http::Request, testing::reverse_members};
use proptest::{collection::vec, prelude::*};

fn chunks<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.push(0);
    cuts.push(bytes.len());
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn frames_survive_the_wire(frame in frame()) {
        for bytes in [encode(&frame), encode_ascii(&frame)] {
            let decoded = decode(&bytes);
            prop_assert!(decoded.first_invalid().is_none(), "{:?}", decoded.oddities);
            prop_assert_eq!(decoded.value.as_ref(), Some(&frame));
        }
        prop_assert!(encode_ascii(&frame).is_ascii());
    }

    #[test]
    fn member_order_means_nothing(frame in frame()) {
        let turned = reverse_members(&frame.to_value()).to_string();
        let decoded = decode(turned.as_bytes()).value;
        // arrays keep their order, objects compare without it
        prop_assert_eq!(decoded, Some(frame));
    }

    #[test]
    fn whatever_decodes_encodes_to_the_same_json(value in json_value()) {
        if let Some(frame) = Frame::from_value(value.clone()).value {
            prop_assert_eq!(frame.to_value(), value);
        }
    }

    #[test]
    fn no_bytes_upset_a_decoder(bytes in vec(any::<u8>(), 0..200), text in ".{0,60}") {
        for input in [&bytes[..], text.as_bytes()] {
            decode(input);
            let _ = super::http::parse_request(&Request { body: input.to_vec(), ..Request::new("POST", "/rpc") });
            let _ = archive::read_all(input, archive::Checks::default());
            archive::Manifest::decode(input);
        }
        let target = format!("/rpc/OTA.Update?{text}");
        let _ = super::http::parse_request(&Request::new("GET", target));
        let _ = super::digest::Challenge::from_header(&text);
        let _ = super::digest::Credentials::from_header(&format!("Digest {text}"));
        let _ = super::acl::AccessList::parse(&text);
    }

    #[test]
    fn a_truncated_frame_is_never_valid(frame in call(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&frame);
        let decoded = decode(&bytes[..cut.index(bytes.len())]);
        prop_assert!(!decoded.is_valid());
    }

    #[test]
    fn chunks_make_no_difference(
        pieces in vec(serial_piece(), 0..8),
        cuts in vec(any::<usize>(), 0..10),
        unit in any::<bool>(),
    ) {
        let side = if unit { Side::Unit } else { Side::Caller };
        let bytes = pieces.concat();
        let whole = Deframer::new(side, 4096).push(&bytes);
        let mut deframer = Deframer::new(side, 4096);
        let cut: Vec<Event> = chunks(&bytes, &cuts).into_iter().flat_map(|c| deframer.push(c)).collect();
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn flow_control_is_reported_and_taken_out(bytes in vec(any::<u8>(), 0..400)) {
        let mut deframer = Deframer::new(Side::Caller, 4096);
        let events = deframer.push(&bytes);
        let flow = bytes.iter().filter(|b| [0x11, 0x13].contains(*b)).count();
        let reported = events.iter().filter(|e| matches!(e, Event::FlowControl(_))).count();
        prop_assert_eq!(flow, reported);
        let mut plain = bytes.clone();
        plain.retain(|b| ![0x11, 0x13].contains(b));
        let others: Vec<_> = events.into_iter().filter(|e| !matches!(e, Event::FlowControl(_))).collect();
        prop_assert_eq!(Deframer::new(Side::Caller, 4096).push(&plain), others);
    }

    #[test]
    fn a_frame_after_junk_is_found(junk in vec(any::<u8>(), 0..6000), frame in call()) {
        let json = encode_ascii(&frame);
        prop_assume!(json.len() <= 4096);
        let mut deframer = Deframer::unit();
        let mut stream = junk;
        stream.push(b'\n');
        stream.extend(caller_line(&json, true));
        let events = deframer.push(&stream);
        let found = events.iter().any(|event| matches!(event, Event::Frame(f) if f.json == json));
        prop_assert!(found);
    }

    #[test]
    fn archives_read_back_from_any_chunks(builder in any_archive(), cuts in vec(any::<usize>(), 0..10)) {
        let bytes = builder.build();
        let checks = archive::Checks {
            platform: Some("esp32".into()),
            required_parts: vec!["app".into(), "fs".into()],
            max_part_size: None,
        };
        let mut reader = archive::ArchiveReader::new(checks);
        let mut ends = 0;
        for chunk in chunks(&bytes, &cuts) {
            let events = reader.push(chunk).unwrap();
            ends += events.iter().filter(|e| matches!(e, archive::ArchiveEvent::PartEnds { .. })).count();
        }
        prop_assert_eq!(ends, 2);
        prop_assert_eq!(reader.finish(), Ok(builder.manifest));
    }

    #[test]
    fn a_cut_archive_is_refused(builder in any_archive(), cut in any::<prop::sample::Index>()) {
        let bytes = builder.build();
        let members: usize = builder.members().iter().map(|m| 30 + m.name.len() + m.data.len()).sum();
        // the central directory may be missing but for its first four bytes
        let cut = cut.index(members + 4);
        prop_assert!(archive::read_all(&bytes[..cut], archive::Checks::default()).is_err());
    }
}
