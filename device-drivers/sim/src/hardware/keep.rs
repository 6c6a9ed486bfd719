//! Hardware as bytes, so that a unit can outlive the process it is simulated in.

use super::{Counter, Flash, Hardware, Service, Slot};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// One line of JSON; after it the bytes of files and slots in its order.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    capacity: u64,
    ballast: u64,
    writes: u64,
    files: Vec<(String, usize)>,
    slots: Vec<KeptSlot>,
    active_slot: usize,
    services: BTreeMap<String, KeptService>,
    wall_offset_us: i64,
    /// Lead, wraps and last reading of the counter.
    #[serde(default)]
    counter: (u32, u32, u32),
    boots: u32,
    observations: BTreeMap<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptSlot {
    length: usize,
    committed: bool,
    boots: u32,
    #[serde(default)]
    torn: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptService {
    starts: u64,
    start_seconds: f64,
    broken: bool,
}

/// What two equal values of mean that nothing was changed between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mark {
    changes: (u64, u64),
    slots: Vec<(usize, bool, u32)>,
    active_slot: usize,
    services: Vec<(u64, bool)>,
    wall_offset_us: i64,
    counter: (u32, u32),
    boots: u32,
}

impl Hardware {
    /// Everything but what a power cut takes away.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let services = self.services.iter().map(|(name, service)| {
            let kept = KeptService {
                starts: service.starts,
                start_seconds: service.start_time.as_secs_f64(),
                broken: service.broken,
            };
            (name.clone(), kept)
        });
        let slots = self.slots.iter().map(|slot| KeptSlot {
            length: slot.image.len(),
            committed: slot.committed,
            boots: slot.boots,
            torn: slot.torn,
        });
        let flash = &self.flash;
        let head = Head {
            version: VERSION,
            capacity: flash.capacity,
            ballast: flash.ballast,
            writes: flash.writes,
            files: flash
                .files
                .iter()
                .map(|(name, bytes)| (name.clone(), bytes.len()))
                .collect(),
            slots: slots.collect(),
            active_slot: self.active_slot,
            services: services.collect(),
            wall_offset_us: self.wall_offset_us,
            counter: (self.counter.ahead, self.counter.wraps, self.counter.last),
            boots: self.boots,
            observations: self.observations.clone(),
        };
        // Such values always are JSON; an empty head would be refused by the reader.
        let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
        bytes.push(b'\n');
        for file in flash.files.values() {
            bytes.extend_from_slice(file);
        }
        for slot in &self.slots {
            bytes.extend_from_slice(&slot.image);
        }
        bytes
    }

    /// The hardware of such bytes; `None` if they are damaged or of another version.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Hardware> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        if head.version != VERSION {
            return None;
        }
        let mut rest = &bytes[end + 1..];
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at_checked(length)?;
            rest = left;
            Some(taken)
        };
        let mut flash = Flash::new(head.capacity);
        for (name, length) in head.files {
            let bytes = take(length)?;
            flash.account(&name, length);
            flash.files.insert(name, bytes.to_vec());
        }
        flash.ballast = head.ballast;
        flash.writes = head.writes;
        let mut slots = Vec::new();
        for slot in head.slots {
            slots.push(Slot {
                image: Arc::from(take(slot.length)?),
                committed: slot.committed,
                boots: slot.boots,
                torn: slot.torn,
            });
        }
        let services = head.services.into_iter().map(|(name, kept)| {
            let service = Service {
                starts: kept.starts,
                active_since: None,
                start_time: Duration::try_from_secs_f64(kept.start_seconds).unwrap_or_default(),
                broken: kept.broken,
            };
            (name, service)
        });
        Some(Hardware {
            flash,
            slots,
            active_slot: head.active_slot,
            services: services.collect(),
            wall_offset_us: head.wall_offset_us,
            counter: Counter {
                ahead: head.counter.0,
                wraps: head.counter.1,
                last: head.counter.2,
            },
            boots: head.boots,
            observations: head.observations,
            ..Hardware::default()
        })
    }

    /// Where it stands.
    pub(crate) fn mark(&self) -> Mark {
        let slots = self.slots.iter();
        let slots = slots.map(|slot| (slot.image.as_ptr().addr(), slot.committed, slot.boots));
        let services = self.services.values();
        Mark {
            changes: (self.flash.changes, self.observed_changes),
            slots: slots.collect(),
            active_slot: self.active_slot,
            services: services.map(|service| (service.starts, service.broken)).collect(),
            wall_offset_us: self.wall_offset_us,
            counter: (self.counter.ahead, self.counter.wraps),
            boots: self.boots,
        }
    }
}

const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn hardware() -> Hardware {
        let mut hardware = Hardware {
            flash: Flash::new(1000),
            boots: 3,
            active_slot: 1,
            ..Hardware::default()
        };
        hardware.flash.write("a", b"12\n34".to_vec()).unwrap();
        hardware.flash.write("state/b", Vec::new()).unwrap();
        hardware.flash.leave_free(100);
        hardware.slots = vec![Slot::default(); 2];
        hardware.slots[1].image = Arc::from(&b"\nimage\n"[..]);
        hardware.slots[1].committed = true;
        hardware.services.insert("agent".into(), Service::new());
        hardware.count("commits");
        hardware
    }

    #[test]
    fn what_is_kept_comes_back() {
        let before = hardware();
        let after = Hardware::from_bytes(&before.to_bytes()).unwrap();
        assert_eq!(after.flash.read("a"), before.flash.read("a"));
        assert_eq!(after.flash.read("state/b"), Some(&b""[..]));
        assert_eq!(
            (after.flash.free(), after.flash.writes()),
            (before.flash.free(), before.flash.writes())
        );
        assert_eq!((&after.slots, &after.services), (&before.slots, &before.services));
        assert_eq!((after.boots, after.counted("commits")), (3, 1));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let bytes = hardware().to_bytes();
        for end in 0..bytes.len() {
            assert!(Hardware::from_bytes(&bytes[..end]).is_none(), "{end}");
        }
    }

    #[test]
    fn every_change_moves_the_mark() {
        let mut hardware = hardware();
        let mut mark = hardware.mark();
        let changes: [fn(&mut Hardware); 6] = [
            |hardware| hardware.flash.write("a", b"x".to_vec()).unwrap(),
            |hardware| hardware.flash.erase(),
            |hardware| assert_eq!(hardware.flash.leave_free(1), 1),
            |hardware| hardware.count("commits"),
            |hardware| hardware.slots[0].image = Arc::from(&b"new"[..]),
            |hardware| hardware.slots[0].committed = true,
        ];
        for change in changes {
            assert_eq!(mark, hardware.mark());
            change(&mut hardware);
            assert_ne!(mark, hardware.mark());
            mark = hardware.mark();
        }
    }
}
