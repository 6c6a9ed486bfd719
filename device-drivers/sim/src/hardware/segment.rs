//! The network segment around a simulated unit, on which a tap sees whom it asks for.

use hil_wire::edge_poll::Subnet;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, net::IpAddr};

/// A segment with a tap, like that of a real lab.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    seen: BTreeSet<IpAddr>,
    /// What was not told yet.
    fresh: Vec<IpAddr>,
}

impl Segment {
    /// What the unit is told to search, inside the larger segment.
    pub(crate) const SUBNET: &str = "10.91.0.16/28";

    /// The unit asks for every address of a subnet; the tap sees those of its segment, each once.
    pub(crate) fn search(&mut self, subnet: &Subnet) {
        for address in subnet.addresses().filter(|address| within(*address, SEGMENT)) {
            if self.seen.insert(address) {
                self.fresh.push(address);
            }
        }
    }

    /// What the tap saw since it was last asked: facts of one packet each.
    pub(crate) fn take(&mut self) -> Vec<Map<String, Value>> {
        let fresh = std::mem::take(&mut self.fresh).into_iter();
        let facts = fresh.map(|to| {
            let inside = within(to, Segment::SUBNET);
            json!({"to": to.to_string(), "kind": "arp", "inside": inside})
        });
        facts.filter_map(|facts| facts.as_object().cloned()).collect()
    }
}

fn within(address: IpAddr, range: &str) -> bool {
    range.parse::<Subnet>().is_ok_and(|range| range.contains(address))
}

const SEGMENT: &str = "10.91.0.0/24";
