//! Commands to the client (reference section 1.3).

use super::{
    credentials::{Authentication, ClientCredentials},
    dialect::{Dialect, NotExpressible},
    members::{Codes, Context, Read},
    package::Package,
    software::InstalledSoftware,
    update_report::UpdateReport,
    variant::{Variant, join},
};
use crate::{
    json,
    oddity::{Decoded, OddityKind},
};
use serde_json::{Value, json};

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Get a token.
    Authenticate(Authentication),
    /// End the process.
    Shutdown,
    /// Ask Core for updates now.
    GetUpdateRequests,
    /// List the installed packages.
    ListInstalledPackages,
    /// Run the configured command and return its output.
    ListSystemInfo,
    /// Download the update of this id.
    StartDownload(String),
    /// Install the update of this id.
    StartInstall(String),
    /// Send the complete list of packages to Core.
    SendInstalledPackages(Vec<Package>),
    /// Send packages and firmware to the RVI backend.
    SendInstalledSoftware(InstalledSoftware),
    /// Send the output of the configured command to Core.
    SendSystemInfo,
    /// Send the outcome of an update to Core; `SendInstallReport` in the serde dialect.
    SendUpdateReport(UpdateReport),
}

impl Command {
    /// The name in that dialect.
    pub fn name(&self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Command::Authenticate(_), _) => "Authenticate",
            (Command::Shutdown, _) => "Shutdown",
            (Command::GetUpdateRequests, _) => "GetUpdateRequests",
            (Command::ListInstalledPackages, _) => "ListInstalledPackages",
            (Command::ListSystemInfo, _) => "ListSystemInfo",
            (Command::StartDownload(_), _) => "StartDownload",
            (Command::StartInstall(_), _) => "StartInstall",
            (Command::SendInstalledPackages(_), _) => "SendInstalledPackages",
            (Command::SendInstalledSoftware(_), _) => "SendInstalledSoftware",
            (Command::SendSystemInfo, _) => "SendSystemInfo",
            (Command::SendUpdateReport(_), Dialect::Rustc) => "SendUpdateReport",
            (Command::SendUpdateReport(_), Dialect::Serde) => "SendInstallReport",
        }
    }

    /// Names of the final events an undisturbed run of the command may end in. Beyond these, every command
    /// but `Shutdown` may end in `Error` or `NotAuthenticated`.
    pub fn final_events(&self, dialect: Dialect) -> &'static [&'static str] {
        match (self, dialect) {
            (Command::Authenticate(_), Dialect::Rustc) => &["Authenticated", "AlreadyAuthenticated"],
            (Command::Authenticate(_), Dialect::Serde) => &["Authenticated"],
            (Command::Shutdown, _) => &[],
            (Command::GetUpdateRequests, _) => &["NoUpdateRequests", "UpdatesReceived"],
            (Command::ListInstalledPackages, _) => &["FoundInstalledPackages"],
            (Command::ListSystemInfo, _) => &["FoundSystemInfo"],
            (Command::StartDownload(_), _) => &["DownloadComplete", "DownloadFailed"],
            (Command::StartInstall(_), _) => &["InstallComplete", "InstallFailed", "Error"],
            (Command::SendInstalledPackages(_), _) => &["InstalledPackagesSent"],
            (Command::SendInstalledSoftware(_), _) => &["InstalledSoftwareSent"],
            (Command::SendSystemInfo, _) => &["SystemInfoSent"],
            (Command::SendUpdateReport(_), Dialect::Rustc) => &["UpdateReportSent"],
            (Command::SendUpdateReport(_), Dialect::Serde) => &["InstallReportSent"],
        }
    }

    /// Decodes a command. One of the other dialect is understood and noted as invalid, so is a result code
    /// written as a number.
    pub fn decode(bytes: &[u8], dialect: Dialect) -> Decoded<Command> {
        let parsed = json::parse(bytes);
        let Some(value) = parsed.value else {
            return Decoded {
                value: None,
                oddities: parsed.oddities,
            };
        };
        let mut decoded = Command::from_value(&value, dialect);
        decoded.oddities.splice(0..0, parsed.oddities);
        decoded
    }

    /// Reads a command from parsed JSON.
    pub fn from_value(value: &Value, dialect: Dialect) -> Decoded<Command> {
        let mut context = Context::new(dialect, Codes::Names);
        note_dialect(value, &mut context);
        let spoken = context.dialect;
        let command = Variant::split(value, |name| arity(name, spoken), &mut context)
            .and_then(|variant| read(&variant, &mut context));
        Decoded {
            value: command,
            oddities: context.oddities,
        }
    }

    /// The command as JSON.
    pub fn to_value(&self, dialect: Dialect) -> Result<Value, NotExpressible> {
        let name = self.name(dialect);
        let fields = match self {
            Command::Authenticate(authentication) => vec![write_authentication(authentication, dialect)?],
            Command::StartDownload(id) | Command::StartInstall(id) => vec![id.clone().into()],
            Command::SendInstalledPackages(packages) => {
                vec![packages.iter().map(Package::to_value).collect()]
            }
            Command::SendInstalledSoftware(software) => vec![software.to_value()],
            Command::SendUpdateReport(report) => vec![report.to_value(Codes::Names)],
            _ => Vec::new(),
        };
        Ok(join(name, fields, dialect))
    }

    /// The command as compact JSON text.
    pub fn encode(&self, dialect: Dialect) -> Result<String, NotExpressible> {
        self.to_value(dialect).map(|value| value.to_string())
    }
}

