//! `hil cloud`: one mock cloud for each protocol on TCP, with its data in a folder, and the admin interface.

mod admin;
mod admin_call;
mod announce;
mod arguments;
mod data;
mod plan;
mod ports;
mod trace;

use super::fail;
use crate::{args::CloudArguments, exit::Exit};
use admin::{Admin, Served};
use data::DataFolder;
use hil_fault::Faults;
use hil_link::{Address, Clock, Network};
use hil_mock_cloud::{CloudError, CloudSurroundings, MockCloud};
use hil_wire::Protocol;
use plan::Plan;
use ports::Ports;
use std::{io::Write, rc::Rc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Mutex,
};
use trace::TraceKeeper;

pub(crate) fn execute(arguments: CloudArguments) -> Exit {
    let plan = match Plan::of(&arguments) {
        Ok(plan) => plan,
        Err(error) => return fail(error, Exit::CommandLine),
    };
    let data = match DataFolder::open(&arguments.data) {
        Ok(data) => data,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    let local = tokio::task::LocalSet::new();
    match local.block_on(&runtime, serve(&plan, &data)) {
        Ok(()) => Exit::Pass,
        Err(error @ ServeError::UnknownFace { .. }) => fail(error, Exit::CommandLine),
        Err(error) => fail(error, Exit::Unexpected),
    }
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Data(#[from] data::DataError),
    #[error("cannot listen on {address} for admin: {source}")]
    Admin { address: String, source: std::io::Error },
    #[error("`--port {given}`: there is no face `{given}`; one of {known}")]
    UnknownFace { given: String, known: String },
    #[error("cannot watch for signals: {0}")]
    Signals(std::io::Error),
}

async fn serve(plan: &Plan, data: &DataFolder) -> Result<(), ServeError> {
    // Watched from the start: a signal that comes while starting must not end the process half-way.
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    let clock = Clock::new_real();
    let mut ports = Ports::load(data.ports_file())?;
    let mut served = Vec::new();
    for protocol in &plan.protocols {
        served.push(start(plan, data, &ports, clock, *protocol).await?);
    }
    check_ports(plan, &served)?;
    let served = Rc::new(served);
    let token = plan.admin_token(data.keys());
    let address = admin_address(plan, &ports);
    let admin = Admin::bind(&address, token.required, token.value.clone(), served.clone());
    let admin = admin
        .await
        .map_err(|source| ServeError::Admin { address, source })?;
    for cloud in served.iter() {
        data.write_environment(cloud.protocol, &announce::settings(cloud, data))?;
        for (face, address) in cloud.cloud.addresses() {
            if let Address::Host(_, port) = address {
                ports.learn(format!("{}.{face}", cloud.protocol), *port);
            }
        }
    }
    ports.learn(ADMIN.to_owned(), admin.port());
    ports.save()?;
    super::print(&announce::announcement(plan, data, &served, &admin.url()));
    let admin = admin.spawn();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::select! {
        () = async {
            admin.drain(clock, DRAIN_LIMIT).await;
            futures_util::future::join_all(served.iter().map(|s| s.cloud.drain(DRAIN_LIMIT))).await;
        } => {}
        // Asked twice: ends at once. What was accepted is committed already.
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn start(
    plan: &Plan,
    data: &DataFolder,
    ports: &Ports,
    clock: Clock,
    protocol: Protocol,
) -> Result<Served, ServeError> {
    let mut settings = plan.settings(protocol, data);
    let prefix = format!("{protocol}.");
    for (face, port) in ports.free(&prefix, &plan.bind, |face| !settings.ports.contains_key(face)) {
        settings.ports.insert(face, port);
    }
    let trace = Rc::new(TraceKeeper::new(
        clock,
        plan.keep,
        plan.redaction(),
        plan.trace.then(|| data.trace_file(protocol)).transpose()?,
        protocol,
    ));
    let surroundings = CloudSurroundings {
        clock,
        network: Network::Tcp,
        recorder: trace.clone(),
        faults: Rc::new(Faults::new(trace.clone(), settings.seed)),
        store: Rc::new(data.database(protocol)?),
        artifacts: plan.artifacts(protocol),
        unit_faces: plan.unit_faces.clone(),
    };
    let cloud = Rc::new(MockCloud::start(settings, surroundings).await?);
    Ok(Served {
        protocol,
        identities: data.keep_identities(protocol, &plan.unit_id, &cloud.identities())?,
        cloud,
        trace,
        clock,
        fuses: Mutex::default(),
    })
}

/// Where the admin interface listens: where it did, if no port is asked for.
fn admin_address(plan: &Plan, ports: &Ports) -> String {
    match plan.admin.rsplit_once(':') {
        Some((host, "0")) => match ports.free(ADMIN, host, |_| true).first() {
            Some((_, port)) => format!("{host}:{port}"),
            None => plan.admin.clone(),
        },
        _ => plan.admin.clone(),
    }
}

fn check_ports(plan: &Plan, served: &[Served]) -> Result<(), ServeError> {
    let known = |given: &str| {
        served.iter().any(|served| {
            let faces = served.cloud.addresses();
            plan::scoped(served.protocol, given).is_some_and(|face| faces.contains_key(face))
        })
    };
    match plan.ports.iter().find(|(given, _)| !known(given)) {
        None => Ok(()),
        Some((given, _)) => {
            let mut faces = served.iter().flat_map(|served| served.cloud.addresses().keys());
            let known = faces
                .next()
                .map(|first| faces.fold((*first).to_owned(), |all, face| all + ", " + face));
            Err(ServeError::UnknownFace {
                given: given.clone(),
                known: known.unwrap_or_default(),
            })
        }
    }
}

fn note(text: &str) {
    // Standard error that is gone takes no notes.
    let _ = writeln!(std::io::stderr(), "note: {text}");
}

/// What the admin interface's port is kept under.
const ADMIN: &str = "admin";
/// How long exchanges under way may take once the end was asked for.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
