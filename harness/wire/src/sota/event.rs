//! Events of the client (reference section 1.4).

use super::{
    command::note_dialect,
    dialect::{Dialect, NotExpressible},
    download::DownloadComplete,
    members::{Codes, Context},
    package::Package,
    update_available::UpdateAvailable,
    update_report::{OperationResult, UpdateReport},
    update_request::UpdateRequest,
    variant::{Variant, check_update_id, join},
};
use crate::{
    json,
    oddity::{Decoded, OddityKind},
};
use serde_json::Value;

/// An event. Its debug form is what the console gateway prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A command failed; free text.
    Error(String),
    /// A token was obtained.
    Authenticated,
    /// No token, or refused with 401 or 403.
    NotAuthenticated,
    /// `Authenticate` had nothing to do; rustc dialect only.
    AlreadyAuthenticated,
    /// Core lists these updates; never empty, ascending by position.
    UpdatesReceived(Vec<UpdateRequest>),
    /// An announcement over RVI.
    UpdateAvailable(UpdateAvailable),
    /// Core lists no update.
    NoUpdateRequests,
    /// The installed packages.
    FoundInstalledPackages(Vec<Package>),
    /// Output of the configured command, verbatim.
    FoundSystemInfo(String),
    /// A download begins.
    DownloadingUpdate(String),
    /// A download is on disk.
    DownloadComplete(DownloadComplete),
    /// A download failed: id and reason.
    DownloadFailed(String, String),
    /// An installation begins.
    InstallingUpdate(String),
    /// An installation ended with code 0 or 1.
    InstallComplete(UpdateReport),
    /// An installation ended with another code.
    InstallFailed(UpdateReport),
    /// Core took a report; rustc dialect only.
    UpdateReportSent,
    /// Core took this report; serde dialect only.
    InstallReportSent(UpdateReport),
    /// Core took the packages.
    InstalledPackagesSent,
    /// The software was sent.
    InstalledSoftwareSent,
    /// Core took the system information.
    SystemInfoSent,
    /// The RVI backend asks for the software.
    InstalledSoftwareNeeded,
    /// Packages are asked for; serde dialect only.
    InstalledPackagesNeeded,
    /// System information is asked for; serde dialect only.
    SystemInfoNeeded,
    /// An event of the Uptane flow with its data as it was; serde dialect only.
    Uptane(UptaneEvent, Option<Value>),
}

/// Names of the Uptane flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UptaneEvent {
    /// `UptaneTimestampUpdated`.
    TimestampUpdated,
    /// `UptaneNoUpdates`.
    NoUpdates,
    /// `UptaneSnapshotUpdated`.
    SnapshotUpdated,
    /// `UptaneTargetsUpdated`.
    TargetsUpdated,
    /// `UptaneInstallComplete`.
    InstallComplete,
    /// `UptaneInstallFailed`.
    InstallFailed,
    /// `UptaneInstallNeeded`.
    InstallNeeded,
    /// `UptaneManifestNeeded`.
    ManifestNeeded,
    /// `UptaneManifestSent`.
    ManifestSent,
}

impl UptaneEvent {
    /// Every one.
    pub const ALL: [UptaneEvent; 9] = [
        UptaneEvent::TimestampUpdated,
        UptaneEvent::NoUpdates,
        UptaneEvent::SnapshotUpdated,
        UptaneEvent::TargetsUpdated,
        UptaneEvent::InstallComplete,
        UptaneEvent::InstallFailed,
        UptaneEvent::InstallNeeded,
        UptaneEvent::ManifestNeeded,
        UptaneEvent::ManifestSent,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            UptaneEvent::TimestampUpdated => "UptaneTimestampUpdated",
            UptaneEvent::NoUpdates => "UptaneNoUpdates",
            UptaneEvent::SnapshotUpdated => "UptaneSnapshotUpdated",
            UptaneEvent::TargetsUpdated => "UptaneTargetsUpdated",
            UptaneEvent::InstallComplete => "UptaneInstallComplete",
            UptaneEvent::InstallFailed => "UptaneInstallFailed",
            UptaneEvent::InstallNeeded => "UptaneInstallNeeded",
            UptaneEvent::ManifestNeeded => "UptaneManifestNeeded",
            UptaneEvent::ManifestSent => "UptaneManifestSent",
        }
    }

    fn from_name(name: &str) -> Option<UptaneEvent> {
        UptaneEvent::ALL.into_iter().find(|event| event.name() == name)
    }
}

