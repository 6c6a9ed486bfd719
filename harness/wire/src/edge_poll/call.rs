//! Which endpoint a request is for (reference section 3): one routing for the mock cloud and for monitors.

use super::header;
use crate::http::Request;

/// A request by endpoint, with what its target says. Ids and names are percent-decoded and not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `GET /api/v1/commands`.
    Poll {
        /// Query `limit`, 1..=50, default 50.
        limit: Result<u32, InvalidLimit>,
    },
    /// `POST /api/v1/commands/{id}/ack`.
    Ack {
        /// The command.
        id: String,
    },
    /// `GET /api/v1/snaps/latest`.
    Latest {
        /// Which snap; absent = the primary one.
        snap_name: Option<String>,
        /// Exactly this version.
        version: Option<String>,
        /// Architecture.
        arch: Option<String>,
        /// The version the unit runs.
        current_version: Option<String>,
    },
    /// `GET` or `HEAD /api/v1/snaps/blobs/{snap_name}/{version}/{file}`.
    Blob {
        /// Which snap.
        snap_name: String,
        /// Which version.
        version: String,
        /// `<sha256>.snap`.
        file: String,
    },
    /// `POST /api/v1/snaps/status`.
    Report,
    /// `POST /api/v1/admin/publish`.
    Publish,
    /// `POST /api/v1/admin/devices/{device}/commands`.
    OperatorQueue {
        /// For which device.
        device: String,
    },
    /// `GET /api/v1/admin/devices/{device}/commands`.
    OperatorList {
        /// Of which device.
        device: String,
    },
    /// `DELETE /api/v1/admin/devices/{device}/commands/{id}`.
    OperatorCancel {
        /// Of which device.
        device: String,
        /// Which command.
        id: String,
    },
    /// A known path with another method: 405.
    MethodNotAllowed {
        /// The value of header `Allow`.
        allow: &'static str,
    },
    /// An unknown path: 404.
    NotFound,
}

/// A query `limit` that is no integer within 1..=50; the text as given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no limit between 1 and 50")]
pub struct InvalidLimit(pub String);

impl Call {
    /// Routes by method and target (path and query).
    pub fn parse(method: &str, target: &str) -> Call {
        Call::of(&Request::new(method, target))
    }

    /// Routes a request.
    pub fn of(request: &Request) -> Call {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["api", "v1", rest @ ..] = segments.as_slice() else {
            return Call::NotFound;
        };
        let owned = |text: &str| text.to_owned();
        match (request.method.as_str(), rest) {
            ("GET", ["commands"]) => Call::Poll {
                limit: limit(request),
            },
            (_, ["commands"]) => not_allowed("GET"),
            ("POST", ["commands", id, "ack"]) => Call::Ack { id: owned(id) },
            (_, ["commands", _, "ack"]) => not_allowed("POST"),
            ("GET", ["snaps", "latest"]) => Call::Latest {
                snap_name: request.query("snap_name"),
                version: request.query("version"),
                arch: request.query("arch"),
                current_version: request.query("current_version"),
            },
            (_, ["snaps", "latest"]) => not_allowed("GET"),
            ("GET" | "HEAD", ["snaps", "blobs", snap_name, version, file]) => Call::Blob {
                snap_name: owned(snap_name),
                version: owned(version),
                file: owned(file),
            },
            (_, ["snaps", "blobs", _, _, _]) => not_allowed("GET, HEAD"),
            ("POST", ["snaps", "status"]) => Call::Report,
            (_, ["snaps", "status"]) => not_allowed("POST"),
            ("POST", ["admin", "publish"]) => Call::Publish,
            (_, ["admin", "publish"]) => not_allowed("POST"),
            ("POST", ["admin", "devices", device, "commands"]) => Call::OperatorQueue {
                device: owned(device),
            },
            ("GET", ["admin", "devices", device, "commands"]) => Call::OperatorList {
                device: owned(device),
            },
            (_, ["admin", "devices", _, "commands"]) => not_allowed("GET, POST"),
            ("DELETE", ["admin", "devices", device, "commands", id]) => Call::OperatorCancel {
                device: owned(device),
                id: owned(id),
            },
            (_, ["admin", "devices", _, "commands", _]) => not_allowed("DELETE"),
            _ => Call::NotFound,
        }
    }

    /// True for the calls an appliance makes with its device key. A blob needs the key too, on the origin of
    /// the API.
    pub fn needs_device_key(&self) -> bool {
        matches!(
            self,
            Call::Poll { .. } | Call::Ack { .. } | Call::Latest { .. } | Call::Blob { .. } | Call::Report
        )
    }
}

fn not_allowed(allow: &'static str) -> Call {
    Call::MethodNotAllowed { allow }
}

fn limit(request: &Request) -> Result<u32, InvalidLimit> {
    match request.query("limit") {
        None => Ok(header::POLL_ITEM_LIMIT),
        Some(text) => match text.parse() {
            Ok(limit) if (1..=header::POLL_ITEM_LIMIT).contains(&limit) => Ok(limit),
            _ => Err(InvalidLimit(text)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_every_endpoint() {
        let id = || "cmd_1".to_owned();
        let device = || "edge:1".to_owned();
        assert_eq!(
            Call::parse("GET", "/api/v1/commands"),
            Call::Poll { limit: Ok(50) }
        );
        assert_eq!(
            Call::parse("GET", "/api/v1/commands?x=1&limit=7"),
            Call::Poll { limit: Ok(7) }
        );
        for limit in ["0", "51", "-1", "abc", ""] {
            let call = Call::parse("GET", &format!("/api/v1/commands?limit={limit}"));
            assert_eq!(
                call,
                Call::Poll {
                    limit: Err(InvalidLimit(limit.into()))
                }
            );
        }
        assert_eq!(
            Call::parse("POST", "/api/v1/commands/cmd%5F1/ack"),
            Call::Ack { id: id() }
        );
        assert_eq!(
            Call::parse("GET", "/api/v1/snaps/latest?snap_name=a&version=1%2B2"),
            Call::Latest {
                snap_name: Some("a".into()),
                version: Some("1+2".into()),
                arch: None,
                current_version: None
            }
        );
        assert!(
            matches!(Call::parse("HEAD", "/api/v1/snaps/blobs/a/1/f.snap"), Call::Blob { file, .. } if file == "f.snap")
        );
        assert_eq!(Call::parse("POST", "/api/v1/snaps/status"), Call::Report);
        assert_eq!(Call::parse("POST", "/api/v1/admin/publish"), Call::Publish);
        let queue = "/api/v1/admin/devices/edge:1/commands";
        assert_eq!(
            Call::parse("POST", queue),
            Call::OperatorQueue { device: device() }
        );
        assert_eq!(Call::parse("GET", queue), Call::OperatorList { device: device() });
        let cancel = Call::parse("DELETE", &format!("{queue}/cmd_1"));
        assert_eq!(
            cancel,
            Call::OperatorCancel {
                device: device(),
                id: id()
            }
        );
    }

    #[test]
    fn tells_wrong_methods_from_unknown_paths() {
        assert_eq!(Call::parse("PUT", "/api/v1/commands"), not_allowed("GET"));
        assert_eq!(
            Call::parse("PUT", "/api/v1/snaps/blobs/a/1/f"),
            not_allowed("GET, HEAD")
        );
        for target in [
            "/",
            "/api/v1/commands/",
            "/api/v1/commands/a/b/ack",
            "/api/v2/commands",
            "*",
            "",
        ] {
            assert_eq!(Call::parse("GET", target), Call::NotFound, "{target}");
        }
    }
}