/// Notes a message of the other dialect and goes on in it.
pub(super) fn note_dialect(value: &Value, context: &mut Context) {
    if let Some(spoken) = Dialect::of_shape(value).filter(|&spoken| spoken != context.dialect) {
        let detail = format!("{spoken} dialect where {} is spoken", context.dialect);
        context.invalid(OddityKind::Dialect, "", detail);
        context.dialect = spoken;
    }
}

fn arity(name: &str, dialect: Dialect) -> Option<usize> {
    Some(match (name, dialect) {
        ("Shutdown" | "GetUpdateRequests" | "ListInstalledPackages", _) => 0,
        ("ListSystemInfo" | "SendSystemInfo", _) => 0,
        ("Authenticate" | "StartDownload" | "StartInstall", _) => 1,
        ("SendInstalledPackages" | "SendInstalledSoftware", _) => 1,
        ("SendUpdateReport", Dialect::Rustc) | ("SendInstallReport", Dialect::Serde) => 1,
        _ => return None,
    })
}

fn read(variant: &Variant<'_>, context: &mut Context) -> Option<Command> {
    Some(match variant.name {
        "Authenticate" => Command::Authenticate(read_authentication(variant, context)?),
        "Shutdown" => Command::Shutdown,
        "GetUpdateRequests" => Command::GetUpdateRequests,
        "ListInstalledPackages" => Command::ListInstalledPackages,
        "ListSystemInfo" => Command::ListSystemInfo,
        "SendSystemInfo" => Command::SendSystemInfo,
        "StartDownload" => Command::StartDownload(variant.update_id(0, context)?),
        "StartInstall" => Command::StartInstall(variant.update_id(0, context)?),
        "SendInstalledPackages" => Command::SendInstalledPackages(variant.field(0, context)?),
        "SendInstalledSoftware" => Command::SendInstalledSoftware(variant.field(0, context)?),
        "SendUpdateReport" | "SendInstallReport" => Command::SendUpdateReport(variant.field(0, context)?),
        _ => return None,
    })
}

fn read_authentication(variant: &Variant<'_>, context: &mut Context) -> Option<Authentication> {
    let (value, path) = variant.raw(0)?;
    match (context.dialect, value) {
        (Dialect::Rustc, Value::Null) => Some(Authentication::None),
        (Dialect::Rustc, _) => ClientCredentials::read(value, path, context).map(Authentication::Credentials),
        (Dialect::Serde, Value::String(name)) if name == "None" => Some(Authentication::None),
        (Dialect::Serde, Value::String(name)) if name == "Certificate" => Some(Authentication::Certificate),
        (Dialect::Serde, Value::Object(members)) if members.contains_key("Credentials") => {
            let path = format!("{path}/Credentials");
            ClientCredentials::read(&members["Credentials"], &path, context).map(Authentication::Credentials)
        }
        (Dialect::Serde, Value::String(_) | Value::Object(_)) => {
            let detail = "must be None, Certificate or Credentials";
            context.invalid(OddityKind::UnknownName, path, detail);
            None
        }
        (Dialect::Serde, _) => {
            context.invalid(OddityKind::WrongType, path, "must be a string or an object");
            None
        }
    }
}

fn write_authentication(authentication: &Authentication, dialect: Dialect) -> Result<Value, NotExpressible> {
    Ok(match (authentication, dialect) {
        (Authentication::None, Dialect::Rustc) => Value::Null,
        (Authentication::None, Dialect::Serde) => "None".into(),
        (Authentication::Certificate, Dialect::Serde) => "Certificate".into(),
        (Authentication::Certificate, Dialect::Rustc) => {
            return Err(NotExpressible::Variant {
                name: "Certificate",
                dialect,
            });
        }
        (Authentication::Credentials(credentials), Dialect::Rustc) => credentials.to_value(),
        (Authentication::Credentials(credentials), Dialect::Serde) => {
            json!({"Credentials": credentials.to_value()})
        }
    })
}
