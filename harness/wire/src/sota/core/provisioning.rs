//! How an operator registers a device and its credentials (reference section 4.5). The client calls neither.

use super::uploads::decode;
use crate::{
    oddity::Decoded,
    sota::members::{Context, Members, Read},
};
use serde_json::{Value, json};

/// Body for the device registry; the answer is the device's UUID as a JSON string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRegistration {
    /// Name for people.
    pub device_name: String,
    /// Id given by the operator.
    pub device_id: String,
    /// `Vehicle`.
    pub device_type: String,
}

impl DeviceRegistration {
    /// Decodes a body.
    pub fn decode(bytes: &[u8]) -> Decoded<DeviceRegistration> {
        decode(bytes)
    }

    /// The body as JSON.
    pub fn to_value(&self) -> Value {
        json!({
            "deviceName": self.device_name,
            "deviceId": self.device_id,
            "deviceType": self.device_type,
        })
    }
}

impl Read for DeviceRegistration {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let device_name = members.get("deviceName", context);
        let device_id = members.get("deviceId", context);
        let device_type = members.get("deviceType", context);
        members.note_unknown(context);
        Some(DeviceRegistration {
            device_name: device_name?,
            device_id: device_id?,
            device_type: device_type?,
        })
    }
}

/// Body for the authentication server; the answer is a pair of client id and secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRegistration {
    /// Name for people.
    pub client_name: String,
    /// `client_credentials`.
    pub grant_types: Vec<String>,
}

impl ClientRegistration {
    /// Decodes a body.
    pub fn decode(bytes: &[u8]) -> Decoded<ClientRegistration> {
        decode(bytes)
    }

    /// The body as JSON.
    pub fn to_value(&self) -> Value {
        json!({"client_name": self.client_name, "grant_types": self.grant_types})
    }
}

impl Read for ClientRegistration {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let client_name = members.get("client_name", context);
        let grant_types = members.get("grant_types", context);
        members.note_unknown(context);
        Some(ClientRegistration {
            client_name: client_name?,
            grant_types: grant_types?,
        })
    }
}
