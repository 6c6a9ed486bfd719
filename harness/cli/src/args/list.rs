//! Arguments of `hil list`.

use super::FilterArguments;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// What
    #[arg(value_enum, default_value_t = Listed::Scenarios)]
    pub(crate) what: Listed,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Of requirements: with the state of each after this run, a journal or the folder it is in
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Of requirements: everything known of each, for programs (`hil schema requirements`)
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `list` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// Scenarios with what they verify
    Scenarios,
    /// Units that come with hil
    Units,
    /// Profiles a certificate can claim, and how many requirements each has
    Profiles,
    /// Ways back to the version before, and the scenarios that show each; every requirement on time
    RollbackPaths,
    /// Deliberate misbehaviours of simulated units, and the requirement each must trip
    Defects,
    /// Requirements with what shows each
    Requirements,
}
