//! The parameters of the six commands with their reference defaults and rules (reference section 4).

use super::{CommandType, ExportFormat, ParameterError, ParameterProblem, ResetType, RestartMode, UrlPolicy};
use crate::{digest, http::AbsoluteUrl, timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// Longest closed range of an export.
const EXPORT_RANGE_LIMIT_MICROS: i64 = 31 * 24 * 3600 * 1_000_000;
/// Longest `firmware_url` in characters.
const FIRMWARE_URL_LIMIT: usize = 512;
/// Most `test_endpoints`, and the longest of them in characters.
const ENDPOINT_LIMIT: usize = 8;
const ENDPOINT_URL_LIMIT: usize = 256;

/// What a command asks for, every default filled in. Serializes to the complete `parameters` object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Parameters {
    /// `bcgmcu_reset`.
    BcgmcuReset {
        /// Which reset; default soft.
        reset_type: ResetType,
        /// Keep calibration; default true, and a factory reset has to say false.
        preserve_calibration: bool,
        /// Whether the module starts by itself; default auto.
        restart_mode: RestartMode,
    },
    /// `system_restart`.
    SystemRestart {
        /// Seconds between `completed` and the restart, 0..=3600; default 5.
        restart_delay: u64,
        /// Keep the configuration; default true.
        preserve_config: bool,
        /// Drop stored telemetry; default false.
        clear_queues: bool,
    },
    /// `firmware_update`.
    FirmwareUpdate {
        /// Where the image is, at most 512 characters.
        firmware_url: String,
        /// SemVer of the image.
        version: String,
        /// `sha256:<64 hex>` of the image.
        checksum: String,
        /// Restart into the image; default true.
        auto_restart: bool,
        /// Allow a version that is not newer; default false.
        allow_downgrade: bool,
    },
    /// `data_export`.
    DataExport {
        /// First instant, included, RFC 3339.
        start_time: String,
        /// Last instant, included, RFC 3339; at most 31 days later.
        end_time: String,
        /// Form of the upload; default JSON.
        export_format: ExportFormat,
        /// Include raw data; default false.
        include_raw: bool,
    },
    /// `network_diagnostics`.
    NetworkDiagnostics {
        /// URLs to request, at most 8 of at most 256 characters; default none.
        test_endpoints: Vec<String>,
        /// Include a traceroute; default false.
        include_traceroute: bool,
        /// Resolve a name; default true.
        dns_test: bool,
    },
    /// `storage_cleanup`.
    StorageCleanup {
        /// Remove old logs; default true.
        clear_logs: bool,
        /// Remove temporary files of any age; default true.
        clear_temp_files: bool,
        /// Remove old batches; default true.
        clear_old_batches: bool,
        /// Logs and batches newer than this stay, 0..=3650 days; default 7.
        days_to_keep: u64,
    },
}

impl Parameters {
    /// Reads the parameters of a command; plain http is refused. Absent ones get their reference default,
    /// unknown ones are ignored. Null is a wrong type. `value` is the object, empty if absent.
    pub fn parse(command_type: CommandType, value: &Value) -> Result<Parameters, ParameterError> {
        Parameters::parse_with(command_type, value, UrlPolicy::HttpsOnly)
    }