impl Event {
    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Error(_) => "Error",
            Event::Authenticated => "Authenticated",
            Event::NotAuthenticated => "NotAuthenticated",
            Event::AlreadyAuthenticated => "AlreadyAuthenticated",
            Event::UpdatesReceived(_) => "UpdatesReceived",
            Event::UpdateAvailable(_) => "UpdateAvailable",
            Event::NoUpdateRequests => "NoUpdateRequests",
            Event::FoundInstalledPackages(_) => "FoundInstalledPackages",
            Event::FoundSystemInfo(_) => "FoundSystemInfo",
            Event::DownloadingUpdate(_) => "DownloadingUpdate",
            Event::DownloadComplete(_) => "DownloadComplete",
            Event::DownloadFailed(..) => "DownloadFailed",
            Event::InstallingUpdate(_) => "InstallingUpdate",
            Event::InstallComplete(_) => "InstallComplete",
            Event::InstallFailed(_) => "InstallFailed",
            Event::UpdateReportSent => "UpdateReportSent",
            Event::InstallReportSent(_) => "InstallReportSent",
            Event::InstalledPackagesSent => "InstalledPackagesSent",
            Event::InstalledSoftwareSent => "InstalledSoftwareSent",
            Event::SystemInfoSent => "SystemInfoSent",
            Event::InstalledSoftwareNeeded => "InstalledSoftwareNeeded",
            Event::InstalledPackagesNeeded => "InstalledPackagesNeeded",
            Event::SystemInfoNeeded => "SystemInfoNeeded",
            Event::Uptane(event, _) => event.name(),
        }
    }

    /// The update the event is about, where it is about one.
    pub fn update_id(&self) -> Option<&str> {
        match self {
            Event::DownloadingUpdate(id) | Event::InstallingUpdate(id) | Event::DownloadFailed(id, _) => {
                Some(id)
            }
            Event::DownloadComplete(download) => Some(&download.update_id),
            Event::UpdateAvailable(update) => Some(&update.update_id),
            Event::InstallComplete(report)
            | Event::InstallFailed(report)
            | Event::InstallReportSent(report) => Some(&report.update_id),
            _ => None,
        }
    }

    /// Decodes an event. One of the other dialect is understood and noted as invalid, so are a result code
    /// written as a name and an empty `UpdatesReceived`.
    pub fn decode(bytes: &[u8], dialect: Dialect) -> Decoded<Event> {
        let parsed = json::parse(bytes);
        let Some(value) = parsed.value else {
            return Decoded {
                value: None,
                oddities: parsed.oddities,
            };
        };
        let mut decoded = Event::from_value(&value, dialect);
        decoded.oddities.splice(0..0, parsed.oddities);
        decoded
    }

    /// Reads an event from parsed JSON.
    pub fn from_value(value: &Value, dialect: Dialect) -> Decoded<Event> {
        let mut context = Context::new(dialect, Codes::Numbers);
        note_dialect(value, &mut context);
        let spoken = context.dialect;
        let uptane = (spoken == Dialect::Serde).then(|| read_uptane(value)).flatten();
        let event = uptane.or_else(|| {
            Variant::split(value, |name| arity(name, spoken), &mut context)
                .and_then(|variant| read(&variant, &mut context))
        });
        Decoded {
            value: event,
            oddities: context.oddities,
        }
    }

    /// The event as JSON.
    pub fn to_value(&self, dialect: Dialect) -> Result<Value, NotExpressible> {
        let name = self.name();
        if let Event::Uptane(_, data) = self
            && dialect == Dialect::Serde
        {
            return Ok(join(name, data.iter().cloned().collect(), dialect));
        }
        if arity(name, dialect).is_none() {
            return Err(NotExpressible::Variant { name, dialect });
        }
        let fields = match self {
            Event::Error(text) | Event::FoundSystemInfo(text) => vec![text.clone().into()],
            Event::UpdatesReceived(updates) => vec![updates.iter().map(UpdateRequest::to_value).collect()],
            Event::UpdateAvailable(update) => vec![update.to_value()],
            Event::FoundInstalledPackages(packages) => {
                vec![packages.iter().map(Package::to_value).collect()]
            }
            Event::DownloadingUpdate(id) | Event::InstallingUpdate(id) => vec![id.clone().into()],
            Event::DownloadComplete(download) => vec![download.to_value()],
            Event::DownloadFailed(id, reason) => vec![id.clone().into(), reason.clone().into()],
            Event::InstallComplete(report) | Event::InstallFailed(report) => {
                vec![write_outcome(name, report, dialect)?]
            }
            Event::InstallReportSent(report) => vec![report.to_value(Codes::Numbers)],
            _ => Vec::new(),
        };
        Ok(join(name, fields, dialect))
    }

    /// The event as compact JSON text.
    pub fn encode(&self, dialect: Dialect) -> Result<String, NotExpressible> {
        self.to_value(dialect).map(|value| value.to_string())
    }
}

