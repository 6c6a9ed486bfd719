//! Arguments of `OTA.Update` (reference section 3.1).

use super::argument;
use serde_json::{Map, Value};

/// What an update request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateRequest {
    /// Where the archive is; scheme and host are not checked here.
    pub url: String,
    /// Seconds after the first boot to commit in; 0 or absent commits by itself.
    pub commit_timeout: Option<i32>,
    /// Seconds without progress until the update fails; absent means the unit's own default.
    pub stall_timeout: Option<i32>,
}

/// Why an update is refused at once, with code -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateRequestError {
    /// No arguments at all.
    #[error("OTA.Update without arguments")]
    NoArguments,
    /// `url` is absent.
    #[error("url is absent")]
    NoUrl,
    /// `url` is not a string.
    #[error("url is not a string")]
    UrlNotText,
    /// `url` is empty.
    #[error("url is empty")]
    EmptyUrl,
}

impl UpdateRequest {
    /// A request with a URL only.
    pub fn new(url: impl Into<String>) -> Self {
        UpdateRequest {
            url: url.into(),
            commit_timeout: None,
            stall_timeout: None,
        }
    }

    /// Reads the arguments the way a unit does; unusable timeouts count as absent.
    pub fn read(arguments: Option<&Value>) -> Result<UpdateRequest, UpdateRequestError> {
        let members = arguments.ok_or(UpdateRequestError::NoArguments)?;
        let url = members.get("url").ok_or(UpdateRequestError::NoUrl)?;
        let url = url.as_str().ok_or(UpdateRequestError::UrlNotText)?;
        if url.is_empty() {
            return Err(UpdateRequestError::EmptyUrl);
        }
        Ok(UpdateRequest {
            url: url.to_owned(),
            commit_timeout: argument::integer(arguments, "commit_timeout"),
            stall_timeout: argument::integer(arguments, "timeout"),
        })
    }

    /// The arguments as JSON, timeouts as numbers.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("url".into(), self.url.clone().into());
        if let Some(seconds) = self.commit_timeout {
            map.insert("commit_timeout".into(), seconds.into());
        }
        if let Some(seconds) = self.stall_timeout {
            map.insert("timeout".into(), seconds.into());
        }
        Value::Object(map)
    }
}
