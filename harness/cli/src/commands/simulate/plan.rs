//! From arguments to a unit and its surroundings, checked before anything starts.

use super::told::Told;
use crate::{
    args::SimulateArguments,
    units::{self, UnitsError},
};
use hil_link::{Address, pki::Identity};
use hil_scenario::{FieldType, Vocabulary};
use hil_sim::{Defect, artifacts_for, default_ics, default_timing, settings_of};
use hil_unit::{
    Artifacts, Endpoints,
    unit_file::{faces_of, parse_address},
};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// The unit that shall run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) protocol: Protocol,
    pub(super) defects: BTreeSet<Defect>,
    pub(super) endpoints: Endpoints,
    /// Where it listens, port 0 for a free one; `None` for a path in a folder of its own.
    pub(super) faces: BTreeMap<&'static str, Option<Address>>,
    pub(super) artifacts: Artifacts,
    pub(super) timing: Map<String, Value>,
    pub(super) ics: Map<String, Value>,
    pub(super) prepare: Map<String, Value>,
    pub(super) seed: u64,
    pub(super) state: Option<PathBuf>,
    /// A fact to print, and its arguments.
    pub(super) probe: Option<(String, Map<String, Value>)>,
    pub(super) json: bool,
}

/// What is wrong with the arguments.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    #[error("`--{argument} {given}`: expected {shape}")]
    Shape {
        argument: &'static str,
        given: String,
        shape: &'static str,
    },
    #[error("`--{argument} {given}`: units that speak {protocol} know no `{name}`; one of {known}")]
    Unknown {
        argument: &'static str,
        given: String,
        protocol: Protocol,
        name: String,
        known: String,
    },
    #[error("`{name}` is no URL: `{url}`")]
    Url { name: String, url: String },
    #[error(
        "units that speak {protocol} dial the cloud: say where it is with --cloud URL, --endpoints FILE or HIL_{}",
        name.to_uppercase()
    )]
    NoCloud { protocol: Protocol, name: &'static str },
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{}, line {line}: {what}", path.display())]
    Endpoints {
        path: PathBuf,
        line: usize,
        what: String,
    },
    #[error("{}: {problem}", path.display())]
    Pem { path: PathBuf, problem: &'static str },
    #[error(transparent)]
    Unit(#[from] UnitsError),
}

impl Plan {
    pub(super) fn of(arguments: &SimulateArguments) -> Result<Plan, PlanError> {
        let protocol = arguments.protocol;
        let told = told(arguments)?;
        let listen = listen(arguments, &told)?;
        let defects = units::defects(&arguments.defects)?;
        check_defects(&defects, arguments)?;
        let mut timing = default_timing(protocol);
        for (name, value) in &mut timing {
            if let Some(seconds) = told.get(name).and_then(seconds) {
                *value = json!(seconds);
            }
        }
        for given in &arguments.timing {
            let (name, value) = pair("timing", "NAME=TIME, such as poll_interval=5s", given)?;
            known("timing", given, protocol, name, timing.keys().map(String::as_str))?;
            let seconds = seconds(value).ok_or_else(|| PlanError::Shape {
                argument: "timing",
                given: given.clone(),
                shape: "a time such as 500ms, 5s, 2m",
            })?;
            timing.insert(name.to_owned(), json!(seconds));
        }
        let mut ics = default_ics(protocol);
        for (name, value) in facts("ics", &arguments.ics)? {
            ics.insert(name, value);
        }
        let mut artifacts = artifacts_for(protocol, &ics);
        let files = units::artifact_files(&arguments.artifacts)?;
        artifacts.0.extend(units::load_artifacts(&files)?.0);
        let endpoints = endpoints(protocol, &told, &listen)?;
        check_cloud(protocol, &endpoints, arguments)?;
        let mut prepare = declared(&told);
        prepare.extend(states(protocol, &arguments.prepare)?);
        if protocol == Protocol::Sota && endpoints.get("auth_url").is_empty() {
            // Nobody gives tokens: the unit is one without credentials.
            prepare.entry("auth").or_insert(json!(false));
        }
        Ok(Plan {
            protocol,
            defects,
            // Who only asks does not listen: the unit itself may run elsewhere.
            faces: match &arguments.probe {
                Some(_) => BTreeMap::new(),
                None => faces(protocol, &endpoints, listen),
            },
            endpoints,
            artifacts,
            timing,
            ics,
            prepare,
            seed: arguments
                .seed
                .or_else(|| told.get("seed")?.parse().ok())
                .unwrap_or_default(),
            state: arguments.state.clone(),
            probe: match &arguments.probe {
                Some(name) => Some((name.clone(), probe_arguments(&told, arguments)?)),
                None => None,
            },
            json: arguments.json,
        })
    }
}

/// Everything said, the command line last.
fn told(arguments: &SimulateArguments) -> Result<Told, PlanError> {
    let protocol = arguments.protocol;
    let names = settings_of(protocol);
    let mut told = Told::from_environment();
    if let Some(path) = &arguments.endpoints {
        told.add_file(path, protocol)?;
    }
    for given in &arguments.cloud {
        // A URL may have `=` in its query.
        let named = given.split_once('=').filter(|(name, _)| !name.contains(':'));
        let (name, url) = named.unwrap_or((names.first().copied().unwrap_or_default(), given));
        known("cloud", given, protocol, name, names.iter().copied())?;
        told.set(name, url);
    }
    for given in &arguments.settings {
        let (name, value) = pair("setting", "NAME=VALUE", given)?;
        known("setting", given, protocol, name, names.iter().copied())?;
        told.set(name, value);
    }
    if let Some(path) = &arguments.ca {
        told.set("ca_file", path.display().to_string());
    }
    for given in &arguments.identities {
        let shape = "NAME=CERTIFICATE,KEY";
        let (name, files) = pair("identity", shape, given)?;
        let (certificate, key) = files.split_once(',').ok_or_else(|| PlanError::Shape {
            argument: "identity",
            given: given.clone(),
            shape,
        })?;
        told.set(&format!("{name}{CERTIFICATE}"), certificate);
        told.set(&format!("{name}{KEY}"), key);
    }
    Ok(told)
}

/// The addresses given, by face.
fn listen(arguments: &SimulateArguments, told: &Told) -> Result<BTreeMap<&'static str, Address>, PlanError> {
    let all = faces_of(arguments.protocol);
    let mut listen = BTreeMap::new();
    for face in all.iter().copied() {
        if let Some(address) = told.get(&face.replace('-', "_")).and_then(parse_address) {
            listen.insert(face, address);
        }
    }
    for given in &arguments.listen {
        let shape = "FACE=HOST:PORT or FACE=/PATH";
        let (name, address) = pair("listen", shape, given)?;
        let face = all.iter().copied().find(|face| *face == name);
        let served = || all.iter().copied().filter(|face| !DIALLED.contains(face));
        known("listen", given, arguments.protocol, name, served())?;
        let address = parse_address(address).ok_or_else(|| PlanError::Shape {
            argument: "listen",
            given: given.clone(),
            shape,
        })?;
        if let Some(face) = face {
            listen.insert(face, address);
        }
    }
    Ok(listen)
}

fn endpoints(
    protocol: Protocol,
    told: &Told,
    listen: &BTreeMap<&'static str, Address>,
) -> Result<Endpoints, PlanError> {
    let mut endpoints = Endpoints::default();
    for name in settings_of(protocol) {
        if let Some(value) = told.get(name) {
            if name.ends_with("_url") && hil_wire::http::AbsoluteUrl::parse(&http_form(value)).is_none() {
                return Err(PlanError::Url {
                    name: (*name).to_owned(),
                    url: value.to_owned(),
                });
            }
            endpoints.set(name, value);
        }
    }
    if protocol == Protocol::DeviceCommand && endpoints.get("mode").is_empty() {
        let direct = listen.contains_key(DIRECT);
        endpoints.set("mode", if direct { "direct" } else { "relay" });
    }
    if let Some(path) = told.get("ca_file") {
        endpoints.authority = pem(Path::new(path), "CERTIFICATE")?;
    }
    for name in told.names_before(CERTIFICATE) {
        let (certificate, key) = (
            told.get(&format!("{name}{CERTIFICATE}")),
            told.get(&format!("{name}{KEY}")),
        );
        if let (Some(certificate), Some(key)) = (certificate, key) {
            let identity = Identity {
                certificate_chain: pem(Path::new(certificate), "CERTIFICATE")?,
                private_key: pem(Path::new(key), "PRIVATE KEY")?,
            };
            endpoints.identities.insert(name.to_owned(), identity);
        }
    }
    Ok(endpoints)
}

/// A unit that dials must be told whom.
fn check_cloud(
    protocol: Protocol,
    endpoints: &Endpoints,
    arguments: &SimulateArguments,
) -> Result<(), PlanError> {
    let serves = match protocol {
        Protocol::EdgePoll | Protocol::AosV7 => false,
        Protocol::DeviceCommand => endpoints.get("mode") == "direct",
        Protocol::OtaRpc | Protocol::Sota => true,
    };
    match settings_of(protocol).first().copied() {
        Some(name) if !serves && arguments.probe.is_none() && endpoints.get(name).is_empty() => {
            Err(PlanError::NoCloud { protocol, name })
        }
        _ => Ok(()),
    }
}

/// Where it listens, given or not.
fn faces(
    protocol: Protocol,
    endpoints: &Endpoints,
    mut given: BTreeMap<&'static str, Address>,
) -> BTreeMap<&'static str, Option<Address>> {
    let served = faces_of(protocol).iter().copied().filter(|face| match *face {
        DIRECT => endpoints.get("mode") == "direct",
        face => !DIALLED.contains(&face),
    });
    served
        .map(|face| {
            let loopback = || match face {
                SERIAL | COMMANDS => None,
                _ => Some(Address::Host("127.0.0.1".to_owned(), 0)),
            };
            (face, given.remove(face).or_else(loopback))
        })
        .collect()
}

