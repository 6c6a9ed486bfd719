//! `hil simulate`: a simulated unit on the real clock and TCP, for clients and clouds that are not hil's.

mod faces;
mod plan;
mod screen;
mod serial;
mod told;

use super::fail;
use crate::{args::SimulateArguments, exit::Exit};
use faces::{FaceError, Faces};
use hil_link::{Address, Clock, Network};
use hil_sim::{SimDriver, is_kept};
use hil_unit::{Driver, Surroundings, UnitError};
use plan::Plan;
use screen::Screen;
use std::{rc::Rc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) fn execute(arguments: SimulateArguments) -> Exit {
    let plan = match Plan::of(&arguments) {
        Ok(plan) => plan,
        Err(error) => return fail(error, Exit::CommandLine),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    let local = tokio::task::LocalSet::new();
    match local.block_on(&runtime, simulate(plan)) {
        Ok(None | Some(0)) => Exit::Pass,
        Ok(Some(status)) => Exit::Run(status),
        Err(error @ SimulateError::Unit(UnitError::BadArgument { .. } | UnitError::UnknownName { .. })) => {
            fail(error, Exit::CommandLine)
        }
        Err(error) => fail(error, Exit::Unexpected),
    }
}

/// Why no unit runs.
#[derive(Debug, thiserror::Error)]
enum SimulateError {
    #[error(transparent)]
    Face(#[from] FaceError),
    #[error(transparent)]
    Unit(#[from] UnitError),
    #[error("there is no unit's storage in the folder of --state")]
    NoState,
    #[error("cannot watch for signals: {0}")]
    Signals(std::io::Error),
}

/// Runs the unit until a signal or its own end; the status of its own end.
async fn simulate(plan: Plan) -> Result<Option<u8>, SimulateError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(SimulateError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(SimulateError::Signals)?;
    let mut faces = Faces::open(&plan)?;
    let clock = Clock::new_real();
    let screen = Rc::new(Screen::new(plan.json));
    let goes_on = plan.state.as_deref().is_some_and(is_kept);
    let driver = SimDriver::new(plan.protocol, plan.defects);
    let mut unit = driver.create(Surroundings {
        clock,
        network: Network::Tcp,
        recorder: screen.clone(),
        endpoints: plan.endpoints,
        artifacts: plan.artifacts,
        faces: faces.addresses.clone(),
        timing: plan.timing,
        ics: plan.ics,
        seed: plan.seed,
        state_directory: plan.state,
    })?;
    if let Some((name, arguments)) = plan.probe {
        if !goes_on {
            return Err(SimulateError::NoState);
        }
        let value = unit.probe(&name, &arguments).await?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        super::print(&text);
        return Ok(None);
    }
    if !goes_on {
        unit.prepare(&plan.prepare).await?;
    }
    screen.listens(plan.protocol, &faces.shown);
    for (line, end) in faces.lines.drain(..) {
        tokio::task::spawn_local(line.carry(end, clock));
    }
    unit.start().await?;
    let announce = async {
        screen.booted().await;
        for address in faces.addresses.values() {
            accepts(address, clock).await;
        }
        screen.ready();
        std::future::pending::<()>().await;
    };
    let status = tokio::select! {
        status = screen.ended() => Some(status),
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        () = announce => None,
    };
    if status.is_none() {
        unit.stop().await?;
    }
    // Connections that are reset end in their own tasks.
    clock.sleep(SETTLE).await;
    Ok(status)
}

/// Waits until the unit listens: how long that takes after its boot is its own business.
async fn accepts(address: &Address, clock: Clock) {
    if let Address::Host(..) = address {
        while Network::Tcp.connect(address).await.is_err() {
            clock.sleep(SETTLE).await;
        }
    }
}

/// How long what was begun takes to be done.
const SETTLE: Duration = Duration::from_millis(50);
