//! From arguments to what shall be served, checked before anything starts.

use super::data::{DataFolder, Keys};
use crate::{
    args::CloudArguments,
    units::{self, UnitsError},
};
use hil_fault::Artifacts;
use hil_link::Address;
use hil_mock_cloud::CloudSettings;
use hil_runner::Redaction;
use hil_sim::artifacts_for;
use hil_unit::unit_file::{faces_of, parse_address};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    net::{IpAddr, ToSocketAddrs},
    path::PathBuf,
};

/// What shall be served, and how.
pub(super) struct Plan {
    pub(super) protocols: Vec<Protocol>,
    pub(super) bind: String,
    pub(super) advertised_host: String,
    pub(super) public_url: Option<String>,
    /// By face, or `PROTOCOL.FACE`.
    pub(super) ports: BTreeMap<String, u16>,
    pub(super) admin: String,
    pub(super) unit_id: String,
    pub(super) unit_faces: BTreeMap<String, Address>,
    pub(super) trace: bool,
    pub(super) keep: usize,
    admin_is_local: bool,
    admin_token: Option<String>,
    unit_key: Option<String>,
    publish_token: Option<String>,
    options: Vec<(String, Value)>,
    key_log: Option<PathBuf>,
    given_artifacts: Option<Artifacts>,
}

