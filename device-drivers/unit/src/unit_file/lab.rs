//! Instruments of the lab around a unit that stand in for probes and stimuli of its own.

use super::{DriverKind, file::STATE_DIRECTORY, parse_address, read::Reader};
use hil_diagnostic::{MapReader, Node};
use std::{net::IpAddr, time::Duration};

/// Which instruments there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lab {
    /// Sees packets on the segment that the unit searches.
    pub tap: Option<Tap>,
    /// Where the stub of a sensor module listens: `host:port`, or a path.
    pub module: Option<String>,
    /// Tells the unit its time.
    pub time_server: Option<TimeServer>,
    /// Where the server listens that resolves the unit's names, `host:port`, over UDP.
    pub names: Option<String>,
}

/// A tap: a subnet the unit is told to search, inside a larger segment that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Every address looked at, such as `10.91.0.0/24`.
    pub segment: String,
    /// What the unit is told to search, such as `10.91.0.16/28`.
    pub subnet: String,
    /// The unit's own address where others are on the segment, too; any if not said.
    pub source: Option<IpAddr>,
    /// Addresses the unit may ask for at any time, such as those of its cloud and its gateway.
    pub ignore: Vec<IpAddr>,
}

/// A time server the unit takes its clock from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeServer {
    /// Where it listens, `host:port`, over UDP.
    pub address: String,
    /// How often the unit asks, at the latest.
    pub every: Duration,
}

impl Lab {
    /// True if there is none at all.
    pub fn is_empty(&self) -> bool {
        *self == Lab::default()
    }
}

impl<'c> Reader<'c> {
    pub(super) fn lab(&mut self, map: &mut MapReader<'c>, driver: Option<DriverKind>) -> Lab {
        let Some(node) = map.optional("lab") else {
            return Lab::default();
        };
        if driver == Some(DriverKind::Sim) {
            let title = "`lab` has no meaning for driver `sim`";
            let label = "a simulated unit has all of it inside";
            self.collector
                .error(&node.head(), title, label, Some("remove it".to_owned()));
        }
        let Some(mut map) = MapReader::new(self.collector, node, "`lab`") else {
            return Lab::default();
        };
        let lab = Lab {
            tap: map.map("tap").and_then(|map| self.tap(map)),
            module: map
                .optional("module")
                .and_then(|node| self.place_of(node, "`lab.module`", true)),
            time_server: map.map("time_server").and_then(|map| self.time_server(map)),
            names: map
                .optional("names")
                .and_then(|node| self.place_of(node, "`lab.names`", false)),
        };
        map.finish();
        lab
    }

    fn tap(&self, mut map: MapReader<'c>) -> Option<Tap> {
        let (segment, subnet) = (map.required("segment"), map.required("subnet"));
        let source = map.optional("source");
        let ignore = map.list_of("ignore", |node| self.ip_address(node));
        map.finish();
        let range = |node: Option<&Node>| node.and_then(|node| self.range(node));
        let (segment, subnet) = (range(segment), range(subnet));
        let source = match source {
            None => None,
            Some(node) => Some(self.ip_address(node)?),
        };
        Some(Tap {
            segment: segment?,
            subnet: subnet?,
            source,
            ignore,
        })
    }

    fn ip_address(&self, node: &Node) -> Option<IpAddr> {
        let text = self.collector.string(node, "an address")?;
        let address = text.parse().ok();
        if address.is_none() {
            let title = format!("`{text}` is no IP address");
            self.collector
                .error(&node.span, title, "expected one such as 10.91.0.5", None);
        }
        address
    }

    fn range(&self, node: &Node) -> Option<String> {
        let text = self.collector.string(node, "a range of addresses")?;
        let parts = text.split_once('/');
        let read =
            parts.and_then(|(base, bits)| Some((base.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?)));
        let fits = read.is_some_and(|(base, bits)| bits <= if base.is_ipv4() { 32 } else { 128 });
        if !fits {
            let title = format!("`{text}` is no range of addresses");
            self.collector
                .error(&node.span, title, "expected one such as 10.91.0.0/24", None);
        }
        fits.then(|| text.to_owned())
    }

    fn time_server(&self, mut map: MapReader<'c>) -> Option<TimeServer> {
        let address = map.required("address");
        let every = map.required("every");
        map.finish();
        let (address, every) = (address?, every?);
        let address = self.place_of(address, "`lab.time_server.address`", false);
        let every = self.collector.seconds(every, "`lab.time_server.every`")?;
        Some(TimeServer {
            address: address?,
            every: Duration::try_from_secs_f64(every).ok()?,
        })
    }

    fn place_of(&self, node: &Node, what: &str, paths: bool) -> Option<String> {
        let text = self.collector.string(node, what)?;
        let is_path = text.starts_with(STATE_DIRECTORY) || text.starts_with('/');
        let fits = if is_path {
            paths
        } else {
            parse_address(text).is_some()
        };
        if !fits {
            let label = if paths {
                "expected host:port, or the absolute path of a socket"
            } else {
                "expected host:port"
            };
            self.collector
                .error(&node.span, format!("{what} is no address"), label, None);
        }
        fits.then(|| text.to_owned())
    }
}
