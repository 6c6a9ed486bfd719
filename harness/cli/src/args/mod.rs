//! The command line as typed arguments, one file for each group of commands.

mod call;
mod certify;
mod cloud;
mod compare;
mod explain;
mod files;
mod journal;
mod list;
mod proxy;
mod run;
mod selftest;
mod simulate;

pub(crate) use call::CallArguments;
pub(crate) use certify::{CertifyArguments, KeyAlgorithm, KeygenArguments, VerifyArguments};
pub(crate) use cloud::CloudArguments;
pub(crate) use compare::{CompareArguments, CompareFormat};
pub(crate) use explain::ExplainArguments;
pub(crate) use files::{InitArguments, LintArguments, SchemaArguments, SchemaOf};
pub(crate) use journal::{Format, JudgeArguments, MergeArguments, ReportArguments, ReportCommand};
pub(crate) use list::{ListArguments, Listed};
pub(crate) use proxy::ProxyArguments;
pub(crate) use run::{FilterArguments, Forge, RunArguments};
pub(crate) use selftest::SelftestArguments;
pub(crate) use simulate::SimulateArguments;

use call::CALL_EXAMPLES;
use certify::{CERTIFY_EXAMPLES, VERIFY_EXAMPLES};
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use cloud::CLOUD_EXAMPLES;
use compare::COMPARE_EXAMPLES;
use proxy::PROXY_EXAMPLES;
use run::RUN_EXAMPLES;
use selftest::SELFTEST_EXAMPLES;
use simulate::SIMULATE_EXAMPLES;

/// Test and certify device agents against a reference mock cloud.
#[derive(Debug, Parser)]
#[command(name = "hil", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios against a unit and judge them
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// List scenarios, units, requirements or defects
    List(ListArguments),
    /// Explain a requirement: what it demands, what shows it, how to see it judged
    #[command(
        after_help = "Examples:\n  hil explain POLL-ACK-003\n  hil explain OTA-REVERT-001 --journal report/"
    )]
    Explain(ExplainArguments),
    /// Test the tests: clean units must trip nothing, each defect its own requirement
    #[command(after_help = SELFTEST_EXAMPLES)]
    Selftest(SelftestArguments),
    /// Check scenario and unit files without running anything
    #[command(after_help = "Example:\n  hil lint my-suites/ unit.yaml")]
    Lint(LintArguments),
    /// Judge a journal again
    #[command(after_help = "Examples:\n  hil judge report/journal.jsonl\n  hil judge report/ --digest")]
    Judge(JudgeArguments),
    /// Turn a journal into a report
    #[command(after_help = "Example:\n  hil report report/ --format html --output page.html")]
    Report(ReportArguments),
    /// Hold a run against an earlier one: what got worse, what got better
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(CompareArguments),
    /// Make a key that signs certificates
    #[command(after_help = "Example:\n  hil keygen vendor.pem")]
    Keygen(KeygenArguments),
    /// Run everything a profile needs, and certify the unit if nothing stands against it
    #[command(after_help = CERTIFY_EXAMPLES)]
    Certify(CertifyArguments),
    /// Verify a certificate, and judge its journal again
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArguments),
    /// Serve the mock cloud on TCP
    #[command(after_help = CLOUD_EXAMPLES)]
    Cloud(CloudArguments),
    /// Run a simulated unit on TCP, for clients and clouds of others
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(SimulateArguments),
    /// Call an OTA RPC unit over HTTP, WebSocket or serial
    #[command(after_help = CALL_EXAMPLES)]
    Call(CallArguments),
    /// Carry connections between a unit and a cloud of anybody, with faults on the way
    #[command(after_help = PROXY_EXAMPLES)]
    Proxy(ProxyArguments),
    /// Write a commented unit.yaml
    #[command(after_help = "Example:\n  hil init edge-poll --driver process > unit.yaml")]
    Init(InitArguments),
    /// Print a JSON Schema for editors
    #[command(after_help = "Example:\n  hil schema scenario > scenario.schema.json")]
    Schema(SchemaArguments),
    /// Print shell completions
    #[command(after_help = "Example:\n  hil completions bash > /etc/bash_completion.d/hil")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

const EXAMPLES: &str = "\
Examples:
  hil run                                  every suite against the simulated units
  hil run --unit unit.yaml --report out    your own agent, with reports in out/
  hil list requirements --protocol aos-v7
  hil judge out/ && hil report out/ --format markdown

Exit codes: 0 pass, 1 unexpected, 2 command line, 3 invalid file, 4 failed, 5 inconclusive,
6 error of lab or harness, 7 nothing ran, 8 not everything exercised (certify), 9 refused (verify);
13 flaky; from 10: `hil compare`";
