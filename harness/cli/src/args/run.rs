//! Arguments of `hil run`, and which scenarios.

use clap::{Args, ValueEnum};
use hil_trace::Partition;
use hil_wire::Protocol;
use std::path::PathBuf;

/// Which scenarios.
#[derive(Debug, Default, Args)]
pub(crate) struct FilterArguments {
    /// Only this protocol (may be given several times)
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) protocol: Vec<Protocol>,
    /// Only scenarios whose path contains this
    #[arg(long = "path", value_name = "PART")]
    pub(crate) paths: Vec<String>,
    /// Only scenarios with this tag; `long` scenarios run only when asked for
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Only scenarios that verify this requirement, or ids beginning with this
    #[arg(long = "requirement", value_name = "ID")]
    pub(crate) requirements: Vec<String>,
    /// Add the scenarios of a folder; one of the same path replaces an embedded one
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Unit under test: a unit.yaml, or sim:PROTOCOL; every simulated unit if not given
    #[arg(long = "unit", value_name = "FILE|sim:PROTOCOL")]
    pub(crate) units: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Seed of everything random; printed by every run
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Instances at a time
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// How often each scenario runs
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) repeat: u32,
    /// Run what did not pass again, up to so often; what passes only then is flaky, which is no pass: exit code 13.
    /// In virtual time each attempt draws other random numbers; runs of sweeps are not run again
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) retries: u32,
    /// Only what did not pass in the run whose reports are in this folder; in that of `--report` if none is given.
    /// Of a run that was cut short also what it did not come to
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    pub(crate) last_failed: Option<Option<PathBuf>>,
    /// Only the M-th of N parts, which machines share: slice:M/N in turn, hash:M/N by name; `hil report merge` joins
    /// what they come to
    #[arg(long, value_name = "PART")]
    pub(crate) partition: Option<Partition>,
    /// Set a parameter of the scenarios
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Tier of parameters [default: `quick` for units in real time, else `default`]; `long` also runs what takes hours
    #[arg(long, value_name = "TIER", value_parser = clap::builder::PossibleValuesParser::new(hil_scenario::TIERS))]
    pub(crate) tier: Option<String>,
    /// Use this file as the image of a role
    #[arg(long = "artifact", value_name = "ROLE=FILE")]
    pub(crate) artifacts: Vec<String>,
    /// Inject a fault into every scenario, before its first step: NAME, or 'NAME: {ARGUMENTS}, when: …'
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<String>,
    /// Arm every fault and let none act: whatever passes then needs no fault
    #[arg(long, conflicts_with = "faults")]
    pub(crate) without_faults: bool,
    /// Violated SHOULD requirements fail
    #[arg(long)]
    pub(crate) strict: bool,
    /// Violations that do not fail the run: a file of requirement, reason and last day for each
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
    /// End the run with the first failure or error
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Write journal, report.json, junit.xml, report.html and summary.md into a folder
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
    /// Annotate the lines of scenarios with what did not pass: in the log of a GitHub workflow, or for GitLab as
    /// code-quality.json in the folder of `--report`
    #[arg(long, value_name = "FORGE", value_enum)]
    pub(crate) annotations: Option<Forge>,
    /// Give simulated units a deliberate misbehaviour
    #[arg(long = "defect", value_name = "NAME")]
    pub(crate) defects: Vec<String>,
}

/// Where annotations are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Forge {
    /// Lines in the log of a workflow
    Github,
    /// A code quality report
    Gitlab,
}

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  hil run
  hil run --protocol edge-poll --path ack
  hil run --unit unit.yaml --artifact next=build/fw.zip --report out
  hil run --unit sim:ota-rpc --set window=300s --repeat 10
  hil run --requirement POLL-ACK --strict
  hil run --path edge-poll/snap --fault 'cloud.reset: {on: ack, when: after_handling, times: 1}'";
