//! Commands as a step asks for them, and their bytes on each gateway (reference sections 1 and 2).

use crate::core::ActError;
use hil_wire::sota::{
    Authentication, ClientCredentials, Command, Dialect, InstalledSoftware, OperationResult, Package,
    ResultCode, UpdateReport,
    text::{Keywords, format},
};
use serde_json::{Map, Value};
use std::time::Duration;

/// Which gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gateway {
    Http,
    WebSocket,
    Socket,
    Console,
}

impl Gateway {
    /// Reads the argument `gateway`.
    pub(super) fn read(with: &Map<String, Value>) -> Result<Gateway, ActError> {
        match word(with, "gateway") {
            None | Some("http") => Ok(Gateway::Http),
            Some("websocket") => Ok(Gateway::WebSocket),
            Some("socket") => Ok(Gateway::Socket),
            Some("console") => Ok(Gateway::Console),
            Some(_) => Err(bad("gateway", "is none of http, websocket, socket, console")),
        }
    }

    /// The word in scenarios and notes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Gateway::Http => "http",
            Gateway::WebSocket => "websocket",
            Gateway::Socket => "socket",
            Gateway::Console => "console",
        }
    }
}

/// Reads the arguments of `cloud.command`.
pub(super) fn read(with: &Map<String, Value>) -> Result<Command, ActError> {
    let id = || {
        word(with, "id")
            .map(str::to_owned)
            .ok_or_else(|| bad("id", "is needed"))
    };
    Ok(match word(with, "command").unwrap_or_default() {
        "Authenticate" => Command::Authenticate(match word(with, "client_id") {
            None => Authentication::None,
            Some(client_id) => Authentication::Credentials(ClientCredentials {
                client_id: client_id.to_owned(),
                client_secret: word(with, "client_secret").unwrap_or_default().to_owned(),
            }),
        }),
        "Shutdown" => Command::Shutdown,
        "GetUpdateRequests" => Command::GetUpdateRequests,
        "ListInstalledPackages" => Command::ListInstalledPackages,
        "ListSystemInfo" => Command::ListSystemInfo,
        "SendSystemInfo" => Command::SendSystemInfo,
        "StartDownload" => Command::StartDownload(id()?),
        "StartInstall" => Command::StartInstall(id()?),
        "SendInstalledPackages" => Command::SendInstalledPackages(packages(with)?),
        "SendInstalledSoftware" => Command::SendInstalledSoftware(InstalledSoftware {
            packages: Vec::new(),
            firmwares: Vec::new(),
        }),
        "SendUpdateReport" => Command::SendUpdateReport(report(with, id()?)?),
        _ => return Err(bad("command", "is no command")),
    })
}

/// The report of `cloud.command` and `cloud.install_report`.
pub(super) fn report(with: &Map<String, Value>, id: String) -> Result<UpdateReport, ActError> {
    let Some(Value::Array(results)) = with.get("results") else {
        return Ok(UpdateReport {
            operation_results: vec![result(with, &id)?],
            update_id: id,
        });
    };
    let results = results.iter().map(|given| match given {
        Value::Object(given) => result(given, &id),
        _ => Err(bad("results", "each result is a map")),
    });
    Ok(UpdateReport {
        operation_results: results.collect::<Result<_, _>>()?,
        update_id: id,
    })
}

/// The command as the gateway wants it.
pub(super) fn payload(
    command: &Command,
    gateway: Gateway,
    dialect: Dialect,
    short: bool,
) -> Result<Vec<u8>, ActError> {
    let keywords = if short { Keywords::Short } else { Keywords::Long };
    let text = match gateway {
        Gateway::Socket => format(command, dialect, keywords),
        Gateway::Console => format(command, dialect, keywords).map(|text| text + "\n"),
        Gateway::Http | Gateway::WebSocket => command.encode(dialect),
    };
    text.map(String::into_bytes)
        .map_err(|error| bad("command", &error.to_string()))
}

/// A text argument.
pub(super) fn word<'a>(with: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    with.get(name).and_then(Value::as_str)
}

/// A duration argument; the runner hands durations over as numbers of seconds.
pub(super) fn span(with: &Map<String, Value>, name: &str, default: f64) -> Duration {
    let seconds = with.get(name).and_then(Value::as_f64).unwrap_or(default);
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Bytes of `cloud.command_raw`.
pub(super) fn raw_bytes(with: &Map<String, Value>) -> Result<Vec<u8>, ActError> {
    let fill = with.get("fill").and_then(Value::as_u64).unwrap_or(0);
    let mut bytes = vec![b'x'; usize::try_from(fill).unwrap_or(MOST).min(MOST)];
    bytes.extend_from_slice(word(with, "text").unwrap_or_default().as_bytes());
    let digits: Option<Vec<u8>> = word(with, "hex")
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits
        .filter(|digits| digits.len() % 2 == 0)
        .ok_or_else(|| bad("hex", "is no hex"))?;
    bytes.extend(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]));
    Ok(bytes)
}

/// A complaint about an argument.
pub(super) fn bad(argument: &str, problem: &str) -> ActError {
    ActError::BadArgument {
        argument: argument.to_owned(),
        problem: problem.to_owned(),
    }
}

fn result(with: &Map<String, Value>, id: &str) -> Result<OperationResult, ActError> {
    let code = match with.get("result_code") {
        None | Some(Value::Null) => Some(ResultCode::OK),
        Some(Value::String(text)) => ResultCode::from_word(text),
        Some(other) => other.as_u64().and_then(ResultCode::from_number),
    };
    Ok(OperationResult {
        id: word(with, "id").unwrap_or(id).to_owned(),
        result_code: code.ok_or_else(|| bad("result_code", "is no result code"))?,
        result_text: word(with, "result_text").unwrap_or_default().to_owned(),
    })
}

/// The packages of the step, or as many as it asks for.
fn packages(with: &Map<String, Value>) -> Result<Vec<Package>, ActError> {
    if let Some(many) = with.get("many").and_then(Value::as_u64) {
        return Ok((1..=many.min(MOST_PACKAGES)).map(made_up).collect());
    }
    let Some(Value::Array(packages)) = with.get("packages") else {
        return Ok(Vec::new());
    };
    let read = |package: &Value| {
        let name = package.get("name").and_then(Value::as_str)?;
        let version = package.get("version").and_then(Value::as_str)?;
        Some(Package::new(name, version))
    };
    let packages: Option<Vec<Package>> = packages.iter().map(read).collect();
    packages.ok_or_else(|| bad("packages", "each has a name and a version"))
}

/// A package whose name is made of letters of three bytes: whoever reads it piece by piece cuts one of them.
fn made_up(number: u64) -> Package {
    let letters = "軟體套件".repeat(8);
    Package::new(format!("{letters}-{number}"), format!("1.{number}-größe~ü"))
}

const MOST: usize = 32 << 20;
const MOST_PACKAGES: u64 = 100_000;
