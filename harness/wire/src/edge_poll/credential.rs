//! The credentials in request headers: device keys and publish tokens (reference sections 2.1 and 3.6).

use super::header;
use crate::http::Headers;

/// Why a request shows no usable device key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyError {
    /// No header, or an empty one: 401 `missing_device_key`.
    #[error("no X-Device-Key header")]
    Missing,
    /// The header occurs more than once: 400 `duplicate_header`.
    #[error("more than one X-Device-Key header")]
    Duplicate,
}

/// The device key of a request, as sent.
pub fn device_key(headers: &Headers) -> Result<&str, DeviceKeyError> {
    match (headers.count(header::DEVICE_KEY), headers.get(header::DEVICE_KEY)) {
        (2.., _) => Err(DeviceKeyError::Duplicate),
        (_, Some(key)) if !key.is_empty() => Ok(key),
        _ => Err(DeviceKeyError::Missing),
    }
}

/// A device key has 16..=256 visible ASCII characters.
pub fn is_device_key(text: &str) -> bool {
    (16..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Why a request shows no usable publish token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishCredentialError {
    /// Neither form is there: 401 `missing_publish_token`.
    #[error("no publish token")]
    Missing,
    /// Both forms are there and differ: 400 `conflicting_credentials`.
    #[error("two publish tokens that differ")]
    Conflicting,
}

/// The publish token of a request: bearer token, or the older header.
pub fn publish_credential(headers: &Headers) -> Result<&str, PublishCredentialError> {
    let older = headers
        .get(header::PUBLISH_TOKEN)
        .filter(|token| !token.is_empty());
    match (headers.bearer_token(), older) {
        (Some(bearer), Some(older)) if bearer != older => Err(PublishCredentialError::Conflicting),
        (Some(token), _) | (None, Some(token)) => Ok(token),
        (None, None) => Err(PublishCredentialError::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_device_keys() {
        let one = Headers::new().with("x-device-key", "k");
        assert_eq!(device_key(&one), Ok("k"));
        assert_eq!(
            device_key(&one.clone().with("X-Device-Key", "k")),
            Err(DeviceKeyError::Duplicate)
        );
        assert_eq!(device_key(&Headers::new()), Err(DeviceKeyError::Missing));
        assert_eq!(
            device_key(&Headers::new().with("X-Device-Key", "")),
            Err(DeviceKeyError::Missing)
        );
        assert!(
            is_device_key("0123456789abcdef") && !is_device_key("0123456789 abcdef") && !is_device_key("k")
        );
    }

    #[test]
    fn reads_publish_tokens() {
        let both = |a: &str, b: &str| {
            Headers::new()
                .with("Authorization", format!("Bearer {a}"))
                .with(header::PUBLISH_TOKEN, b)
        };
        assert_eq!(publish_credential(&both("t", "t")), Ok("t"));
        assert_eq!(
            publish_credential(&both("t", "u")),
            Err(PublishCredentialError::Conflicting)
        );
        let basic = Headers::new().with("Authorization", "Basic t");
        assert_eq!(publish_credential(&basic), Err(PublishCredentialError::Missing));
    }
}
