//! The subnet of `run_discovery`: CIDR text, its size limits and the local ranges (reference section 4).

use std::{fmt, net::IpAddr, net::Ipv4Addr, net::Ipv6Addr, str::FromStr};

/// An IPv4 subnet of /16 to /32 or an IPv6 subnet of /112 to /128, at most 65536 addresses.
/// Bits behind the prefix are allowed in the text and ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subnet {
    address: IpAddr,
    prefix: u8,
}

impl Subnet {
    /// The address as written, host bits included.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The prefix length in bits.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// How many addresses the subnet spans, at most 65536.
    pub fn address_count(&self) -> u32 {
        let bits = if self.address.is_ipv4() { 32 } else { 128 };
        1 << (bits - u32::from(self.prefix)).min(16)
    }

    /// True if the address lies inside.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.prefix);
                u64::from(own.to_bits()) >> shift == u64::from(other.to_bits()) >> shift
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.prefix);
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }

    /// Every address, lowest first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let count = self.address_count();
        let address = self.address;
        (0..count).map(move |offset| match address {
            IpAddr::V4(own) => IpAddr::V4(Ipv4Addr::from_bits((own.to_bits() & !(count - 1)) | offset)),
            IpAddr::V6(own) => IpAddr::V6(Ipv6Addr::from_bits(
                (own.to_bits() & !u128::from(count - 1)) | u128::from(offset),
            )),
        })
    }

    /// True for the private and link-local ranges, which a unit may scan unless configured otherwise.
    pub fn is_local(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => address.is_private() || address.is_link_local(),
            IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
        }
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let (address, prefix) = text.split_once('/').ok_or(SubnetError::Malformed)?;
        let address: IpAddr = address.parse().map_err(|_| SubnetError::Malformed)?;
        let plain = !prefix.is_empty()
            && prefix.bytes().all(|b| b.is_ascii_digit())
            && (prefix == "0" || !prefix.starts_with('0'));
        if !plain {
            return Err(SubnetError::Malformed);
        }
        let prefix: u8 = prefix.parse().map_err(|_| SubnetError::Malformed)?;
        let (least, most) = if address.is_ipv4() { (16, 32) } else { (112, 128) };
        if prefix > most {
            Err(SubnetError::Malformed)
        } else if prefix < least {
            Err(SubnetError::TooLarge { prefix, least })
        } else {
            Ok(Subnet { address, prefix })
        }
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Why a text is no subnet a unit may scan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    /// Not `<address>/<prefix length>`.
    #[error("not a subnet in CIDR notation")]
    Malformed,
    /// More than 65536 addresses.
    #[error("a /{prefix} is too large; /{least} is the largest")]
    TooLarge {
        /// The prefix length given.
        prefix: u8,
        /// The smallest prefix length allowed.
        least: u8,
    },
    /// Neither private nor link-local.
    #[error("not a private or link-local range")]
    NotLocal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_a_unit_may_scan() {
        for (text, count) in [
            ("192.168.10.0/28", 16),
            ("10.0.0.0/16", 65536),
            ("169.254.1.1/32", 1),
            ("fe80::/112", 65536),
            ("fd00::1/128", 1),
        ] {
            let subnet: Subnet = text.parse().unwrap();
            assert!(subnet.is_local(), "{text}");
            assert_eq!(subnet.address_count(), count, "{text}");
            assert_eq!(subnet.to_string(), text);
            assert_eq!(subnet.addresses().count(), count as usize);
            assert!(subnet.addresses().all(|a| subnet.contains(a)), "{text}");
        }
        let subnet: Subnet = "10.1.2.3/24".parse().unwrap();
        assert!(subnet.contains("10.1.2.255".parse().unwrap()));
        assert!(!subnet.contains("10.1.3.0".parse().unwrap()) && !subnet.contains("::1".parse().unwrap()));
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "192.168.1.0",
            "10.0.0.0/33",
            "10.0.0.0/024",
            "10.0.0.0/+8",
            "::/129",
            "x/24",
            "10.0.0/24",
        ] {
            assert_eq!(text.parse::<Subnet>(), Err(SubnetError::Malformed), "{text}");
        }
        for text in ["0.0.0.0/0", "10.0.0.0/15", "::/0", "fe80::/111"] {
            assert!(
                matches!(text.parse::<Subnet>(), Err(SubnetError::TooLarge { .. })),
                "{text}"
            );
        }
        assert!(!"8.8.8.0/24".parse::<Subnet>().unwrap().is_local());
    }
}
