//! Which call a request is: method and path, both ways (reference section 4.1).

use crate::http::Request;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A call of the client, or of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// A1: get a token.
    Token,
    /// C1: list updates.
    Updates {
        /// UUID of the device.
        device: String,
    },
    /// C2: download an image.
    Download {
        /// UUID of the device.
        device: String,
        /// Id of the update.
        update: String,
    },
    /// C3: report an outcome.
    Report {
        /// UUID of the device.
        device: String,
        /// Id of the update.
        update: String,
    },
    /// C4: replace the list of installed packages.
    Installed {
        /// UUID of the device.
        device: String,
    },
    /// C5: replace the system information.
    SystemInfo {
        /// UUID of the device.
        device: String,
    },
    /// Operator: queue an update.
    QueueUpdate {
        /// UUID of the device.
        device: String,
    },
    /// Operator: block the install queue.
    BlockQueue {
        /// UUID of the device.
        device: String,
    },
    /// Operator: unblock the install queue.
    UnblockQueue {
        /// UUID of the device.
        device: String,
    },
    /// Operator: register a device.
    RegisterDevice,
    /// Operator: register a client with the authentication server.
    RegisterClient,
}

/// What a token must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Calls that fetch.
    Read,
    /// Calls that send.
    Write,
}

/// Why a request is none of these calls.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Answer 404.
    #[error("nothing is at this path")]
    NotFound,
    /// Answer 405.
    #[error("the path takes {allowed}")]
    MethodNotAllowed {
        /// Methods it takes, as the `Allow` header has them.
        allowed: &'static str,
    },
}

impl Call {
    /// The call of a method and a request target. A query is not looked at.
    pub fn parse(method: &str, target: &str) -> Result<Call, RouteError> {
        let segments = Request::new(method, target).segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let only = |allowed: &'static str, call: Call| match method == allowed {
            true => Ok(call),
            false => Err(RouteError::MethodNotAllowed { allowed }),
        };
        if segments.iter().any(|segment| segment.is_empty()) {
            return Err(RouteError::NotFound);
        }
        match segments[..] {
            ["token"] => only("POST", Call::Token),
            ["clients"] => only("POST", Call::RegisterClient),
            ["api", "v1", "devices"] => only("POST", Call::RegisterDevice),
            ["api", "v1", "mydevice", device, ref rest @ ..] => {
                let device = device.to_owned();
                match *rest {
                    ["updates"] => only("GET", Call::Updates { device }),
                    ["updates", update, "download"] => {
                        let update = update.to_owned();
                        only("GET", Call::Download { device, update })
                    }
                    ["updates", update] => {
                        let update = update.to_owned();
                        only("POST", Call::Report { device, update })
                    }
                    ["installed"] => only("PUT", Call::Installed { device }),
                    ["system_info"] => only("PUT", Call::SystemInfo { device }),
                    _ => Err(RouteError::NotFound),
                }
            }
            ["api", "v1", "device_updates", device] => only(
                "POST",
                Call::QueueUpdate {
                    device: device.to_owned(),
                },
            ),
            ["api", "v1", "device_updates", device, "blocked"] => {
                let device = device.to_owned();
                match method {
                    "PUT" => Ok(Call::BlockQueue { device }),
                    "DELETE" => Ok(Call::UnblockQueue { device }),
                    _ => Err(RouteError::MethodNotAllowed {
                        allowed: "PUT, DELETE",
                    }),
                }
            }
            _ => Err(RouteError::NotFound),
        }
    }

    /// The method of the call.
    pub fn method(&self) -> &'static str {
        match self {
            Call::Updates { .. } | Call::Download { .. } => "GET",
            Call::Installed { .. } | Call::SystemInfo { .. } | Call::BlockQueue { .. } => "PUT",
            Call::UnblockQueue { .. } => "DELETE",
            _ => "POST",
        }
    }

    /// The request target of the call.
    pub fn target(&self) -> String {
        let mine = |device: &str| format!("/api/v1/mydevice/{}", escape(device));
        let operated = |device: &str| format!("/api/v1/device_updates/{}", escape(device));
        match self {
            Call::Token => "/token".to_owned(),
            Call::Updates { device } => format!("{}/updates", mine(device)),
            Call::Download { device, update } => {
                format!("{}/updates/{}/download", mine(device), escape(update))
            }
            Call::Report { device, update } => format!("{}/updates/{}", mine(device), escape(update)),
            Call::Installed { device } => format!("{}/installed", mine(device)),
            Call::SystemInfo { device } => format!("{}/system_info", mine(device)),
            Call::QueueUpdate { device } => operated(device),
            Call::BlockQueue { device } | Call::UnblockQueue { device } => {
                format!("{}/blocked", operated(device))
            }
            Call::RegisterDevice => "/api/v1/devices".to_owned(),
            Call::RegisterClient => "/clients".to_owned(),
        }
    }

    /// The device a call of the client is about.
    pub fn device(&self) -> Option<&str> {
        match self {
            Call::Updates { device }
            | Call::Download { device, .. }
            | Call::Report { device, .. }
            | Call::Installed { device }
            | Call::SystemInfo { device } => Some(device),
            _ => None,
        }
    }

    /// What the token of a client's call must allow; `None` for calls without one.
    pub fn scope(&self) -> Option<Scope> {
        match self {
            Call::Updates { .. } | Call::Download { .. } => Some(Scope::Read),
            Call::Report { .. } | Call::Installed { .. } | Call::SystemInfo { .. } => Some(Scope::Write),
            _ => None,
        }
    }
}

impl Scope {
    /// The scope's name for a device.
    pub fn name(self, device: &str) -> String {
        match self {
            Scope::Read => format!("ota-core.{device}.read"),
            Scope::Write => format!("ota-core.{device}.write"),
        }
    }
}

fn escape(segment: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(segment, SEGMENT)
}

/// What stays as it is in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_read_back() {
        let device = || "123e4567-e89b-12d3-a456-426655440000".to_owned();
        let update = || "../a b/ü".to_owned();
        let calls = [
            Call::Token,
            Call::Updates { device: device() },
            Call::Download {
                device: device(),
                update: update(),
            },
            Call::Report {
                device: device(),
                update: update(),
            },
            Call::Installed { device: device() },
            Call::SystemInfo { device: device() },
            Call::QueueUpdate { device: device() },
            Call::BlockQueue { device: device() },
            Call::UnblockQueue { device: device() },
            Call::RegisterDevice,
            Call::RegisterClient,
        ];
        for call in calls {
            assert_eq!(Call::parse(call.method(), &call.target()), Ok(call.clone()));
            assert!(matches!(
                Call::parse("PATCH", &call.target()),
                Err(RouteError::MethodNotAllowed { .. })
            ));
        }
    }

    #[test]
    fn other_paths_are_not_found() {
        for target in [
            "/",
            "/token/",
            "/api/v1/mydevice//updates",
            "/api/v1/mydevice/d",
            "/api/v1/mydevice/d/updates/u/x",
            "/api/v2/mydevice/d/updates",
        ] {
            assert_eq!(Call::parse("GET", target), Err(RouteError::NotFound), "{target}");
        }
    }
}
