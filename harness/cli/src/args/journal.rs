//! Arguments of what reads journals: `hil judge`, `report`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct JudgeArguments {
    /// A journal, or the folder it is in
    pub(crate) journal: PathBuf,
    /// Print the digest of what happened instead
    #[arg(long)]
    pub(crate) digest: bool,
    /// Violated SHOULD requirements fail
    #[arg(long)]
    pub(crate) strict: bool,
    /// Waive by this file as of today, not as the journal says
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ReportArguments {
    #[command(subcommand)]
    pub(crate) command: Option<ReportCommand>,
    /// A journal, or the folder it is in
    #[arg(required = true)]
    pub(crate) journal: Option<PathBuf>,
    /// Format
    #[arg(long, value_enum, default_value_t = Format::Html)]
    pub(crate) format: Format,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Where the scenarios of the run are, for annotations
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Violated SHOULD requirements fail
    #[arg(long)]
    pub(crate) strict: bool,
    /// Waive by this file as of today, not as the journal says
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Join the journals of several runs, such as the parts that machines shared, to one with its reports
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArguments),
}

#[derive(Debug, Args)]
pub(crate) struct MergeArguments {
    /// Journals, or the folders they are in
    #[arg(required = true)]
    pub(crate) journals: Vec<PathBuf>,
    /// Write the joined journal and its reports into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Violated SHOULD requirements fail
    #[arg(long)]
    pub(crate) strict: bool,
    /// Waive by this file as of today, not as the journals say
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
}

const MERGE_EXAMPLES: &str = "\
Example:
  hil run --seed 7 --partition slice:1/2 --report part-1       on one machine
  hil run --seed 7 --partition slice:2/2 --report part-2       on another
  hil report merge part-1 part-2 --out out

The order does not matter, and what comes out is what a run that was not shared would have been. An instance that
is the same in several journals is taken once; one that is not is refused. Torn journals are kept as far as they go.
Exit code: that of the joined run, which is incomplete (5) if a part is missing; 3 if instances are refused.";

/// Formats of `report`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One self-contained page
    Html,
    /// JUnit XML (Surefire)
    Junit,
    /// JSON with a schema
    Json,
    /// Markdown for merge requests
    Markdown,
    /// As on the terminal
    Text,
    /// Annotations at the lines of scenarios, for the log of a GitHub workflow
    Github,
    /// Annotations at the lines of scenarios, for GitLab
    CodeQuality,
}
