//! Arguments of `hil selftest`.

use clap::Args;
use hil_wire::Protocol;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct SelftestArguments {
    /// Only this defect (may be given several times); clean units are not judged then
    #[arg(long = "defect", value_name = "NAME")]
    pub(crate) defects: Vec<String>,
    /// Only this protocol (may be given several times)
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) protocol: Vec<Protocol>,
    /// Number of seeds
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) seeds: u32,
    /// The first seed; the others follow it
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Instances at a time
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Add the scenarios of a folder; one of the same path replaces an embedded one
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Print a line for each defect
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,
    /// Print the matrix as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write selftest.html and selftest.json into a folder
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
}

pub(super) const SELFTEST_EXAMPLES: &str = "\
Examples:
  hil selftest                                  every suite and every defect with seed 1
  hil selftest --seeds 10 --report out          with seeds 1 to 10, and the matrix as a page
  hil selftest --defect polls-too-fast --all

Exit codes: 0 every defect was detected by its own requirement and clean units tripped nothing,
4 a defect was missed or a clean unit accused, 5 cut short";
