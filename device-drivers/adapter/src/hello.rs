//! What an adapter says of itself: its version of the protocol, its name, what it implements.

use crate::Request;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// The answer to `hello`. What is not in it is never asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Hello {
    /// Version of the line protocol.
    pub protocol: u64,
    /// What it is called.
    pub name: String,
    /// Its own version.
    #[serde(default)]
    pub version: Option<String>,
    /// Requests it can carry out.
    pub implements: BTreeSet<String>,
    /// Probes it answers by `probe`.
    #[serde(default)]
    pub probes: BTreeSet<String>,
    /// Stimuli it carries out by `stimulate`.
    #[serde(default)]
    pub stimuli: BTreeSet<String>,
    /// Those of them it can take back.
    #[serde(default)]
    pub undoes: BTreeSet<String>,
    /// Probes it answers as members of the result of `boot_state`.
    #[serde(default)]
    pub boot_state: BTreeSet<String>,
    /// What it tells by itself: `console`, `boots`.
    #[serde(default)]
    pub notifies: BTreeSet<String>,
    /// Whether several of it can run at a time, each with a unit of its own.
    #[serde(default)]
    pub parallel: bool,
}

/// Why an adapter cannot be used as it introduces itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// It speaks another version.
    #[error("it speaks version {0} of the protocol, and this is version {PROTOCOL}")]
    Version(String),
    /// A member is missing or of the wrong kind.
    #[error("its answer to `hello` is wrong: {0}")]
    Shape(String),
    /// A request nobody knows.
    #[error("it says it implements `{name}`, which is no request{}", nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    UnknownRequest {
        /// What it said.
        name: String,
        /// What it may have meant.
        nearest: Option<String>,
    },
    /// A notice nobody knows.
    #[error("it says it notifies of `{0}`; there are `console` and `boots`")]
    UnknownNotice(String),
    /// Without these nothing can be tested.
    #[error("it does not implement {0}, without which nothing can be tested")]
    Lacks(String),
    /// Names for a request it does not implement.
    #[error("it names {list} without implementing `{request}`")]
    Orphans {
        /// The member that names them.
        list: &'static str,
        /// The request they need.
        request: &'static str,
    },
}

impl Hello {
    /// Checks the result of `hello`.
    pub fn read(result: &Value) -> Result<Hello, HelloError> {
        let version = result.get("protocol").unwrap_or(&Value::Null);
        if version.as_u64() != Some(PROTOCOL) {
            let said = if version.is_null() {
                "no".to_owned()
            } else {
                version.to_string()
            };
            return Err(HelloError::Version(said));
        }
        let hello: Hello =
            serde_json::from_value(result.clone()).map_err(|error| HelloError::Shape(error.to_string()))?;
        hello.check()?;
        Ok(hello)
    }

    fn check(&self) -> Result<(), HelloError> {
        let known = Request::ALL.map(Request::name);
        if let Some(name) = self
            .implements
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            return Err(HelloError::UnknownRequest {
                name: name.clone(),
                nearest: hil_unit::suggest(name, known).map(str::to_owned),
            });
        }
        let lacks = Request::ALL.into_iter().filter(|request| request.is_needed());
        let lacks: Vec<String> = lacks
            .filter(|request| *request != Request::Hello && !self.implements(*request))
            .map(|request| format!("`{}`", request.name()))
            .collect();
        if !lacks.is_empty() {
            return Err(HelloError::Lacks(lacks.join(", ")));
        }
        let strange = self
            .notifies
            .iter()
            .find(|name| !NOTICES.contains(&name.as_str()));
        if let Some(name) = strange {
            return Err(HelloError::UnknownNotice(name.clone()));
        }
        let orphans = [
            ("probes", &self.probes, Request::Probe),
            ("stimuli", &self.stimuli, Request::Stimulate),
            ("boot_state", &self.boot_state, Request::BootState),
        ];
        for (list, names, request) in orphans {
            if !names.is_empty() && !self.implements(request) {
                let request = request.name();
                return Err(HelloError::Orphans { list, request });
            }
        }
        Ok(())
    }

    /// Whether a request may be sent.
    pub fn implements(&self, request: Request) -> bool {
        request == Request::Hello || self.implements.contains(request.name())
    }

    /// Whether it tells of every start of the unit's software by itself.
    pub fn tells_boots(&self) -> bool {
        self.notifies.contains("boots")
    }

    /// Whether it tells what the unit prints.
    pub fn tells_console(&self) -> bool {
        self.notifies.contains("console") || self.implements(Request::ReadLog)
    }

    /// The request that answers a probe.
    pub(crate) fn probe(&self, name: &str) -> Option<Request> {
        if self.probes.contains(name) {
            Some(Request::Probe)
        } else if name == "version" && self.implements(Request::Version) {
            Some(Request::Version)
        } else {
            self.boot_state.contains(name).then_some(Request::BootState)
        }
    }

    /// The request that carries out a stimulus.
    pub(crate) fn stimulus(&self, name: &str) -> Option<Request> {
        let own = match name {
            _ if self.stimuli.contains(name) => Request::Stimulate,
            "clock_jump" | "clock_unset" => Request::SetClock,
            "free_space" => Request::FillStorage,
            _ => return None,
        };
        self.implements(own).then_some(own)
    }

    /// Names of all probes it answers.
    pub fn all_probes(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.probes.union(&self.boot_state).cloned().collect();
        if self.implements(Request::Version) {
            names.insert("version".to_owned());
        }
        names
    }

    /// Names of all stimuli it carries out.
    pub fn all_stimuli(&self) -> BTreeSet<String> {
        let beside = BESIDE.into_iter().filter(|name| self.stimulus(name).is_some());
        self.stimuli
            .iter()
            .cloned()
            .chain(beside.map(str::to_owned))
            .collect()
    }

    /// Names of the stimuli whose effect it can take back, or that end by themselves.
    pub fn all_undoable(&self) -> BTreeSet<String> {
        let ends_by_itself = |name: &String| ENDS_BY_ITSELF.contains(&name.as_str());
        let by_request = |name: &String| {
            self.stimulus(name)
                .is_some_and(|request| request != Request::Stimulate)
        };
        let all = self.all_stimuli().into_iter();
        all.filter(|name| self.undoes.contains(name) || ends_by_itself(name) || by_request(name))
            .collect()
    }
}

