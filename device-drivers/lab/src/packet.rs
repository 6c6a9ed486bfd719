//! Packets as a tap sees them: whom they ask for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is known of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Who sent it.
    pub(crate) from: IpAddr,
    /// Whom it is for, or asks for.
    pub(crate) to: IpAddr,
    /// `arp`, `icmp`, `tcp`, `udp` or `ip`.
    pub(crate) kind: &'static str,
    /// Whether it answers something that came before: a probe asks.
    pub(crate) answers: bool,
}

impl Seen {
    /// Reads a packet without its link header, as a packet socket of kind `DGRAM` gives it: an IP packet, or ARP. `None` if it
    /// is neither, or cut short.
    pub(crate) fn read(packet: &[u8]) -> Option<Seen> {
        match packet.first()? >> 4 {
            4 => Self::version_4(packet),
            6 => Self::version_6(packet),
            0 => Self::arp(packet),
            _ => None,
        }
    }

    /// RFC 791.
    fn version_4(packet: &[u8]) -> Option<Seen> {
        let header = usize::from(packet[0] & 0xf) * 4;
        let of = |at: usize| {
            packet
                .get(at..at + 4)
                .and_then(|four| <[u8; 4]>::try_from(four).ok())
        };
        let (kind, answers) = transport(*packet.get(9)?, packet.get(header..)?);
        Some(Seen {
            from: Ipv4Addr::from(of(12)?).into(),
            to: Ipv4Addr::from(of(16)?).into(),
            kind,
            answers,
        })
    }

    /// RFC 8200; a neighbour solicitation (RFC 4861) asks for its target.
    fn version_6(packet: &[u8]) -> Option<Seen> {
        let of = |at: usize| {
            packet
                .get(at..at + 16)
                .and_then(|of| <[u8; 16]>::try_from(of).ok())
        };
        let (next, rest) = (*packet.get(6)?, packet.get(40..)?);
        let solicits = next == ICMP_6 && rest.first() == Some(&NEIGHBOUR_SOLICITATION);
        let to = if solicits { of(48)? } else { of(24)? };
        let (kind, answers) = transport(next, rest);
        Some(Seen {
            from: Ipv6Addr::from(of(8)?).into(),
            to: Ipv6Addr::from(to).into(),
            kind,
            answers,
        })
    }

    /// RFC 826, for IPv4 over Ethernet.
    fn arp(packet: &[u8]) -> Option<Seen> {
        if packet.get(..6)? != [0, 1, 8, 0, 6, 4] {
            return None;
        }
        let of = |at: usize| {
            packet
                .get(at..at + 4)
                .and_then(|four| <[u8; 4]>::try_from(four).ok())
        };
        Some(Seen {
            from: Ipv4Addr::from(of(14)?).into(),
            to: Ipv4Addr::from(of(24)?).into(),
            kind: "arp",
            answers: packet.get(7)? != &1,
        })
    }
}

/// The kind of what is inside, and whether it answers.
fn transport(protocol: u8, inside: &[u8]) -> (&'static str, bool) {
    let first = inside.first().copied().unwrap_or_default();
    match protocol {
        1 => ("icmp", first != ECHO_REQUEST),
        ICMP_6 => ("icmp", !matches!(first, ECHO_REQUEST_6 | NEIGHBOUR_SOLICITATION)),
        // Only a SYN without an ACK asks for a connection.
        6 => ("tcp", inside.get(13).is_none_or(|flags| flags & 0x12 != 0x02)),
        17 => ("udp", false),
        _ => ("ip", false),
    }
}

/// Addresses with a common beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    base: IpAddr,
    bits: u32,
}

impl Range {
    /// Reads `10.91.0.16/28`.
    pub(crate) fn parse(text: &str) -> Option<Range> {
        let (base, bits) = text.split_once('/')?;
        let base: IpAddr = base.parse().ok()?;
        let bits: u32 = bits.parse().ok()?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        (bits <= longest).then_some(Range { base, bits })
    }

    /// Whether an address is one of them.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (one, other, longest) = match (self.base, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                (u128::from(one.to_bits()), u128::from(other.to_bits()), 32)
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        let shift = longest - self.bits;
        one.checked_shr(shift).unwrap_or_default() == other.checked_shr(shift).unwrap_or_default()
    }
}

const ICMP_6: u8 = 58;
const ECHO_REQUEST: u8 = 8;
const ECHO_REQUEST_6: u8 = 128;
const NEIGHBOUR_SOLICITATION: u8 = 135;

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn version_4(protocol: u8, inside: &[u8]) -> Vec<u8> {
        let mut packet = vec![
            0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 5, 10, 91, 0, 17,
        ];
        packet.extend_from_slice(inside);
        packet
    }

    #[test]
    fn packets_say_whom_they_ask_for() {
        let tcp = |flags: u8| version_4(6, &[1, 2, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags]);
        let seen = |kind, answers| {
            Some(Seen {
                from: ip("10.0.0.5"),
                to: ip("10.91.0.17"),
                kind,
                answers,
            })
        };
        assert_eq!(Seen::read(&tcp(0x02)), seen("tcp", false));
        assert_eq!(Seen::read(&tcp(0x12)), seen("tcp", true));
        assert_eq!(Seen::read(&tcp(0x14)), seen("tcp", true));
        assert_eq!(Seen::read(&version_4(1, &[8, 0])), seen("icmp", false));
        assert_eq!(Seen::read(&version_4(1, &[0, 0])), seen("icmp", true));
        assert_eq!(Seen::read(&version_4(17, &[0; 8])), seen("udp", false));
        let arp = |operation: u8| {
            let mut packet = vec![0, 1, 8, 0, 6, 4, 0, operation, 1, 1, 1, 1, 1, 1, 10, 0, 0, 5];
            packet.extend([0, 0, 0, 0, 0, 0, 10, 91, 0, 17]);
            packet
        };
        assert_eq!(Seen::read(&arp(1)), seen("arp", false));
        assert_eq!(Seen::read(&arp(2)), seen("arp", true));
        for length in 0..arp(1).len() {
            assert_eq!(Seen::read(&arp(1)[..length]), None, "{length}");
        }
        for length in 0..20 {
            assert_eq!(Seen::read(&tcp(2)[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_neighbour_is_asked_for_by_its_own_address() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 24, 58, 255];
        packet.extend(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 5).octets());
        packet.extend(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0x17).octets());
        packet.extend([135, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x17).octets());
        let seen = Seen::read(&packet).unwrap();
        assert_eq!(
            (seen.to, seen.kind, seen.answers),
            (ip("fd00::17"), "icmp", false)
        );
    }

    #[test]
    fn ranges_have_addresses() {
        let range = |text| Range::parse(text).unwrap();
        assert!(range("10.91.0.16/28").contains(ip("10.91.0.31")));
        assert!(!range("10.91.0.16/28").contains(ip("10.91.0.32")));
        assert!(!range("10.91.0.16/28").contains(ip("::1")));
        assert!(range("0.0.0.0/0").contains(ip("10.91.0.32")));
        assert!(range("fd00::/120").contains(ip("fd00::17")));
        for wrong in ["10.0.0.0/33", "10.0.0.0", "ten/8", "::/129"] {
            assert_eq!(Range::parse(wrong), None, "{wrong}");
        }
    }
}