/// What is wrong with the arguments.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    #[error("`--port {0}`: expected FACE=PORT with a port from 0 to 65535")]
    Port(String),
    #[error("`--option {0}`: expected NAME=VALUE")]
    Option(String),
    #[error("`--unit-face {0}`: expected FACE=HOST:PORT or FACE=PATH, FACE one of {1}")]
    UnitFace(String, String),
    #[error("`--admin {0}`: expected HOST:PORT")]
    AdminAddress(String),
    #[error(
        "`--admin {0}` is reachable from other machines: give a token with --admin-token or HIL_ADMIN_TOKEN"
    )]
    AdminNeedsToken(String),
    #[error("`{argument}` must have at least {least} visible characters without spaces")]
    WeakSecret { argument: &'static str, least: usize },
    #[error("`--public-url {0}`: expected http:// or https:// and a host")]
    PublicUrl(String),
    #[error(transparent)]
    Artifacts(#[from] UnitsError),
}

/// The token of the admin interface.
pub(super) struct AdminToken {
    pub(super) value: String,
    /// Without it nothing is answered; on loopback it is only checked where it is given.
    pub(super) required: bool,
}

impl Plan {
    pub(super) fn of(arguments: &CloudArguments) -> Result<Plan, PlanError> {
        let admin_is_local = is_loopback(&arguments.admin)?;
        // A variable that is set to nothing gives nothing.
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (admin_token, unit_key) = (given(&arguments.admin_token), given(&arguments.unit_key));
        if !admin_is_local && admin_token.is_none() {
            return Err(PlanError::AdminNeedsToken(arguments.admin.clone()));
        }
        check_secret("--admin-token", admin_token.as_deref(), 8)?;
        check_secret("--unit-key", unit_key.as_deref(), 16)?;
        // An empty one is allowed: nobody publishes then.
        check_secret("--publish-token", arguments.publish_token.as_deref(), 0)?;
        let public_url = given(&arguments.public_url);
        if let Some(url) = &public_url
            && hil_wire::http::AbsoluteUrl::parse(url).is_none()
        {
            return Err(PlanError::PublicUrl(url.clone()));
        }
        let mut protocols = arguments.protocol.clone();
        if protocols.is_empty() {
            protocols = Protocol::ALL.to_vec();
        }
        protocols.sort();
        protocols.dedup();
        let given = units::artifact_files(&arguments.artifacts)?;
        let given_artifacts = match given.is_empty() {
            true => None,
            false => Some(units::load_artifacts(&given)?),
        };
        Ok(Plan {
            protocols,
            advertised_host: arguments
                .advertise
                .clone()
                .unwrap_or_else(|| own_name(&arguments.bind)),
            bind: arguments.bind.clone(),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            ports: each(&arguments.ports, port)?,
            admin: arguments.admin.clone(),
            unit_id: arguments.unit_id.clone(),
            unit_faces: each(&arguments.unit_faces, unit_face)?,
            trace: arguments.trace,
            keep: arguments.keep,
            admin_is_local,
            admin_token,
            unit_key,
            publish_token: arguments.publish_token.clone(),
            options: each(&arguments.options, option)?,
            key_log: arguments.key_log.clone(),
            given_artifacts,
        })
    }

    /// Keeps what the user gave as keys and tokens out of the trace.
    pub(super) fn redaction(&self) -> Redaction {
        let given = [
            ("admin_token", &self.admin_token),
            ("unit_key", &self.unit_key),
            ("publish_token", &self.publish_token),
        ];
        let named = |(name, value): (&str, &Option<String>)| Some((name.to_owned(), value.clone()?));
        Redaction::of_settings(&given.into_iter().filter_map(named).collect())
    }

    pub(super) fn admin_token(&self, keys: &Keys) -> AdminToken {
        AdminToken {
            value: self
                .admin_token
                .clone()
                .unwrap_or_else(|| keys.admin_token.clone()),
            required: !self.admin_is_local || self.admin_token.is_some(),
        }
    }

    /// Images that can be published.
    pub(super) fn artifacts(&self, protocol: Protocol) -> Artifacts {
        match &self.given_artifacts {
            Some(given) => given.clone(),
            None => {
                let options = self.options.iter();
                let said = options
                    .filter_map(|(name, value)| Some((scoped(protocol, name)?.to_owned(), value.clone())));
                artifacts_for(protocol, &said.collect())
            }
        }
    }

    pub(super) fn settings(&self, protocol: Protocol, data: &DataFolder) -> CloudSettings {
        let keys = data.keys();
        let mut options = Map::new();
        options.insert(
            "authority_directory".to_owned(),
            json!(data.pki().display().to_string()),
        );
        if let Some(path) = &self.key_log {
            options.insert("tls_key_log".to_owned(), json!(path.display().to_string()));
        }
        if let Some(certificate) = data.kept_certificate(protocol, &self.unit_id, "offline") {
            options.insert("offline_certificate".to_owned(), json!(certificate));
        }
        for (name, value) in &self.options {
            if let Some(name) = scoped(protocol, name) {
                options.insert(name.to_owned(), value.clone());
            }
        }
        let ports = self.ports.iter();
        let ports = ports.filter_map(|(face, port)| Some((scoped(protocol, face)?.to_owned(), *port)));
        CloudSettings {
            protocol,
            bind: self.bind.clone(),
            advertised_host: self.advertised_host.clone(),
            ports: ports.collect(),
            public_url: self.public_url.clone(),
            unit_id: self.unit_id.clone(),
            unit_key: self.unit_key.clone().unwrap_or_else(|| keys.unit_key.clone()),
            admin_token: self.admin_token(keys).value,
            publish_token: self
                .publish_token
                .clone()
                .unwrap_or_else(|| keys.publish_token.clone()),
            options,
            seed: keys.seed,
        }
    }
}

/// A name that may begin with the protocol it is meant for: `tls`, `aos-v7.tls`.
pub(super) fn scoped(protocol: Protocol, name: &str) -> Option<&str> {
    match name.split_once('.') {
        Some((scope, rest)) if scope.parse::<Protocol>().is_ok() => {
            (scope == protocol.name()).then_some(rest)
        }
        _ => Some(name),
    }
}

fn each<T, C: FromIterator<T>>(
    given: &[String],
    read: fn(&str) -> Result<T, PlanError>,
) -> Result<C, PlanError> {
    given.iter().map(|text| read(text)).collect()
}

fn port(text: &str) -> Result<(String, u16), PlanError> {
    let read = || {
        let (face, port) = text.split_once('=')?;
        Some((face.to_owned(), port.parse().ok()?))
    };
    read().ok_or_else(|| PlanError::Port(text.to_owned()))
}

fn option(text: &str) -> Result<(String, Value), PlanError> {
    units::parse_setting(text).ok_or_else(|| PlanError::Option(text.to_owned()))
}

fn unit_face(text: &str) -> Result<(String, Address), PlanError> {
    let read = || {
        let (face, address) = text.split_once('=')?;
        is_unit_face(face).then_some(())?;
        Some((face.to_owned(), parse_address(address)?))
    };
    read().ok_or_else(|| {
        let known: Vec<&str> = Protocol::ALL
            .iter()
            .flat_map(|protocol| faces_of(*protocol))
            .copied()
            .collect();
        PlanError::UnitFace(text.to_owned(), known.join(", "))
    })
}

/// Whether units of any protocol have such a face.
pub(super) fn is_unit_face(face: &str) -> bool {
    Protocol::ALL
        .iter()
        .any(|protocol| faces_of(*protocol).contains(&face))
}

fn check_secret(argument: &'static str, given: Option<&str>, least: usize) -> Result<(), PlanError> {
    let usable = |text: &str| text.len() >= least && text.bytes().all(|byte| byte.is_ascii_graphic());
    match given {
        Some(text) if !usable(text) => Err(PlanError::WeakSecret { argument, least }),
        _ => Ok(()),
    }
}

fn is_loopback(address: &str) -> Result<bool, PlanError> {
    let wrong = || PlanError::AdminAddress(address.to_owned());
    let (_, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    port.parse::<u16>().map_err(|_| wrong())?;
    let mut resolved = address.to_socket_addrs().map_err(|_| wrong())?.peekable();
    if resolved.peek().is_none() {
        return Err(wrong());
    }
    Ok(resolved.all(|address| address.ip().is_loopback()))
}

/// The host units are told if none is given: where it listens, or this machine's name if that is everywhere.
fn own_name(bind: &str) -> String {
    if !bind
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_unspecified())
    {
        return bind.to_owned();
    }
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}
