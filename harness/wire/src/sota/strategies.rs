//! Proptest strategies for commands and events.

use super::{
    Authentication, ClientCredentials, Command, Dialect, DownloadComplete, Event, InstalledFirmware,
    InstalledPackage, InstalledSoftware, OperationResult, Package, ResultCode, UpdateAvailable, UpdateReport,
    UpdateRequest, UpdateRequestStatus, UptaneEvent,
    core::{Call, ListedUpdate},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

/// An id a dialect accepts: any text, or a UUID.
pub fn update_id(dialect: Dialect) -> BoxedStrategy<String> {
    let uuid = any::<u128>().prop_map(|bits| uuid::Uuid::from_u128(bits).to_string());
    match dialect {
        Dialect::Rustc => prop_oneof![uuid, "[a-z0-9]{1,8}"].boxed(),
        Dialect::Serde => uuid.boxed(),
    }
}

/// A word of the text grammar.
pub fn word() -> impl Strategy<Value = String> {
    "[A-Za-z0-9&.+~:äöü_-]{1,12}"
}

/// Any result code.
pub fn result_code() -> impl Strategy<Value = ResultCode> {
    select(ResultCode::all().collect::<Vec<_>>())
}

/// A package, text in it free or words only.
pub fn package(words: bool) -> impl Strategy<Value = Package> {
    let part = move || {
        if words {
            word().boxed()
        } else {
            any::<String>().boxed()
        }
    };
    (part(), part()).prop_map(|(name, version)| Package { name, version })
}

/// A result of one operation.
pub fn operation_result() -> impl Strategy<Value = OperationResult> {
    (any::<String>(), result_code(), any::<String>()).prop_map(|(id, result_code, result_text)| {
        OperationResult {
            id,
            result_code,
            result_text,
        }
    })
}

/// A report of any number of results.
pub fn update_report() -> impl Strategy<Value = UpdateReport> {
    (any::<String>(), vec(operation_result(), 0..4)).prop_map(|(update_id, operation_results)| UpdateReport {
        update_id,
        operation_results,
    })
}

/// Everything installed.
pub fn installed_software() -> impl Strategy<Value = InstalledSoftware> {
    let text = any::<String>;
    let package =
        (text(), text(), text(), any::<u64>()).prop_map(|(package_id, name, description, last_modified)| {
            InstalledPackage {
                package_id,
                name,
                description,
                last_modified,
            }
        });
    let firmware =
        (text(), text(), any::<u64>()).prop_map(|(module, firmware_id, last_modified)| InstalledFirmware {
            module,
            firmware_id,
            last_modified,
        });
    (vec(package, 0..3), vec(firmware, 0..3))
        .prop_map(|(packages, firmwares)| InstalledSoftware { packages, firmwares })
}

/// A command the dialect can express.
pub fn command(dialect: Dialect) -> impl Strategy<Value = Command> {
    let credentials = (any::<String>(), any::<String>()).prop_map(|(client_id, client_secret)| {
        Authentication::Credentials(ClientCredentials {
            client_id,
            client_secret,
        })
    });
    let without = match dialect {
        Dialect::Rustc => Authentication::None,
        Dialect::Serde => Authentication::Certificate,
    };
    prop_oneof![
        credentials.prop_map(Command::Authenticate),
        select(vec![
            Command::Authenticate(Authentication::None),
            Command::Authenticate(without),
            Command::Shutdown,
            Command::GetUpdateRequests,
            Command::ListInstalledPackages,
            Command::ListSystemInfo,
            Command::SendSystemInfo,
        ]),
        update_id(dialect).prop_map(Command::StartDownload),
        update_id(dialect).prop_map(Command::StartInstall),
        vec(package(false), 0..4).prop_map(Command::SendInstalledPackages),
        installed_software().prop_map(Command::SendInstalledSoftware),
        update_report().prop_map(Command::SendUpdateReport),
    ]
}

/// A command the text grammar can express.
pub fn text_command(dialect: Dialect) -> impl Strategy<Value = Command> {
    let credentials = (word(), word()).prop_map(|(client_id, client_secret)| {
        Authentication::Credentials(ClientCredentials {
            client_id,
            client_secret,
        })
    });
    let report = (word(), result_code())
        .prop_map(|(id, code)| Command::SendUpdateReport(UpdateReport::single(id, code, "")));
    prop_oneof![
        credentials.prop_map(Command::Authenticate),
        select(vec![
            Command::Authenticate(Authentication::None),
            Command::Shutdown,
            Command::GetUpdateRequests,
            Command::ListInstalledPackages,
            Command::ListSystemInfo,
            Command::SendSystemInfo,
        ]),
        update_id(dialect).prop_map(Command::StartDownload),
        update_id(dialect).prop_map(Command::StartInstall),
        vec(package(true), 1..4).prop_map(Command::SendInstalledPackages),
        report,
    ]
}

/// An update as Core lists it.
pub fn update_request(dialect: Dialect) -> impl Strategy<Value = UpdateRequest> {
    let status = select(UpdateRequestStatus::ALL.to_vec());
    (
        update_id(dialect),
        status,
        package(false),
        any::<i32>(),
        any::<String>(),
    )
        .prop_map(
            |(request_id, status, package_id, install_pos, created_at)| UpdateRequest {
                request_id,
                status,
                package_id,
                install_pos,
                created_at,
            },
        )
}

/// An update with Core's extra member.
pub fn listed_update(dialect: Dialect) -> impl Strategy<Value = ListedUpdate> {
    (update_request(dialect), option::of(any::<String>()))
        .prop_map(|(request, updated_at)| ListedUpdate { request, updated_at })
}

/// An event the dialect can express.
pub fn event(dialect: Dialect) -> BoxedStrategy<Event> {
    let text = any::<String>;
    let download = (update_id(dialect), text(), text()).prop_map(|(update_id, update_image, signature)| {
        DownloadComplete {
            update_id,
            update_image,
            signature,
        }
    });
    let available = (text(), text(), text(), any::<bool>(), any::<u64>()).prop_map(
        |(update_id, signature, description, request_confirmation, size)| UpdateAvailable {
            update_id,
            signature,
            description,
            request_confirmation,
            size,
        },
    );
    let outcome = match dialect {
        Dialect::Rustc => update_report().boxed(),
        Dialect::Serde => operation_result().prop_map(OperationResult::into_report).boxed(),
    };
    let common = prop_oneof![
        text().prop_map(Event::Error),
        text().prop_map(Event::FoundSystemInfo),
        select(vec![
            Event::Authenticated,
            Event::NotAuthenticated,
            Event::NoUpdateRequests,
            Event::InstalledPackagesSent,
            Event::InstalledSoftwareSent,
            Event::SystemInfoSent,
            Event::InstalledSoftwareNeeded,
        ]),
        vec(update_request(dialect), 1..4).prop_map(Event::UpdatesReceived),
        available.prop_map(Event::UpdateAvailable),
        vec(package(false), 0..4).prop_map(Event::FoundInstalledPackages),
        update_id(dialect).prop_map(Event::DownloadingUpdate),
        update_id(dialect).prop_map(Event::InstallingUpdate),
        download.prop_map(Event::DownloadComplete),
        (update_id(dialect), text()).prop_map(|(id, reason)| Event::DownloadFailed(id, reason)),
        (outcome, any::<bool>()).prop_map(|(report, done)| match done {
            true => Event::InstallComplete(report),
            false => Event::InstallFailed(report),
        }),
    ];
    let own = match dialect {
        Dialect::Rustc => select(vec![Event::AlreadyAuthenticated, Event::UpdateReportSent]).boxed(),
        Dialect::Serde => prop_oneof![
            select(vec![Event::InstalledPackagesNeeded, Event::SystemInfoNeeded]),
            update_report().prop_map(Event::InstallReportSent),
            (select(UptaneEvent::ALL.to_vec()), any::<bool>())
                .prop_map(|(event, data)| Event::Uptane(event, data.then(|| json!({"n": 1})))),
        ]
        .boxed(),
    };
    prop_oneof![5 => common, 1 => own].boxed()
}

/// A call of the client to Core.
pub fn call() -> impl Strategy<Value = Call> {
    let id = || ".{1,12}";
    prop_oneof![
        Just(Call::Token),
        id().prop_map(|device| Call::Updates { device }),
        (id(), id()).prop_map(|(device, update)| Call::Download { device, update }),
        (id(), id()).prop_map(|(device, update)| Call::Report { device, update }),
        id().prop_map(|device| Call::Installed { device }),
        id().prop_map(|device| Call::SystemInfo { device }),
    ]
}