/// The version of the line protocol this driver speaks.
pub(crate) const PROTOCOL: u64 = 1;
const NOTICES: [&str; 2] = ["console", "boots"];
/// Stimuli that have a request of their own.
const BESIDE: [&str; 3] = ["clock_jump", "clock_unset", "free_space"];
const ENDS_BY_ITSELF: [&str; 3] = ["busy", "timer_wrap", "cut_at_write"];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn least() -> Value {
        json!({"protocol": 1, "name": "bench", "implements": ["provision", "start", "stop"]})
    }

    fn with(members: Value) -> Result<Hello, HelloError> {
        let mut said = least();
        for (name, value) in members.as_object().unwrap() {
            said[name] = value.clone();
        }
        Hello::read(&said)
    }

    #[test]
    fn what_an_adapter_names_is_what_it_is_asked() {
        let hello = with(json!({
            "implements": ["provision", "start", "stop", "version", "boot_state", "set_clock", "probe", "stimulate"],
            "probes": ["installs"], "boot_state": ["slot"], "stimuli": ["break_service", "busy"],
        }))
        .unwrap();
        assert_eq!(hello.probe("installs"), Some(Request::Probe));
        assert_eq!(hello.probe("version"), Some(Request::Version));
        assert_eq!(hello.probe("slot"), Some(Request::BootState));
        assert_eq!(hello.probe("boots"), None);
        assert_eq!(hello.stimulus("clock_jump"), Some(Request::SetClock));
        assert_eq!(hello.stimulus("free_space"), None);
        let names = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names(hello.all_probes()), "installs slot version");
        assert_eq!(
            names(hello.all_stimuli()),
            "break_service busy clock_jump clock_unset"
        );
        assert_eq!(names(hello.all_undoable()), "busy clock_jump clock_unset");
        assert!(!hello.parallel);
    }

    #[test]
    fn what_is_wrong_with_an_introduction_is_said() {
        let wrong = |members: Value| with(members).unwrap_err().to_string();
        assert_eq!(
            wrong(json!({"protocol": 2})),
            "it speaks version 2 of the protocol, and this is version 1"
        );
        assert_eq!(
            wrong(json!({"protocol": null})),
            "it speaks version no of the protocol, and this is version 1"
        );
        assert_eq!(
            wrong(json!({"implements": ["provision", "start", "stop", "reebot"]})),
            "it says it implements `reebot`, which is no request; did you mean `reboot`?"
        );
        assert_eq!(
            wrong(json!({"implements": ["start"]})),
            "it does not implement `provision`, `stop`, without which nothing can be tested"
        );
        assert_eq!(
            wrong(json!({"probes": ["version"]})),
            "it names probes without implementing `probe`"
        );
        assert_eq!(
            wrong(json!({"notifies": ["smoke"]})),
            "it says it notifies of `smoke`; there are `console` and `boots`"
        );
        assert_eq!(
            wrong(json!({"name": 5})),
            "its answer to `hello` is wrong: invalid type: integer `5`, expected a string"
        );
        assert!(matches!(Hello::read(&json!("hi")), Err(HelloError::Version(_))));
    }
}
