//! Proptest strategies for this protocol: messages without oddities in a given direction and dialect.

use super::{
    direction::{Dialect, Direction, direction_allowed},
    discovery::{DiscoveryRequest, DiscoveryResponse},
    draw::{Draw, Tape},
    envelope::{Envelope, Header},
    message::{Message, MessageType},
    report::Context,
    rule::Rules,
};
use proptest::prelude::*;

/// Any message that may travel so.
pub fn envelope(direction: Direction, dialect: Dialect) -> impl Strategy<Value = Envelope> {
    let types: Vec<MessageType> = MessageType::ALL
        .iter()
        .copied()
        .filter(|message_type| direction_allowed(*message_type, direction, dialect))
        .collect();
    proptest::sample::select(types)
        .prop_flat_map(move |message_type| envelope_of(message_type, direction, dialect))
}

/// Any message of one type, whether or not it may travel so.
pub fn envelope_of(
    message_type: MessageType,
    direction: Direction,
    dialect: Dialect,
) -> impl Strategy<Value = Envelope> {
    tape().prop_map(move |bytes| {
        let context = Context { direction, dialect };
        let mut tape = Tape::new(&bytes);
        let header = Header::draw(&mut tape, &Rules::NONE, context);
        Envelope {
            header,
            data: Message::draw(message_type, &mut tape, context),
        }
    })
}

/// A direction and a dialect.
pub fn setting() -> impl Strategy<Value = (Direction, Dialect)> {
    let directions = proptest::sample::select(Direction::ALL.to_vec());
    (directions, proptest::sample::select(Dialect::ALL.to_vec()))
}

/// Any discovery request.
pub fn discovery_request() -> impl Strategy<Value = DiscoveryRequest> {
    tape().prop_map(|bytes| Draw::draw(&mut Tape::new(&bytes), &Rules::NONE, DISCOVERY_REQUEST))
}

/// Any discovery answer.
pub fn discovery_response() -> impl Strategy<Value = DiscoveryResponse> {
    tape().prop_map(|bytes| Draw::draw(&mut Tape::new(&bytes), &Rules::NONE, DISCOVERY_RESPONSE))
}

fn tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..4000)
}

const DISCOVERY_REQUEST: Context = Context {
    direction: Direction::UnitToCloud,
    dialect: Dialect::Seed,
};
const DISCOVERY_RESPONSE: Context = Context {
    direction: Direction::CloudToUnit,
    dialect: Dialect::Seed,
};
