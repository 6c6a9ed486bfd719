//! What a process is told, by name.

use hil_unit::{Surroundings, UnitFile, link::Address};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// What a process is told: each value is the placeholder `{name}` and the environment variable `HIL_<NAME>`.
///
/// | name | value |
/// | --- | --- |
/// | every endpoint setting | such as `base_url`, `device_key`; overridden by `settings` of the unit file |
/// | every time | in seconds, such as `poll_interval` |
/// | `state_dir` | the unit's own folder, fresh for every instance, kept over power cuts |
/// | `unit_dir` | the folder of the unit file |
/// | `prepare_<state>` | each state of `prepare` in the unit file, as the scenario declares it |
/// | `unit_name`, `seed` | name of the unit, sub-seed of the instance |
/// | `ca_file` | PEM file of the authority to trust; empty without TLS |
/// | `<identity>_certificate_file`, `<identity>_key_file` | PEM files, such as `online_key_file`; empty if the unit has to do without |
/// | `<face>` | where the unit must listen, `-` as `_`, such as `rpc_http`; `<face>_host` and `<face>_port` |
/// | `artifact_<role>_name`, `…_version` | images by role; `…_file` for those of the unit file |
/// | `running_file`, `running_name`, `running_version` | the image the unit must run in its declared state |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// One value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Adds or replaces a value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// All names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(String::as_str)
    }

    /// All values as environment variables.
    pub fn environment(&self) -> impl Iterator<Item = (String, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (variable(name), value.as_str()))
    }

    /// What one process is told.
    pub fn gather(
        file: &UnitFile,
        unit_directory: &Path,
        state_directory: &Path,
        surroundings: &Surroundings,
    ) -> Values {
        let mut values = Values::default();
        for (name, value) in &surroundings.timing {
            if let Some(seconds) = value.as_f64() {
                values.set(name, seconds.to_string());
            }
        }
        for (name, value) in surroundings.endpoints.settings.iter().chain(&file.settings) {
            values.set(name, value);
        }
        for (name, address) in &surroundings.faces {
            values.face(&name.replace('-', "_"), address);
        }
        for (name, value) in &file.prepare {
            values.state(name, value);
        }
        for (role, artifact) in &surroundings.artifacts.0 {
            values.set(&format!("artifact_{role}_name"), &artifact.name);
            values.set(&format!("artifact_{role}_version"), &artifact.version);
        }
        for role in file.artifacts.keys() {
            values.artifact(&format!("artifact_{role}"), role, file, unit_directory);
        }
        values.set("state_dir", state_directory.display().to_string());
        values.set("unit_dir", unit_directory.display().to_string());
        values.set("unit_name", &file.name);
        values.set("seed", surroundings.seed.to_string());
        values
    }

    /// A declared state.
    pub fn state(&mut self, name: &str, value: &Value) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.set(&format!("prepare_{name}"), text);
    }

    /// Name and version of the image of a role, under another name; its file too if the unit file gives one.
    pub fn running(&mut self, role: &str, file: &UnitFile, unit_directory: &Path) {
        for what in ["name", "version"] {
            if let Some(text) = self.get(&format!("artifact_{role}_{what}")).map(str::to_owned) {
                self.set(&format!("running_{what}"), text);
            }
        }
        self.artifact("running", role, file, unit_directory);
    }

    /// The image of a role under another name.
    pub(crate) fn artifact(&mut self, prefix: &str, role: &str, file: &UnitFile, unit_directory: &Path) {
        if let Some(artifact) = file.artifacts.get(role) {
            let path = unit_directory.join(&artifact.path);
            self.set(&format!("{prefix}_file"), path.display().to_string());
            self.set(&format!("{prefix}_name"), &artifact.name);
            self.set(&format!("{prefix}_version"), &artifact.version);
        }
    }

    /// The same with the arguments of a call, which come before everything else; those not given are empty.
    pub(crate) fn with_arguments(&self, arguments: &serde_json::Map<String, Value>) -> Values {
        let mut values = self.clone();
        for (name, value) in arguments {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            values.set(name, text);
        }
        values
    }

    fn face(&mut self, name: &str, address: &Address) {
        self.set(name, address.to_string());
        if let Address::Host(host, port) = address {
            self.set(&format!("{name}_host"), host);
            self.set(&format!("{name}_port"), port.to_string());
        }
    }
}

fn variable(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).collect();
    format!("{VARIABLE_PREFIX}{name}")
}

/// Environment variables of a process that begin so are ours.
pub(crate) const VARIABLE_PREFIX: &str = "HIL_";