    /// As [`Parameters::parse`], with the choice of URLs.
    pub fn parse_with(
        command_type: CommandType,
        value: &Value,
        urls: UrlPolicy,
    ) -> Result<Parameters, ParameterError> {
        let members = value.as_object().ok_or(ParameterError {
            name: "",
            problem: ParameterProblem::WrongType("an object"),
        })?;
        let given = Given { members };
        match command_type {
            CommandType::BcgmcuReset => given.reset(),
            CommandType::SystemRestart => Ok(Parameters::SystemRestart {
                restart_delay: given.integer("restart_delay", 5, 3600, "an integer within 0 and 3600")?,
                preserve_config: given.boolean("preserve_config", true)?,
                clear_queues: given.boolean("clear_queues", false)?,
            }),
            CommandType::FirmwareUpdate => given.firmware_update(urls),
            CommandType::DataExport => given.data_export(),
            CommandType::NetworkDiagnostics => Ok(Parameters::NetworkDiagnostics {
                test_endpoints: given.endpoints()?,
                include_traceroute: given.boolean("include_traceroute", false)?,
                dns_test: given.boolean("dns_test", true)?,
            }),
            CommandType::StorageCleanup => Ok(Parameters::StorageCleanup {
                clear_logs: given.boolean("clear_logs", true)?,
                clear_temp_files: given.boolean("clear_temp_files", true)?,
                clear_old_batches: given.boolean("clear_old_batches", true)?,
                days_to_keep: given.integer("days_to_keep", 7, 3650, "an integer within 0 and 3650")?,
            }),
        }
    }

    /// The type they belong to.
    pub fn command_type(&self) -> CommandType {
        match self {
            Parameters::BcgmcuReset { .. } => CommandType::BcgmcuReset,
            Parameters::SystemRestart { .. } => CommandType::SystemRestart,
            Parameters::FirmwareUpdate { .. } => CommandType::FirmwareUpdate,
            Parameters::DataExport { .. } => CommandType::DataExport,
            Parameters::NetworkDiagnostics { .. } => CommandType::NetworkDiagnostics,
            Parameters::StorageCleanup { .. } => CommandType::StorageCleanup,
        }
    }

    /// Seconds the device is away, as the issue answer says (reference section 3.1).
    pub fn expected_downtime_s(&self) -> u64 {
        match self {
            Parameters::BcgmcuReset { .. } => 30,
            Parameters::SystemRestart { restart_delay, .. } => 30 + restart_delay,
            Parameters::FirmwareUpdate { .. } => 300,
            _ => 0,
        }
    }
}

struct Given<'a> {
    members: &'a Map<String, Value>,
}

