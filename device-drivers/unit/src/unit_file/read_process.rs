//! The part of a unit file that only a process has.

use super::{
    ConfigTemplate, DriverKind, Hook, HookFormat, ReadyPolicy, RestartPolicy, RestartWhen, StopPolicy,
    StopSignal, read::Reader,
};
use hil_diagnostic::{MapReader, Node};
use std::{
    collections::BTreeMap,
    path::{Component, Path},
    time::Duration,
};

impl<'c> Reader<'c> {
    pub(super) fn keys_of_other_drivers(&self, root: &Node, driver: Option<DriverKind>) {
        let Some(driver) = driver.filter(|driver| *driver != DriverKind::Process) else {
            return self.keys_of_adapters(root);
        };
        let is_adapter = driver == DriverKind::Adapter;
        for entry in root.entries().unwrap_or_default() {
            let key = entry.key.as_str();
            let is_foreign = match is_adapter {
                true => PROCESS_ONLY.contains(&key),
                false => PROCESS_ONLY.contains(&key) || PROGRAM_ONLY.contains(&key),
            };
            if is_foreign {
                let title = format!("`{key}` has no meaning for driver `{driver}`");
                let help = match is_adapter {
                    true => "remove it: the adapter says by itself what it can do",
                    false => "remove it, or choose `driver: process`",
                };
                let label = "only a process has this";
                self.collector
                    .error(&entry.key_span, title, label, Some(help.to_owned()));
            }
        }
        if !is_adapter {
            self.keys_of_adapters(root);
        }
    }

    fn keys_of_adapters(&self, root: &Node) {
        let entries = root.entries().unwrap_or_default();
        for entry in entries.iter().filter(|entry| entry.key == TIMEOUTS) {
            let title = "`timeouts` is for adapters only";
            let help = Some("remove it, or choose `driver: adapter`".to_owned());
            let label = "how long an adapter may take for its requests";
            self.collector.error(&entry.key_span, title, label, help);
        }
    }

