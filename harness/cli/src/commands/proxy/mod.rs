//! `hil proxy`: carries TCP connections between parties that are not hil's, with faults on the way.

mod screen;

use super::fail;
use crate::{args::ProxyArguments, exit::Exit};
use hil_fault::Faults;
use hil_link::{Address, Clock, Network, Proxy};
use hil_runner::arm_on_connections;
use hil_scenario::{ExtraFault, Vocabulary};
use hil_trace::Party;
use screen::Screen;
use std::rc::Rc;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::{JoinSet, LocalSet},
};

pub(crate) fn execute(arguments: ProxyArguments) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    match LocalSet::new().block_on(&runtime, serve(&arguments)) {
        Ok(()) => Exit::Pass,
        Err(error @ ProxyError::Listen { .. }) => fail(error, Exit::Unexpected),
        Err(error) => fail(error, Exit::CommandLine),
    }
}

/// Why there is no proxy.
#[derive(Debug, thiserror::Error)]
enum ProxyError {
    #[error("`{0}` is not HOST:PORT")]
    Address(String),
    #[error("{0}")]
    Fault(String),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: Address, error: std::io::Error },
}

async fn serve(arguments: &ProxyArguments) -> Result<(), ProxyError> {
    let (at, to) = (address(&arguments.listen)?, address(&arguments.to)?);
    let vocabulary = Vocabulary::embedded().map_err(|mistakes| ProxyError::Fault(mistakes.to_string()))?;
    let clock = Clock::new_real();
    let screen = Rc::new(Screen::new(arguments.json, clock));
    let faults = Rc::new(Faults::new(screen.clone(), arguments.seed));
    let mut fuses = JoinSet::new();
    for text in &arguments.faults {
        let fault = ExtraFault::on_connections(text, &vocabulary);
        let fault = fault.map_err(|mistakes| ProxyError::Fault(mistakes.to_string()))?;
        arm_on_connections(&fault, &faults, clock, &mut fuses)
            .map_err(|error| ProxyError::Fault(error.to_string()))?;
    }
    let behind = match arguments.unit_listens {
        true => Party::Unit,
        false => Party::Cloud,
    };
    let listening = |error| ProxyError::Listen {
        address: at.clone(),
        error,
    };
    let proxy = Proxy::listen(Network::Tcp, &at, to, behind, faults, screen.clone());
    let proxy = proxy.await.map_err(listening)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(listening)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(listening)?;
    screen.listens(&proxy.address().map_err(listening)?);
    tokio::select! {
        () = proxy.serve() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn address(text: &str) -> Result<Address, ProxyError> {
    let wrong = || ProxyError::Address(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host {
        "" => Err(wrong()),
        host => Ok(Address::Host(host.to_owned(), port)),
    }
}
