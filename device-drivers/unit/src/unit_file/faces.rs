//! Where a unit listens that is itself the server.

use hil_link::Address;
use hil_wire::Protocol;

/// Names of the faces a unit of a protocol may have; empty if units of it never listen.
pub fn faces_of(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::EdgePoll | Protocol::AosV7 => &[],
        Protocol::DeviceCommand => &["device-direct"],
        Protocol::Sota => &[
            "sota-http",
            "sota-websocket",
            "sota-commands",
            "sota-events",
            "sota-console",
            "sota-bus",
        ],
        Protocol::OtaRpc => &["rpc-http", "rpc-websocket", "rpc-serial"],
    }
}

/// Whether a face may be the standard input and output of a process, written [`STDIO`].
pub(super) fn may_be_stdio(face: &str) -> bool {
    face == "sota-console"
}

/// The address of a face that is the standard input and output of the process.
pub(super) const STDIO: &str = "stdio";

/// The faces one of which a unit of a protocol needs for an optional feature, as far as hil can use it; empty if it
/// needs none.
pub fn faces_of_feature(protocol: Protocol, feature: &str) -> &'static [&'static str] {
    match (protocol, feature) {
        (Protocol::DeviceCommand, "direct-mode") => &["device-direct"],
        (Protocol::Sota, "http") => &["sota-http"],
        (Protocol::Sota, "websocket") => &["sota-websocket"],
        (Protocol::Sota, "socket") => &["sota-commands"],
        (Protocol::Sota, "console") => &["sota-console"],
        (Protocol::Sota, "d-bus") => &["sota-bus"],
        (Protocol::OtaRpc, "http") => &["rpc-http"],
        // One server may do both.
        (Protocol::OtaRpc, "websocket") => &["rpc-websocket", "rpc-http"],
        (Protocol::OtaRpc, "uart") => &["rpc-serial"],
        _ => &[],
    }
}

/// An address the way people write it: `host:port`, `[::1]:port`, or an absolute path of a Unix socket or serial
/// line.
pub fn parse_address(text: &str) -> Option<Address> {
    if text.starts_with('/') {
        return Some(Address::Path(text.to_owned()));
    }
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let usable = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/@[]".contains(c));
    usable.then(|| Address::Host(host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let host = |host: &str, port| Some(Address::Host(host.to_owned(), port));
        assert_eq!(parse_address("127.0.0.1:8080"), host("127.0.0.1", 8080));
        assert_eq!(parse_address("board.local:80"), host("board.local", 80));
        assert_eq!(parse_address("[::1]:80"), host("::1", 80));
        assert_eq!(
            parse_address("/run/x.sock"),
            Some(Address::Path("/run/x.sock".into()))
        );
        for wrong in [
            "",
            "8080",
            ":80",
            "host:",
            "host:70000",
            "::1:80",
            "[::1:80",
            "http://a:80",
        ] {
            assert_eq!(parse_address(wrong), None, "{wrong}");
        }
    }
}
