//! What a unit is told, from the command line, an endpoints file and the environment, by name.

use super::plan::PlanError;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};

/// Values by name, such as `base_url` or `online_key_file`.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<String, String>);

impl Told {
    /// The variables `HIL_<NAME>` of the environment.
    pub(super) fn from_environment() -> Told {
        let mut told = Told::default();
        for (name, value) in std::env::vars_os() {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
                && let Some(name) = own_name(name)
            {
                told.set(&name, value);
            }
        }
        told
    }

    /// Adds what a file says: a JSON object or `NAME=VALUE` lines, or the file for a protocol in the data folder of
    /// a cloud. What it says of others is kept, too.
    pub(super) fn add_file(&mut self, path: &Path, protocol: hil_wire::Protocol) -> Result<(), PlanError> {
        let path = match path.is_dir() {
            true => path.join(format!("{protocol}.env")),
            false => path.to_owned(),
        };
        let text = fs::read_to_string(&path).map_err(|error| PlanError::File {
            path: path.clone(),
            error,
        })?;
        let wrong = |line, what: &str| PlanError::Endpoints {
            path: path.clone(),
            line,
            what: what.to_owned(),
        };
        if text.trim_start().starts_with('{') {
            let members: BTreeMap<String, Value> =
                serde_json::from_str(&text).map_err(|error| wrong(error.line(), &error.to_string()))?;
            for (name, value) in members {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                self.set(&own_name(&name).unwrap_or(name), value);
            }
            return Ok(());
        }
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line == "ready" {
                continue;
            }
            let (name, value) = line
                .split_once('=')
                .ok_or_else(|| wrong(number + 1, "expected NAME=VALUE"))?;
            let name = name.trim().trim_start_matches("export ");
            let value = value.trim().trim_matches(['"', '\'']);
            self.set(&own_name(name).unwrap_or_else(|| name.to_owned()), value);
        }
        Ok(())
    }

    /// Adds or replaces a value.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// A value; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All values by name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Names that end so, without their ending.
    pub(super) fn names_before<'t>(&'t self, ending: &'t str) -> impl Iterator<Item = &'t str> {
        self.0.keys().filter_map(move |name| name.strip_suffix(ending))
    }
}

/// `base_url` of `HIL_BASE_URL`.
fn own_name(variable: &str) -> Option<String> {
    variable.strip_prefix("HIL_").map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hil_wire::Protocol;

    fn read(text: &str) -> Result<Told, PlanError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("edge-poll.env"), text).unwrap();
        let mut told = Told::default();
        told.add_file(folder.path(), Protocol::EdgePoll)?;
        Ok(told)
    }

    #[test]
    fn lines_and_json_say_the_same() {
        for text in [
            "# a comment\nHIL_BASE_URL=http://a/?x=1\nHIL_EMPTY=\nready\n",
            "export HIL_BASE_URL=\"http://a/?x=1\"\n",
            "{\"base_url\": \"http://a/?x=1\"}",
            "{\"HIL_BASE_URL\": \"http://a/?x=1\", \"HIL_PORT\": 7}",
        ] {
            let told = read(text).unwrap();
            assert_eq!(told.get("base_url"), Some("http://a/?x=1"), "{text}");
            assert_eq!(told.get("empty"), None);
        }
    }

    #[test]
    fn mistakes_have_a_line() {
        for (text, line) in [("HIL_A=1\nnonsense\n", 2), ("{\n\"a\": \n}", 3)] {
            match read(text) {
                Err(PlanError::Endpoints { line: found, .. }) => assert_eq!(found, line),
                other => panic!("{other:?}"),
            }
        }
    }
}
