//! The D-Bus gateway: names, what is called on the client, and what the client calls on the software manager (reference section
//! 2.5).

use super::{DownloadComplete, OperationResult, ResultCode, UpdateReport};
use crate::dbus::{Message, Value};
use std::collections::BTreeMap;

/// Name and interface of the client.
pub const CLIENT: &str = "org.genivi.SotaClient";
/// Object of the client.
pub const CLIENT_PATH: &str = "/org/genivi/SotaClient";
/// Name and interface of the software manager.
pub const MANAGER: &str = "org.genivi.SoftwareLoadingManager";
/// Object of the software manager.
pub const MANAGER_PATH: &str = "/org/genivi/SoftwareLoadingManager";
/// Unique name of the harness, which is the software manager and calls the client.
pub const HARNESS: &str = ":1.0";

/// Begins the download of an update: `initiateDownload(s update_id)`.
pub const INITIATE_DOWNLOAD: &str = "initiateDownload";
/// Reports results: `updateReport(s update_id, aa{sv} results)`.
pub const UPDATE_REPORT: &str = "updateReport";
/// Types of the arguments of [`UPDATE_REPORT`].
pub const UPDATE_REPORT_SIGNATURE: &str = "saa{sv}";
/// Tells of a finished download: `downloadComplete(s update_image, s signature)`.
pub const DOWNLOAD_COMPLETE: &str = "downloadComplete";
/// Tells of an update: `updateAvailable(s update_id, s signature, s description, b request_confirmation)`.
pub const UPDATE_AVAILABLE: &str = "updateAvailable";
/// Asks for `(aa{sv} packages, aa{sv} firmwares)`: `getInstalledPackages(b include_packages, b include_firmware)`.
pub const GET_INSTALLED_PACKAGES: &str = "getInstalledPackages";
/// Types of the answer to [`GET_INSTALLED_PACKAGES`].
pub const INSTALLED_SIGNATURE: &str = "aa{sv}aa{sv}";

/// What is called on the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCall {
    /// Begin the download of this update.
    InitiateDownload(String),
    /// Report these results.
    UpdateReport(UpdateReport),
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no such method.
    #[error("there is no method `{0}`")]
    UnknownMethod(String),
    /// An argument, or a member of a result, is absent.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// An argument, or a member of a result, is of another type or has no such value.
    #[error("`{0}` is malformed")]
    Malformed(&'static str),
}

impl CallError {
    /// Name of the error on the bus.
    pub fn name(&self) -> &'static str {
        match self {
            CallError::UnknownMethod(_) => "org.freedesktop.DBus.Error.UnknownMethod",
            CallError::Missing(_) => "Error.MissingArgument",
            CallError::Malformed(_) => "Error.MalformedArgument",
        }
    }
}

impl ClientCall {
    /// Reads a call.
    ///
    /// # Errors
    ///
    /// If there is no such method, or its arguments are not what they must be; one too many is passed over.
    pub fn read(message: &Message) -> Result<ClientCall, CallError> {
        let arguments = message.arguments().map_err(|_| CallError::Malformed("arguments"));
        match message.member.as_str() {
            INITIATE_DOWNLOAD => Ok(ClientCall::InitiateDownload(text(&arguments?, 0, "update_id")?)),
            UPDATE_REPORT => {
                let arguments = arguments?;
                let update_id = text(&arguments, 0, "update_id")?;
                let results = arguments.get(1).ok_or(CallError::Missing("operation_results"))?;
                let operation_results = self::results(results)?;
                Ok(ClientCall::UpdateReport(UpdateReport {
                    update_id,
                    operation_results,
                }))
            }
            other => Err(CallError::UnknownMethod(other.to_owned())),
        }
    }
}

/// The call that tells the software manager of a finished download.
pub fn download_complete(download: &DownloadComplete) -> Message {
    let arguments = [
        Value::from(download.update_image.clone()),
        Value::from(download.signature.clone()),
    ];
    Message::call(MANAGER, MANAGER_PATH, MANAGER, DOWNLOAD_COMPLETE).with(&arguments)
}

