//! The stored state of instances: `newState`, `stateAcceptance`, `updateState`, `stateRequest` (reference
//! sections 3.4, 3.5, 3.20, 3.21) and its checksum.

use super::{
    identity::{Identity, IdentityRule},
    object::{names, object},
    rule::{Missing, Rules, TextRule},
    text::Text,
};
use sha3::{Digest, Sha3_224};

/// The checksum of a state text as units of version 9.1.1 make it: 56 lower-case hex digits of SHA3-224.
pub fn state_checksum(text: &str) -> String {
    hex::encode(Sha3_224::digest(text.as_bytes()))
}

fn matches(checksum: &str, state: &str) -> bool {
    checksum.eq_ignore_ascii_case(&state_checksum(state))
}

object! {
    /// The unit uploads the state of an instance.
    #[derive(Default)]
    pub struct NewState<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// The item.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// The subject.
        "subject" => required subject: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// Number of the instance.
        "instance" => expected instance: u64 = Rules::NONE.missing(Missing::InvalidFromUnit);
        /// Hex checksum of the text, see [`state_checksum`].
        "stateChecksum" => required state_checksum: S = Rules::text(TextRule::StateChecksum);
        /// The state, at most 65536 bytes.
        "state" => required state: S = Rules::text(TextRule::Limit(65_536));
    }
}

impl<S: Text> NewState<S> {
    /// True if the checksum is the SHA3-224 of the text. Another algorithm may be agreed on, so a difference
    /// is no oddity of the message.
    pub fn checksum_matches(&self) -> bool {
        matches(self.state_checksum.as_ref(), self.state.as_ref())
    }
}

object! {
    /// The cloud gives an instance a new state.
    #[derive(Default)]
    pub struct UpdateState<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// The item.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::USUALLY_ID);
        /// The subject.
        "subject" => required subject: Identity<S> = Rules::identity(IdentityRule::USUALLY_ID);
        /// Number of the instance.
        "instance" => expected instance: u64 = Rules::NONE.missing(Missing::InvalidFromUnit);
        /// Hex checksum of the text, see [`state_checksum`].
        "stateChecksum" => required state_checksum: S = Rules::text(TextRule::StateChecksum);
        /// The state, at most 65536 bytes.
        "state" => required state: S = Rules::text(TextRule::Limit(65_536));
    }
}

impl<S: Text> UpdateState<S> {
    /// True if the checksum is the SHA3-224 of the text. Another algorithm may be agreed on, so a difference
    /// is no oddity of the message.
    pub fn checksum_matches(&self) -> bool {
        matches(self.state_checksum.as_ref(), self.state.as_ref())
    }
}

names! {
    /// What became of a state.
    pub enum StateResult {
        /// Taken.
        Accepted = "accepted",
        /// Refused.
        Rejected = "rejected",
    }
}

object! {
    /// The receiver of a state accepts or rejects it. In the seed dialect the unit sends it, in the publisher
    /// dialect the cloud.
    pub struct StateAcceptance<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// The item.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// The subject.
        "subject" => required subject: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// Number of the instance.
        "instance" => expected instance: u64 = Rules::NONE.missing(Missing::InvalidFromUnit);
        /// Checksum of the state in question.
        "checksum" => required checksum: S = Rules::text(TextRule::StateChecksum);
        /// The decision.
        "result" => required result: StateResult;
        /// Why; may be empty.
        "reason" => required reason: S = Rules::most(256);
    }
}

object! {
    /// Asks for the state of an instance. In the seed dialect the cloud asks, in the publisher dialect the unit.
    #[derive(Default)]
    pub struct StateRequest<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// The item.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// The subject.
        "subject" => required subject: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// Number of the instance.
        "instance" => expected instance: u64 = Rules::NONE.missing(Missing::InvalidFromUnit);
        /// True for the initial state, false for the latest.
        "default" => required default: bool;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_sha3_224() {
        let text = r#"{"odometer":1042,"mode":"eco"}"#;
        assert_eq!(
            state_checksum(text),
            "c8ea31ce74ffa34b65cc6baf96313fb5c9c9bbc64837f35a3993a8dd"
        );
        let state = NewState {
            state_checksum: state_checksum(text).to_uppercase(),
            state: text.to_owned(),
            ..NewState::default()
        };
        assert!(state.checksum_matches());
    }
}