fn check_defects(defects: &BTreeSet<Defect>, arguments: &SimulateArguments) -> Result<(), PlanError> {
    let protocol = arguments.protocol;
    let all = Defect::of(protocol).map(Defect::name);
    for defect in defects {
        known("defect", defect.name(), protocol, defect.name(), all.clone())?;
    }
    Ok(())
}

fn known<'n>(
    argument: &'static str,
    given: &str,
    protocol: Protocol,
    name: &str,
    mut all: impl Iterator<Item = &'n str> + Clone,
) -> Result<(), PlanError> {
    if all.clone().any(|known| known == name) {
        return Ok(());
    }
    let first = all.next().unwrap_or("none").to_owned();
    Err(PlanError::Unknown {
        argument,
        given: given.to_owned(),
        protocol,
        name: name.to_owned(),
        known: all.fold(first, |all, name| all + ", " + name),
    })
}

fn pair<'g>(
    argument: &'static str,
    shape: &'static str,
    given: &'g str,
) -> Result<(&'g str, &'g str), PlanError> {
    let wrong = || PlanError::Shape {
        argument,
        given: given.to_owned(),
        shape,
    };
    let (name, value) = given.split_once('=').ok_or_else(wrong)?;
    if name.is_empty() {
        return Err(wrong());
    }
    Ok((name, value))
}