fn arity(name: &str, dialect: Dialect) -> Option<usize> {
    Some(match (name, dialect) {
        ("Authenticated" | "NotAuthenticated" | "NoUpdateRequests", _) => 0,
        ("InstalledPackagesSent" | "InstalledSoftwareSent" | "SystemInfoSent", _) => 0,
        ("InstalledSoftwareNeeded", _) => 0,
        ("AlreadyAuthenticated" | "UpdateReportSent", Dialect::Rustc) => 0,
        ("InstalledPackagesNeeded" | "SystemInfoNeeded", Dialect::Serde) => 0,
        ("Error" | "UpdatesReceived" | "UpdateAvailable", _) => 1,
        ("FoundInstalledPackages" | "FoundSystemInfo", _) => 1,
        ("DownloadingUpdate" | "DownloadComplete" | "InstallingUpdate", _) => 1,
        ("InstallComplete" | "InstallFailed", _) => 1,
        ("InstallReportSent", Dialect::Serde) => 1,
        ("DownloadFailed", _) => 2,
        _ => return None,
    })
}

fn read(variant: &Variant<'_>, context: &mut Context) -> Option<Event> {
    Some(match variant.name {
        "Error" => Event::Error(variant.field(0, context)?),
        "Authenticated" => Event::Authenticated,
        "NotAuthenticated" => Event::NotAuthenticated,
        "AlreadyAuthenticated" => Event::AlreadyAuthenticated,
        "UpdatesReceived" => Event::UpdatesReceived(read_updates(variant, context)?),
        "UpdateAvailable" => Event::UpdateAvailable(variant.field(0, context)?),
        "NoUpdateRequests" => Event::NoUpdateRequests,
        "FoundInstalledPackages" => Event::FoundInstalledPackages(variant.field(0, context)?),
        "FoundSystemInfo" => Event::FoundSystemInfo(variant.field(0, context)?),
        "DownloadingUpdate" => Event::DownloadingUpdate(variant.update_id(0, context)?),
        "DownloadComplete" => Event::DownloadComplete(read_download(variant, context)?),
        "DownloadFailed" => {
            let id = variant.update_id(0, context);
            let reason = variant.field(1, context);
            Event::DownloadFailed(id?, reason?)
        }
        "InstallingUpdate" => Event::InstallingUpdate(variant.update_id(0, context)?),
        "InstallComplete" => Event::InstallComplete(read_outcome(variant, context)?),
        "InstallFailed" => Event::InstallFailed(read_outcome(variant, context)?),
        "UpdateReportSent" => Event::UpdateReportSent,
        "InstallReportSent" => Event::InstallReportSent(variant.field(0, context)?),
        "InstalledPackagesSent" => Event::InstalledPackagesSent,
        "InstalledSoftwareSent" => Event::InstalledSoftwareSent,
        "SystemInfoSent" => Event::SystemInfoSent,
        "InstalledSoftwareNeeded" => Event::InstalledSoftwareNeeded,
        "InstalledPackagesNeeded" => Event::InstalledPackagesNeeded,
        "SystemInfoNeeded" => Event::SystemInfoNeeded,
        _ => return None,
    })
}

fn read_updates(variant: &Variant<'_>, context: &mut Context) -> Option<Vec<UpdateRequest>> {
    let updates: Vec<UpdateRequest> = variant.field(0, context)?;
    let (_, path) = variant.raw(0)?;
    if updates.is_empty() {
        context.invalid(OddityKind::InvalidValue, path, "must not be empty");
    }
    Some(updates)
}

fn read_download(variant: &Variant<'_>, context: &mut Context) -> Option<DownloadComplete> {
    let download: DownloadComplete = variant.field(0, context)?;
    let (_, path) = variant.raw(0)?;
    check_update_id(&download.update_id, &format!("{path}/update_id"), context);
    Some(download)
}

fn read_outcome(variant: &Variant<'_>, context: &mut Context) -> Option<UpdateReport> {
    match context.dialect {
        Dialect::Rustc => variant.field(0, context),
        Dialect::Serde => variant
            .field::<OperationResult>(0, context)
            .map(OperationResult::into_report),
    }
}

fn write_outcome(
    name: &'static str,
    report: &UpdateReport,
    dialect: Dialect,
) -> Result<Value, NotExpressible> {
    match (dialect, &report.operation_results[..]) {
        (Dialect::Rustc, _) => Ok(report.to_value(Codes::Numbers)),
        (Dialect::Serde, [result]) => Ok(result.to_value(Codes::Numbers)),
        (Dialect::Serde, results) => Err(NotExpressible::ResultCount {
            name,
            results: results.len(),
        }),
    }
}

fn read_uptane(value: &Value) -> Option<Event> {
    match value {
        Value::String(name) => UptaneEvent::from_name(name).map(|event| Event::Uptane(event, None)),
        Value::Object(members) if members.len() == 1 => {
            let (name, data) = members.iter().next()?;
            UptaneEvent::from_name(name).map(|event| Event::Uptane(event, Some(data.clone())))
        }
        _ => None,
    }
}
