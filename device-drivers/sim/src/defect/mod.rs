//! Deliberate misbehaviour of simulated units: the test of the tests. Each defect names the one requirement it must trip.
//!
//! A protocol keeps its defects in one place, `<protocol>/defects`. Most change what goes in and out of an agent that knows
//! nothing of them ([`Tamper`]); the few that are decisions inside the agent are switches it asks its [`Setup`](crate::Setup)
//! for.

pub(crate) mod edits;
mod tamper;

pub(crate) use tamper::{Edge, Later, Tamper, is_of_extra_request};

use crate::{aos, device_command, edge_poll, ota_rpc, sota};
use hil_wire::Protocol;
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

/// One way to misbehave; defects of the same name are the same.
#[derive(Clone, Copy)]
pub struct Defect {
    name: &'static str,
    primary: &'static str,
    summary: &'static str,
    how: How,
}

/// How a unit comes to misbehave.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// The agent asks for this switch.
    Switch(&'static str),
    /// What reaches the agent, or what it does, is changed on the way.
    Tamper(fn() -> Box<dyn Tamper>),
    /// Both.
    Both(&'static str, fn() -> Box<dyn Tamper>),
}

impl Defect {
    /// A decision inside the agent, under a switch with the name of the defect.
    pub(crate) const fn within(name: &'static str, primary: &'static str, summary: &'static str) -> Self {
        Defect::switched(name, name, primary, summary)
    }

    /// The same, where the switch is one that several protocols share.
    pub(crate) const fn switched(
        name: &'static str,
        switch: &'static str,
        primary: &'static str,
        summary: &'static str,
    ) -> Self {
        Defect {
            name,
            primary,
            summary,
            how: How::Switch(switch),
        }
    }

    /// A change at the edge of the agent.
    pub(crate) const fn tampering(
        name: &'static str,
        primary: &'static str,
        summary: &'static str,
        make: fn() -> Box<dyn Tamper>,
    ) -> Self {
        Defect {
            name,
            primary,
            summary,
            how: How::Tamper(make),
        }
    }

    /// Both: a decision inside the agent and a change at its edge.
    pub(crate) const fn both(
        name: &'static str,
        switch: &'static str,
        primary: &'static str,
        summary: &'static str,
        make: fn() -> Box<dyn Tamper>,
    ) -> Self {
        Defect {
            name,
            primary,
            summary,
            how: How::Both(switch, make),
        }
    }

    /// All of them, protocol by protocol.
    pub fn all() -> impl Iterator<Item = Defect> + Clone {
        Protocol::ALL.into_iter().flat_map(Defect::of)
    }

    /// Those of one protocol.
    pub fn of(protocol: Protocol) -> impl Iterator<Item = Defect> + Clone {
        let tables: &'static [&'static [Defect]] = match protocol {
            Protocol::AosV7 => aos::DEFECTS,
            Protocol::EdgePoll => edge_poll::DEFECTS,
            Protocol::OtaRpc => ota_rpc::DEFECTS,
            Protocol::Sota => sota::DEFECTS,
            Protocol::DeviceCommand => device_command::DEFECTS,
        };
        tables.iter().flat_map(|table| table.iter().copied())
    }

    /// The name users write.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The requirement it violates once its stimulus reaches the unit.
    pub fn primary(self) -> &'static str {
        self.primary
    }

    /// What such a unit does, in one sentence.
    pub fn summary(self) -> &'static str {
        self.summary
    }

    /// The protocol whose units can have it: the one of its requirement.
    pub fn protocol(self) -> Option<Protocol> {
        let (prefix, _) = self.primary.split_once('-')?;
        Protocol::ALL
            .into_iter()
            .find(|protocol| protocol.requirement_prefix() == prefix)
    }

    pub(crate) fn is_switch(self, switch: &str) -> bool {
        matches!(self.how, How::Switch(own) | How::Both(own, _) if own == switch)
    }

    pub(crate) fn tamper(self) -> Option<Box<dyn Tamper>> {
        match self.how {
            How::Tamper(make) | How::Both(_, make) => Some(make()),
            How::Switch(_) => None,
        }
    }
}

impl fmt::Debug for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Defect({})", self.name)
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl PartialEq for Defect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Defect {}

impl PartialOrd for Defect {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Defect {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Defect {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// A name that is no defect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown defect `{0}`")]
pub struct UnknownDefect(pub String);

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(text: &str) -> Result<Self, UnknownDefect> {
        Defect::all()
            .find(|defect| defect.name == text)
            .ok_or_else(|| UnknownDefect(text.to_owned()))
    }
}

/// Switch: files are replaced where they are, so that a write torn by a power failure loses them.
pub(crate) const WRITES_IN_PLACE: &str = "writes-in-place";
/// Switch: the counter of milliseconds is taken for one that never wraps.
pub(crate) const COUNTER_WRAPS: &str = "counter-wraps";

/// Switch: a server may speak TLS 1.0 or 1.1.
pub(crate) const ANY_TLS_VERSION: &str = "any-tls-version";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_in_the_table_of_their_protocol() {
        let mut names = BTreeSet::new();
        for protocol in Protocol::ALL {
            for defect in Defect::of(protocol) {
                assert!(names.insert(defect.name()), "{defect} is there twice");
                assert_eq!(defect.protocol(), Some(protocol), "{defect}");
                assert_eq!(defect.name().parse(), Ok(defect));
                let summary = defect.summary();
                assert!(
                    summary.ends_with('.') && summary.len() > 20,
                    "{defect}: {summary}"
                );
                let words = defect.name().bytes();
                assert!(
                    words
                        .into_iter()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                    "{defect}"
                );
            }
        }
    }
}