fn facts(argument: &'static str, given: &[String]) -> Result<Map<String, Value>, PlanError> {
    let read = |text: &String| {
        units::parse_setting(text).ok_or_else(|| PlanError::Shape {
            argument,
            given: text.clone(),
            shape: "NAME=VALUE",
        })
    };
    given.iter().map(read).collect()
}

/// Declared states by the words of the protocol: a misspelled access list would leave the unit open.
fn states(protocol: Protocol, given: &[String]) -> Result<Map<String, Value>, PlanError> {
    let states = facts("prepare", given)?;
    let vocabulary = Vocabulary::embedded().unwrap_or_default();
    let words = &vocabulary.words(protocol).prepare;
    for text in given {
        let Some((name, value)) = units::parse_setting(text) else {
            continue;
        };
        if !words.is_empty() {
            known("prepare", text, protocol, &name, words.keys().map(String::as_str))?;
        }
        let wants_map = words
            .get(&name)
            .is_some_and(|field| field.kind == FieldType::Object);
        if wants_map && !value.is_object() {
            return Err(PlanError::Shape {
                argument: "prepare",
                given: text.clone(),
                shape: "a JSON object as the value",
            });
        }
    }
    Ok(states)
}

/// The declared state a process unit is told.
fn declared(told: &Told) -> Map<String, Value> {
    told.all()
        .filter_map(|(name, value)| Some((name.strip_prefix("prepare_")?.to_owned(), value)))
        .map(|(name, value)| (name, serde_json::from_str(value).unwrap_or_else(|_| json!(value))))
        .collect()
}

/// What was told is an argument, too: so a process unit is given the arguments of its probes.
fn probe_arguments(told: &Told, arguments: &SimulateArguments) -> Result<Map<String, Value>, PlanError> {
    // What the call did not say is told as an empty text.
    let mut all: Map<String, Value> = told
        .all()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    all.extend(facts("argument", &arguments.arguments)?);
    Ok(all)
}

/// `5s` or, as processes are told, `5`.
fn seconds(text: &str) -> Option<f64> {
    let seconds = hil_diagnostic::parse_seconds(text)
        .ok()
        .or_else(|| text.parse().ok())?;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

/// The same URL as of HTTP.
fn http_form(url: &str) -> String {
    match url.split_once("://") {
        Some(("ws" | "mqtt", rest)) => format!("http://{rest}"),
        Some(("wss" | "mqtts", rest)) => format!("https://{rest}"),
        _ => url.to_owned(),
    }
}

fn pem(path: &Path, label: &'static str) -> Result<String, PlanError> {
    let text = fs::read_to_string(path).map_err(|error| PlanError::File {
        path: path.to_owned(),
        error,
    })?;
    if text.contains(&format!("{label}-----")) {
        return Ok(text);
    }
    Err(PlanError::Pem {
        path: path.to_owned(),
        problem: match label {
            "CERTIFICATE" => "there is no PEM certificate in it",
            _ => "there is no PEM private key in it",
        },
    })
}

/// The face that is a serial line.
pub(super) const SERIAL: &str = "rpc-serial";
/// The face that is a Unix socket.
pub(super) const COMMANDS: &str = "sota-commands";
/// Where an installer and a bus listen, which the unit dials.
const DIALLED: [&str; 2] = ["sota-events", "sota-bus"];
const DIRECT: &str = "device-direct";
const CERTIFICATE: &str = "_certificate_file";
const KEY: &str = "_key_file";
