//! Arguments of `hil explain`.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// Id of a requirement, such as POLL-ACK-003
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What a run found about it: its journal, or the folder it is in
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Add the scenarios of a folder; one of the same path replaces an embedded one
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// For programs
    #[arg(long)]
    pub(crate) json: bool,
}