impl Given<'_> {
    fn reset(&self) -> Result<Parameters, ParameterError> {
        let reset_type = self.name(
            "reset_type",
            ResetType::Soft,
            ResetType::NAMES,
            ResetType::from_name,
        )?;
        let preserve_calibration = self.boolean("preserve_calibration", true)?;
        let restart_mode = self.name(
            "restart_mode",
            RestartMode::Auto,
            RestartMode::NAMES,
            RestartMode::from_name,
        )?;
        if reset_type == ResetType::Factory && preserve_calibration {
            return Err(rule("preserve_calibration", "a factory reset needs false"));
        }
        Ok(Parameters::BcgmcuReset {
            reset_type,
            preserve_calibration,
            restart_mode,
        })
    }

    fn firmware_update(&self, urls: UrlPolicy) -> Result<Parameters, ParameterError> {
        let firmware_url = self.required_text("firmware_url")?;
        let version = self.required_text("version")?;
        let checksum = self.required_text("checksum")?;
        let auto_restart = self.boolean("auto_restart", true)?;
        let allow_downgrade = self.boolean("allow_downgrade", false)?;
        if firmware_url.chars().count() > FIRMWARE_URL_LIMIT {
            return Err(rule("firmware_url", "at most 512 characters"));
        }
        match AbsoluteUrl::parse(&firmware_url) {
            Some(url) if url.secure || urls == UrlPolicy::LabMode => {}
            None if firmware_url.to_ascii_lowercase().starts_with("https://") => {
                return Err(rule("firmware_url", "an absolute https URL"));
            }
            _ => {
                return Err(ParameterError {
                    name: "firmware_url",
                    problem: ParameterProblem::Insecure,
                });
            }
        }
        if semver::Version::parse(&version).is_err() {
            return Err(rule("version", "a SemVer version"));
        }
        if digest::parse_sha256(&checksum).is_err() {
            return Err(rule("checksum", "sha256: and 64 hex digits"));
        }
        Ok(Parameters::FirmwareUpdate {
            firmware_url,
            version,
            checksum,
            auto_restart,
            allow_downgrade,
        })
    }

    fn data_export(&self) -> Result<Parameters, ParameterError> {
        let start_time = self.required_text("start_time")?;
        let end_time = self.required_text("end_time")?;
        let export_format = self.name(
            "export_format",
            ExportFormat::Json,
            ExportFormat::NAMES,
            ExportFormat::from_name,
        )?;
        let include_raw = self.boolean("include_raw", false)?;
        let not_a_time = "an RFC 3339 timestamp";
        let start = timestamp::parse(&start_time).ok_or(rule("start_time", not_a_time))?;
        let end = timestamp::parse(&end_time).ok_or(rule("end_time", not_a_time))?;
        if start.unix_micros > end.unix_micros {
            return Err(rule("start_time", "not after end_time"));
        }
        if end.unix_micros.saturating_sub(start.unix_micros) > EXPORT_RANGE_LIMIT_MICROS {
            return Err(rule("end_time", "at most 31 days after start_time"));
        }
        Ok(Parameters::DataExport {
            start_time,
            end_time,
            export_format,
            include_raw,
        })
    }

    fn endpoints(&self) -> Result<Vec<String>, ParameterError> {
        let name = "test_endpoints";
        let Some(value) = self.members.get(name) else {
            return Ok(Vec::new());
        };
        let texts: Option<Vec<&str>> = value
            .as_array()
            .and_then(|items| items.iter().map(Value::as_str).collect());
        let texts = texts.ok_or(wrong_type(name, "an array of strings"))?;
        if texts.len() > ENDPOINT_LIMIT {
            return Err(rule(name, "at most 8 URLs"));
        }
        let is_endpoint = |text: &&str| text.chars().count() <= ENDPOINT_URL_LIMIT && is_web_url(text);
        if !texts.iter().all(is_endpoint) {
            return Err(rule(name, "http or https URLs of at most 256 characters"));
        }
        Ok(texts.into_iter().map(str::to_owned).collect())
    }

    fn name<T>(
        &self,
        name: &'static str,
        default: T,
        names: &'static [&'static str],
        from_name: fn(&str) -> Option<T>,
    ) -> Result<T, ParameterError> {
        match self.text(name)? {
            None => Ok(default),
            Some(text) => from_name(&text).ok_or(ParameterError {
                name,
                problem: ParameterProblem::NotOneOf(names),
            }),
        }
    }

    fn boolean(&self, name: &'static str, default: bool) -> Result<bool, ParameterError> {
        match self.members.get(name) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or(wrong_type(name, "a boolean")),
        }
    }

    fn integer(
        &self,
        name: &'static str,
        default: u64,
        most: u64,
        range: &'static str,
    ) -> Result<u64, ParameterError> {
        match self.members.get(name) {
            None => Ok(default),
            Some(value) if value.is_i64() || value.is_u64() => {
                value.as_u64().filter(|n| *n <= most).ok_or(rule(name, range))
            }
            Some(_) => Err(wrong_type(name, "an integer")),
        }
    }

    fn required_text(&self, name: &'static str) -> Result<String, ParameterError> {
        self.text(name)?.ok_or(ParameterError {
            name,
            problem: ParameterProblem::Missing,
        })
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, ParameterError> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong_type(name, "a string")),
        }
    }
}

/// True for an http or https URL; beyond ASCII is legal in its path and query, as diagnostics have to cope.
fn is_web_url(text: &str) -> bool {
    let ascii: String = text
        .chars()
        .map(|c| {
            if c.is_ascii() || c.is_control() || c.is_whitespace() {
                c
            } else {
                'x'
            }
        })
        .collect();
    AbsoluteUrl::parse(&ascii).is_some()
}

fn rule(name: &'static str, rule: &'static str) -> ParameterError {
    ParameterError {
        name,
        problem: ParameterProblem::Rule(rule),
    }
}