    /// Limits of an adapter by request.
    pub(super) fn timeouts(&mut self, map: &mut MapReader<'c>) -> BTreeMap<String, Duration> {
        let mut timeouts = BTreeMap::new();
        for entry in map.entries_of(TIMEOUTS) {
            if !ADAPTER_REQUESTS.contains(&entry.key.as_str()) {
                self.collector
                    .unknown(&entry.key_span, "request", &entry.key, ADAPTER_REQUESTS);
                continue;
            }
            let what = format!("`{TIMEOUTS}.{}`", entry.key);
            let seconds = self.collector.seconds(&entry.value, &what);
            if let Some(limit) = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
                timeouts.insert(entry.key.clone(), limit);
            }
        }
        timeouts
    }

    pub(super) fn command(&mut self, map: &mut MapReader<'c>, driver: Option<DriverKind>) -> Vec<String> {
        let node = if driver.is_some_and(DriverKind::has_command) {
            map.required("command")
        } else {
            map.optional("command")
        };
        let Some(node) = node else { return Vec::new() };
        let program = node.elements().and_then(<[Node]>::first).unwrap_or(node);
        self.places.insert("command".to_owned(), program.head());
        self.argument_list(node, "`command`")
    }

    fn argument_list(&self, node: &Node, what: &str) -> Vec<String> {
        if let Some(scalar) = node.scalar().filter(|scalar| !scalar.text.trim().is_empty()) {
            let words: Vec<String> = scalar
                .text
                .split_whitespace()
                .map(|word| format!("{word:?}"))
                .collect();
            let help = format!("write `[{}]`", words.join(", "));
            let title = format!("{what} must be a list: program and arguments");
            self.collector
                .error(&node.head(), title, "this is text; no shell reads it", Some(help));
            return Vec::new();
        }
        let arguments = self.collector.strings(node, what);
        let given = node.elements().is_some_and(|elements| !elements.is_empty());
        if node.is_null() || node.elements().is_some_and(<[Node]>::is_empty) {
            self.collector.error(
                &node.head(),
                format!("{what} is empty"),
                "a program is missing",
                None,
            );
        } else if given && arguments.first().is_some_and(String::is_empty) {
            self.collector.error(
                &node.head(),
                format!("{what} is empty"),
                "the program has no name",
                None,
            );
        }
        arguments
    }

    pub(super) fn environment(&mut self, map: &mut MapReader<'c>) -> BTreeMap<String, String> {
        let entries = map.entries_of("environment");
        for entry in entries {
            if entry.key.is_empty() || entry.key.contains(['=', '\0']) {
                let title = format!("`{}` cannot name an environment variable", entry.key);
                self.collector
                    .error(&entry.key_span, title, "not empty, no `=`", None);
            }
        }
        self.texts(entries, "environment")
    }

    pub(super) fn working_directory(&mut self, map: &mut MapReader<'c>) -> Option<String> {
        let node = map.optional("working_directory")?;
        self.places
            .insert("working_directory".to_owned(), node.span.clone());
        self.collector
            .string(node, "`working_directory`")
            .map(str::to_owned)
    }

    pub(super) fn templates(&mut self, map: &mut MapReader<'c>) -> Vec<ConfigTemplate> {
        let collector = self.collector;
        let places = &mut self.places;
        let mut count = 0;
        map.list_of("templates", |node| {
            let mut map = MapReader::new(collector, node, "a template")?;
            let (from, to) = (map.required("from"), map.required("to"));
            map.finish();
            let (from, to) = (from?, to?);
            places.insert(format!("templates.{count}"), from.span.clone());
            count += 1;
            let target = collector.string(to, "`to`")?;
            if !stays_below(target) {
                let title = format!("`to: {target}` leaves the state folder");
                let help = "give a path relative to the state folder, without `..`".to_owned();
                collector.error(&to.span, title, "made inside the state folder only", Some(help));
            }
            Some(ConfigTemplate {
                from: collector.string(from, "`from`")?.to_owned(),
                to: target.to_owned(),
            })
        })
    }

    pub(super) fn ready(&self, map: &mut MapReader<'c>, faces: &BTreeMap<String, String>) -> ReadyPolicy {
        let mut ready = ReadyPolicy::default();
        let Some(mut map) = map.map("ready") else {
            return ready;
        };
        ready.console = map.optional_string("console");
        if let Some(node) = map.optional("face")
            && let Some(face) = self.collector.string(node, "`ready.face`")
        {
            let known = faces.keys().map(String::as_str);
            if faces.contains_key(face) {
                ready.face = Some(face.to_owned());
            } else if faces.is_empty() {
                let title = "the unit has no faces to wait for";
                let help = "add `faces`, or wait for `console` text".to_owned();
                self.collector.error(&node.span, title, "", Some(help));
            } else {
                self.collector.unknown(&node.span, "face", face, known);
            }
        }
        ready.timeout = map.optional_duration("timeout").unwrap_or(ready.timeout);
        map.finish();
        ready
    }

    pub(super) fn stop(&self, map: &mut MapReader<'c>) -> StopPolicy {
        let mut stop = StopPolicy::default();
        let Some(mut map) = map.map("stop") else {
            return stop;
        };
        if let Some(node) = map.optional("signal")
            && let Some(word) = self.collector.string(node, "`stop.signal`")
        {
            let plain = word.strip_prefix("SIG").unwrap_or(word);
            match StopSignal::ALL.into_iter().find(|signal| signal.name() == plain) {
                Some(signal) => stop.signal = signal,
                None => {
                    let known = StopSignal::ALL.map(StopSignal::name);
                    self.collector.unknown(&node.span, "signal", plain, known);
                }
            }
        }
        stop.timeout = map.optional_duration("timeout").unwrap_or(stop.timeout);
        map.finish();
        stop
    }

    pub(super) fn restart(&self, map: &mut MapReader<'c>) -> RestartPolicy {
        let mut restart = RestartPolicy::default();
        let Some(node) = map.optional("restart") else {
            return restart;
        };
        let words = RestartWhen::ALL.map(RestartWhen::name);
        let word = if node.entries().is_some() {
            let Some(mut map) = MapReader::new(self.collector, node, "`restart`") else {
                return restart;
            };
            let word = map.required_word("when", words);
            restart.delay = map.optional_duration("delay").unwrap_or(restart.delay);
            map.finish();
            word
        } else {
            self.collector.word(node, "`restart`", words)
        };
        let when = RestartWhen::ALL
            .into_iter()
            .find(|when| Some(when.name()) == word);
        restart.when = when.unwrap_or(restart.when);
        restart
    }

    pub(super) fn hooks(&mut self, map: &mut MapReader<'c>, key: &'static str) -> BTreeMap<String, Hook> {
        let mut hooks = BTreeMap::new();
        for entry in map.entries_of(key) {
            self.places
                .insert(format!("{key}.{}", entry.key), entry.key_span.clone());
            if let Some(hook) = self.hook(&entry.value, &format!("`{key}.{}`", entry.key), key) {
                hooks.insert(entry.key.clone(), hook);
            }
        }
        hooks
    }

    fn hook(&self, node: &'c Node, what: &str, key: &str) -> Option<Hook> {
        let mut hook = Hook {
            command: Vec::new(),
            undo: None,
            format: HookFormat::Auto,
            timeout: Hook::TIMEOUT,
        };
        if node.entries().is_none() {
            hook.command = self.argument_list(node, what);
            return Some(hook);
        }
        let mut map = MapReader::new(self.collector, node, what)?;
        let command = map.required("command");
        let words = HookFormat::ALL.map(HookFormat::name);
        let format = map.optional_word("format", words);
        let known = HookFormat::ALL
            .into_iter()
            .find(|known| Some(known.name()) == format);
        hook.format = known.unwrap_or(hook.format);
        hook.timeout = map.optional_duration("timeout").unwrap_or(hook.timeout);
        // A probe changes nothing.
        if key == "stimuli" {
            let undo = map.optional("undo");
            hook.undo = undo.map(|undo| self.argument_list(undo, "`undo`"));
        }
        map.finish();
        hook.command = self.argument_list(command?, "`command`");
        Some(hook)
    }
}

fn stays_below(path: &str) -> bool {
    let mut components = Path::new(path).components().peekable();
    components.peek().is_some()
        && components.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Requests an adapter may be asked.
pub const ADAPTER_REQUESTS: [&str; 13] = [
    "hello",
    "provision",
    "start",
    "stop",
    "reboot",
    "power_cut",
    "version",
    "boot_state",
    "read_log",
    "set_clock",
    "fill_storage",
    "probe",
    "stimulate",
];

const TIMEOUTS: &str = "timeouts";
/// What only a program that hil starts has.
const PROGRAM_ONLY: [&str; 4] = ["command", "environment", "working_directory", "templates"];
const PROCESS_ONLY: [&str; 5] = ["ready", "stop", "restart", "probes", "stimuli"];
