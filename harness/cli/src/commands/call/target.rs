//! Where a unit is called, as people write it.

use std::{path::PathBuf, str::FromStr};

/// Where a unit is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `POST` of a frame.
    Http {
        authority: String,
        path: String,
        secure: bool,
    },
    /// Frames as text messages.
    WebSocket {
        authority: String,
        path: String,
        secure: bool,
    },
    /// Frames on a serial line.
    Serial(PathBuf),
}

/// What was written is no such place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadTarget {
    #[error("`{0}` is no address: expected http://HOST/rpc, ws://HOST/rpc, or the path of a serial port")]
    Shape(String),
    #[error("{0}:// is not spoken here; use http://, https://, ws://, wss:// or the path of a serial port")]
    Scheme(String),
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let shape = || BadTarget::Shape(text.to_owned());
        let Some((scheme, rest)) = text.split_once("://") else {
            // A word alone is more likely a forgotten scheme than a file.
            return if text.contains('/') && text.starts_with(['/', '.']) {
                Ok(Target::Serial(text.into()))
            } else {
                Err(shape())
            };
        };
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(split);
        let path = match path {
            "" | "/" => "/rpc".to_owned(),
            path if path.starts_with('?') => format!("/rpc{path}"),
            path => path.to_owned(),
        };
        let unusable = |c: char| c.is_whitespace() || c.is_control() || c == '@' || c == '#';
        if host.is_empty() || host.starts_with(':') || host.contains(unusable) || path.contains(unusable) {
            return Err(shape());
        }
        let scheme = scheme.to_ascii_lowercase();
        let secure = matches!(scheme.as_str(), "https" | "wss");
        let port = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let authority = match port {
            Some((_, port)) if port.parse::<u16>().is_ok_and(|port| port != 0) => host.to_owned(),
            Some(_) => return Err(shape()),
            None if secure => format!("{host}:443"),
            None => format!("{host}:80"),
        };
        match scheme.as_str() {
            "http" | "https" => Ok(Target::Http {
                authority,
                path,
                secure,
            }),
            "ws" | "wss" => Ok(Target::WebSocket {
                authority,
                path,
                secure,
            }),
            other => Err(BadTarget::Scheme(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let http = |authority: &str, path: &str| {
            Ok(Target::Http {
                authority: authority.to_owned(),
                path: path.to_owned(),
                secure: false,
            })
        };
        assert_eq!("http://192.0.2.7/rpc".parse(), http("192.0.2.7:80", "/rpc"));
        assert_eq!(
            "http://board.local:8000".parse(),
            http("board.local:8000", "/rpc")
        );
        assert_eq!("HTTP://[::1]:8000/".parse(), http("[::1]:8000", "/rpc"));
        assert_eq!(
            "wss://board".parse(),
            Ok(Target::WebSocket {
                authority: "board:443".to_owned(),
                path: "/rpc".to_owned(),
                secure: true,
            })
        );
        assert_eq!("http://[::1]/x".parse(), http("[::1]:80", "/x"));
        assert_eq!("/dev/ttyUSB0".parse(), Ok(Target::Serial("/dev/ttyUSB0".into())));
        for wrong in [
            "",
            "board",
            "http://",
            "http://:80/rpc",
            "http://a:b/rpc",
            "http://a:0/",
            "http://u@a/",
        ] {
            assert_eq!(wrong.parse::<Target>(), Err(BadTarget::Shape(wrong.to_owned())));
        }
        assert_eq!(
            "mqtt://a/b".parse::<Target>(),
            Err(BadTarget::Scheme("mqtt".to_owned()))
        );
    }
}
