//! A part of a run, one of several that machines share: together they run every scenario once.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// How the scenarios are dealt out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deal {
    /// In turn, as they stand in the list: the parts are of the same size.
    Slice,
    /// By their names: a scenario stays in its part, whatever else is selected.
    Hash,
}

/// One part of so many; written as `slice:1/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition {
    /// How they are dealt out.
    pub deal: Deal,
    /// Which part, from 1.
    pub part: u32,
    /// Of how many.
    pub of: u32,
}

/// Why some text is no partition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected slice:M/N or hash:M/N, with M from 1 to N")]
pub struct NoPartition;

impl Partition {
    /// Whether the scenario on a unit with that name, at that place in the list, belongs to the part.
    pub fn holds(&self, index: usize, name: &str) -> bool {
        let of = u64::from(self.of.max(1));
        let place = match self.deal {
            Deal::Slice => index as u64 % of,
            Deal::Hash => {
                let digest = Sha256::digest(name.as_bytes());
                let number: [u8; 8] = std::array::from_fn(|index| digest[index]);
                u64::from_be_bytes(number) % of
            }
        };
        place + 1 == u64::from(self.part)
    }
}

impl FromStr for Partition {
    type Err = NoPartition;

    fn from_str(text: &str) -> Result<Partition, NoPartition> {
        let (deal, rest) = text.split_once(':').ok_or(NoPartition)?;
        let deal = match deal {
            "slice" => Deal::Slice,
            "hash" => Deal::Hash,
            _ => return Err(NoPartition),
        };
        let (part, of) = rest.split_once('/').ok_or(NoPartition)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| NoPartition);
        let (part, of) = (number(part)?, number(of)?);
        match part >= 1 && part <= of {
            true => Ok(Partition { deal, part, of }),
            false => Err(NoPartition),
        }
    }
}

impl TryFrom<String> for Partition {
    type Error = NoPartition;

    fn try_from(text: String) -> Result<Partition, NoPartition> {
        text.parse()
    }
}

impl From<Partition> for String {
    fn from(partition: Partition) -> String {
        partition.to_string()
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deal = match self.deal {
            Deal::Slice => "slice",
            Deal::Hash => "hash",
        };
        write!(f, "{deal}:{}/{}", self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_are_written_as_they_are_read() {
        for text in ["slice:1/3", "hash:3/3", "slice:1/1"] {
            let read: Partition = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
            assert_eq!(serde_json::to_value(read).unwrap(), text);
        }
        for text in [
            "",
            "slice",
            "slice:0/3",
            "slice:4/3",
            "slice:1/0",
            "count:1/3",
            "slice:-1/3",
            "slice:1",
        ] {
            assert_eq!(text.parse::<Partition>(), Err(NoPartition), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_scenario_is_in_one_part(of in 1..20_u32, index in 0..500_usize, name in ".{0,20}") {
            for deal in [Deal::Slice, Deal::Hash] {
                let parts = (1..=of).filter(|part| Partition { deal, part: *part, of }.holds(index, &name));
                prop_assert_eq!(parts.count(), 1);
            }
        }
    }
}