fn wrong_type(name: &'static str, expected: &'static str) -> ParameterError {
    ParameterError {
        name,
        problem: ParameterProblem::WrongType(expected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fills_in_the_reference_defaults() {
        for (command_type, expected) in [
            (
                CommandType::BcgmcuReset,
                json!({"reset_type": "soft", "preserve_calibration": true, "restart_mode": "auto"}),
            ),
            (
                CommandType::SystemRestart,
                json!({"restart_delay": 5, "preserve_config": true, "clear_queues": false}),
            ),
            (
                CommandType::NetworkDiagnostics,
                json!({"test_endpoints": [], "include_traceroute": false, "dns_test": true}),
            ),
            (
                CommandType::StorageCleanup,
                json!({"clear_logs": true, "clear_temp_files": true, "clear_old_batches": true, "days_to_keep": 7}),
            ),
        ] {
            let parsed = Parameters::parse(command_type, &json!({"unknown": 1})).unwrap();
            assert_eq!(serde_json::to_value(&parsed).unwrap(), expected);
            assert_eq!(parsed.command_type(), command_type);
        }
    }

    #[test]
    fn names_the_parameter_and_the_text_of_the_failure() {
        use CommandType::*;
        let sum = format!("sha256:{}", "0".repeat(64));
        let image = |url: &str, sum: &str| json!({"firmware_url": url, "version": "1.1.0", "checksum": sum});
        let range = |from: &str, to: &str| json!({"start_time": from, "end_time": to});
        for (command_type, value, name, details) in [
            (
                BcgmcuReset,
                json!({"reset_type": 1}),
                "reset_type",
                "Invalid parameter: reset_type",
            ),
            (
                BcgmcuReset,
                json!({"reset_type": ""}),
                "reset_type",
                "Invalid parameter: reset_type",
            ),
            (
                BcgmcuReset,
                json!({"reset_type": "factory"}),
                "preserve_calibration",
                "Invalid parameter: preserve_calibration",
            ),
            (
                SystemRestart,
                json!({"restart_delay": 3601}),
                "restart_delay",
                "Invalid parameter: restart_delay",
            ),
            (
                SystemRestart,
                json!({"restart_delay": 1e9}),
                "restart_delay",
                "Invalid parameter: restart_delay",
            ),
            (
                SystemRestart,
                json!({"clear_queues": null}),
                "clear_queues",
                "Invalid parameter: clear_queues",
            ),
            (
                FirmwareUpdate,
                json!({}),
                "firmware_url",
                "Invalid parameter: firmware_url",
            ),
            (
                FirmwareUpdate,
                image("http://a/f", &sum),
                "firmware_url",
                "Insecure firmware URL",
            ),
            (
                FirmwareUpdate,
                image("file:///f", &sum),
                "firmware_url",
                "Insecure firmware URL",
            ),
            (
                FirmwareUpdate,
                image("https://a/f", "md5:00"),
                "checksum",
                "Invalid checksum format",
            ),
            (
                DataExport,
                range("2025-01-28T00:00:00Z", "2025-01-27T00:00:00Z"),
                "start_time",
                "Invalid time range",
            ),
            (
                DataExport,
                range("2025-01-01T00:00:00Z", "2025-02-02T00:00:00Z"),
                "end_time",
                "Invalid time range",
            ),
            (
                DataExport,
                range("", "2025-02-02T00:00:00Z"),
                "start_time",
                "Invalid time range",
            ),
            (
                NetworkDiagnostics,
                json!({"test_endpoints": ["ftp://a"]}),
                "test_endpoints",
                "Invalid parameter: test_endpoints",
            ),
            (
                StorageCleanup,
                json!({"days_to_keep": 3651}),
                "days_to_keep",
                "Invalid parameter: days_to_keep",
            ),
        ] {
            let error = Parameters::parse(command_type, &value).unwrap_err();
            assert_eq!(
                (error.name, error.failed_details().as_str()),
                (name, details),
                "{value}"
            );
        }
        let lab = Parameters::parse_with(FirmwareUpdate, &image("http://a/f", &sum), UrlPolicy::LabMode);
        assert!(lab.is_ok());
    }
}