/// The id of the update an image is of: the name of its file.
pub fn id_of_image(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn results(value: &Value<'_>) -> Result<Vec<OperationResult>, CallError> {
    let malformed = CallError::Malformed("operation_results");
    let Value::Array(results) = value else {
        return Err(malformed);
    };
    if *results.element_signature() != "a{sv}" {
        return Err(malformed);
    }
    results.iter().map(result).collect()
}

fn result(value: &Value<'_>) -> Result<OperationResult, CallError> {
    let Value::Dict(members) = value else {
        return Err(CallError::Malformed("operation_results"));
    };
    let members: BTreeMap<&str, &Value<'_>> = members
        .iter()
        .filter_map(|(name, value)| match (name, value) {
            (Value::Str(name), Value::Value(value)) => Some((name.as_str(), &**value)),
            _ => None,
        })
        .collect();
    let text = |name: &'static str| match members.get(name) {
        Some(Value::Str(text)) => Ok(text.as_str().to_owned()),
        Some(_) => Err(CallError::Malformed(name)),
        None => Err(CallError::Missing(name)),
    };
    let code = match members.get("result_code") {
        Some(Value::I32(code)) => u64::try_from(*code).ok().and_then(ResultCode::from_number),
        Some(_) => None,
        None => return Err(CallError::Missing("result_code")),
    };
    Ok(OperationResult {
        id: text("id")?,
        result_code: code.ok_or(CallError::Malformed("result_code"))?,
        result_text: text("result_text")?,
    })
}

fn text(arguments: &[Value<'_>], at: usize, name: &'static str) -> Result<String, CallError> {
    match arguments.get(at) {
        Some(Value::Str(text)) => Ok(text.as_str().to_owned()),
        Some(_) => Err(CallError::Malformed(name)),
        None => Err(CallError::Missing(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dbus::from_json;
    use serde_json::{Value as Json, json};

    fn read(method: &str, signature: &str, arguments: &[Json]) -> Result<ClientCall, CallError> {
        let arguments = from_json(signature, arguments).unwrap();
        ClientCall::read(&Message::call(CLIENT, CLIENT_PATH, CLIENT, method).with(&arguments))
    }

    #[test]
    fn calls_are_read() {
        let begun = read(INITIATE_DOWNLOAD, "s", &[json!("u")]);
        assert_eq!(begun, Ok(ClientCall::InitiateDownload("u".into())));
        for code in 0..20 {
            let results = json!([{"id": "u", "result_code": code, "result_text": "t"}]);
            let Ok(ClientCall::UpdateReport(report)) = read(UPDATE_REPORT, "saa{sv}", &[json!("u"), results])
            else {
                panic!("code {code} is refused");
            };
            assert_eq!(
                Some(report.operation_results[0].result_code),
                ResultCode::from_number(code)
            );
        }
        let none = read(UPDATE_REPORT, "saa{sv}", &[json!("u"), json!([])]);
        assert!(matches!(none, Ok(ClientCall::UpdateReport(_))));
    }

    #[test]
    fn wrong_arguments_are_refused() {
        let missing = |name| Err(CallError::Missing(name));
        let malformed = |name| Err(CallError::Malformed(name));
        assert_eq!(read(INITIATE_DOWNLOAD, "", &[]), missing("update_id"));
        assert_eq!(read(INITIATE_DOWNLOAD, "u", &[json!(1)]), malformed("update_id"));
        assert_eq!(
            read(UPDATE_REPORT, "s", &[json!("u")]),
            missing("operation_results")
        );
        let report = |signature: &str, results| read(UPDATE_REPORT, signature, &[json!("u"), results]);
        assert_eq!(report("ss", json!("OK")), malformed("operation_results"));
        assert_eq!(report("saa{ss}", json!([])), malformed("operation_results"));
        let with = |result: Json| report("saa{sv}", json!([result]));
        assert_eq!(
            with(json!({"id": "u", "result_text": ""})),
            missing("result_code")
        );
        for code in [json!("OK"), json!(20), json!(-1), json!(true), json!(0.0)] {
            let result = json!({"id": "u", "result_code": code, "result_text": ""});
            assert_eq!(with(result), malformed("result_code"));
        }
        assert!(matches!(read("x", "", &[]), Err(CallError::UnknownMethod(_))));
    }

    #[test]
    fn the_image_names_its_update() {
        assert_eq!(id_of_image("/tmp/20-x"), "20-x");
        let download = DownloadComplete {
            update_id: "u".into(),
            update_image: "/tmp/u".into(),
            signature: String::new(),
        };
        let message = download_complete(&download);
        assert_eq!(
            (message.signature.as_str(), message.destination.as_str()),
            ("ss", MANAGER)
        );
    }
}
