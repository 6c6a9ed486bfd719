//! Which endpoint a request is for (reference section 3): one routing for the mock cloud, for units that
//! serve the API themselves, and for monitors.

use crate::http::Request;

/// A request by endpoint. Ids are percent-decoded and not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST /api/v1/device/command/{device_id}`.
    Issue {
        /// For which device.
        device_id: String,
    },
    /// `GET /api/v1/device/command/{device_id}`.
    Fetch {
        /// Of which device.
        device_id: String,
    },
    /// `POST /api/v1/device/command/status`.
    Status,
    /// `PUT /api/v1/device/export/{device_id}/{command_id}`.
    Export {
        /// Of which device.
        device_id: String,
        /// Of which `data_export` command.
        command_id: String,
    },
    /// A known path with another method: 405.
    MethodNotAllowed {
        /// The value of header `Allow`.
        allow: &'static str,
    },
    /// An unknown path: 404.
    NotFound,
}

impl Call {
    /// Routes by method and target (path and query).
    pub fn parse(method: &str, target: &str) -> Call {
        Call::of(&Request::new(method, target))
    }

    /// Routes a request.
    pub fn of(request: &Request) -> Call {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["api", "v1", "device", rest @ ..] = segments.as_slice() else {
            return Call::NotFound;
        };
        let owned = |text: &str| text.to_owned();
        match (request.method.as_str(), rest) {
            ("POST", ["command", "status"]) => Call::Status,
            (_, ["command", "status"]) => Call::MethodNotAllowed { allow: "POST" },
            (_, ["command", ""]) => Call::NotFound,
            ("POST", ["command", device]) => Call::Issue {
                device_id: owned(device),
            },
            ("GET", ["command", device]) => Call::Fetch {
                device_id: owned(device),
            },
            (_, ["command", _]) => Call::MethodNotAllowed { allow: "GET, POST" },
            ("PUT", ["export", device, command]) => Call::Export {
                device_id: owned(device),
                command_id: owned(command),
            },
            (_, ["export", _, _]) => Call::MethodNotAllowed { allow: "PUT" },
            _ => Call::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_every_endpoint() {
        let device_id = || "BCGMCU_001".to_owned();
        let command = "/api/v1/device/command/BCGMCU_001";
        assert_eq!(
            Call::parse("POST", command),
            Call::Issue {
                device_id: device_id()
            }
        );
        assert_eq!(
            Call::parse("GET", command),
            Call::Fetch {
                device_id: device_id()
            }
        );
        assert_eq!(
            Call::parse("PUT", command),
            Call::MethodNotAllowed { allow: "GET, POST" }
        );
        assert_eq!(Call::parse("POST", "/api/v1/device/command/status"), Call::Status);
        let wrong = Call::parse("GET", "/api/v1/device/command/status");
        assert_eq!(wrong, Call::MethodNotAllowed { allow: "POST" });
        assert_eq!(
            Call::parse("PUT", "/api/v1/device/export/BCGMCU_001/cmd_1"),
            Call::Export {
                device_id: device_id(),
                command_id: "cmd_1".to_owned()
            }
        );
        for target in [
            "/",
            "/api/v1/device/command/",
            "/api/v1/device/command/a/b",
            "/api/v1/device/export/a",
        ] {
            assert_eq!(Call::parse("GET", target), Call::NotFound, "{target}");
        }
    }
}
