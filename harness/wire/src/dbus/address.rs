//! Addresses of buses, such as `unix:path=/run/bus` and `tcp:host=127.0.0.1,port=4000`.

use std::fmt;

/// Where a bus listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusAddress {
    /// Path of a Unix socket.
    Path(String),
    /// Host and port.
    Host(String, u16),
}

impl BusAddress {
    /// The first address of a list that is of a known transport; `None` if there is none.
    pub fn parse(text: &str) -> Option<BusAddress> {
        text.split(';').find_map(BusAddress::parse_one)
    }

    fn parse_one(text: &str) -> Option<BusAddress> {
        let (transport, pairs) = text.split_once(':')?;
        let value = |wanted: &str| {
            let pairs = pairs.split(',').filter_map(|pair| pair.split_once('='));
            let mut fitting = pairs.filter(|(name, _)| *name == wanted);
            let value = fitting.next()?.1;
            let decoded = percent_encoding::percent_decode_str(value);
            decoded.decode_utf8().ok().map(|value| value.into_owned())
        };
        match transport {
            "unix" => value("path").map(BusAddress::Path),
            "tcp" => Some(BusAddress::Host(value("host")?, value("port")?.parse().ok()?)),
            _ => None,
        }
    }
}

impl fmt::Display for BusAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |text: &str| {
            let kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_/.*".contains(byte);
            text.bytes()
                .map(|byte| match kept(&byte) {
                    true => char::from(byte).to_string(),
                    false => format!("%{byte:02x}"),
                })
                .collect::<String>()
        };
        match self {
            BusAddress::Path(path) => write!(f, "unix:path={}", escaped(path)),
            BusAddress::Host(host, port) => write!(f, "tcp:host={},port={port}", escaped(host)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let path = BusAddress::Path("/tmp/a b/bus".into());
        assert_eq!(path.to_string(), "unix:path=/tmp/a%20b/bus");
        let host = BusAddress::Host("127.0.0.1".into(), 4000);
        assert_eq!(host.to_string(), "tcp:host=127.0.0.1,port=4000");
        for address in [path, host.clone()] {
            assert_eq!(BusAddress::parse(&address.to_string()), Some(address));
        }
        let list = "launchd:env=X;tcp:family=ipv4,port=4000,host=127.0.0.1;unix:path=/x";
        assert_eq!(BusAddress::parse(list), Some(host));
        for wrong in ["", "unix:", "tcp:host=a", "tcp:host=a,port=70000", "/run/bus"] {
            assert_eq!(BusAddress::parse(wrong), None, "{wrong}");
        }
    }
}
