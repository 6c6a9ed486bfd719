//! The simulated SOTA client: it authenticates, polls Core, downloads, leaves installing to others or installs by
//! itself, reports, and serves its gateways (reference sections 1 to 5).

mod agent;
mod bus;
#[cfg(test)]
mod bus_tests;
mod calls;
mod configuration;
mod console;
mod defects;
#[cfg(test)]
mod fixture_tests;
mod gateways;
mod kind;
mod packages;
mod reactions;
#[cfg(test)]
mod tests;

pub(crate) use defects::DEFECTS;
pub(crate) use kind::SotaKind;
