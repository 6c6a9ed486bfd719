//! Arguments of `hil compare`.

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use hil_trace::Outcome;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// What to compare with: a report folder, a journal, or a report.json
    pub(crate) baseline: PathBuf,
    /// What to compare: a report folder, a journal, or a report.json
    pub(crate) new: PathBuf,
    /// Format
    #[arg(long, value_enum, default_value_t = CompareFormat::Text)]
    pub(crate) format: CompareFormat,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Let an outcome pass: it is told, and does not decide the exit code
    #[arg(long, value_name = "OUTCOME", value_parser = outcome())]
    pub(crate) allow: Vec<Outcome>,
    /// Let an outcome decide the exit code that does not by itself
    #[arg(long, value_name = "OUTCOME", value_parser = outcome())]
    pub(crate) block: Vec<Outcome>,
    /// By how many percent a measured time must have grown at least to count as slower
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0, value_parser = percent)]
    pub(crate) slower_by: f64,
    /// Violated SHOULD requirements fail, where a journal is judged
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Formats of `compare`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    /// For a terminal or a log
    Text,
    /// For a merge request
    Markdown,
    /// For programs
    Json,
}

fn outcome() -> impl TypedValueParser<Value = Outcome> {
    let names = PossibleValuesParser::new(Outcome::ALL.map(Outcome::name));
    names.map(|name| {
        let named = |outcome: &Outcome| outcome.name() == name;
        // The parser knows no other names.
        Outcome::ALL
            .into_iter()
            .find(named)
            .unwrap_or(Outcome::NewFailures)
    })
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if (0.0..=10_000.0).contains(&percent) => Ok(percent),
        _ => Err("expected a number of percent, from 0 to 10000".to_owned()),
    }
}

pub(super) const COMPARE_EXAMPLES: &str = "\
Examples:
  hil compare release-1.4/ out/
  hil compare release-1.4/report.json out/ --format markdown --output note.md
  hil compare release-1.4/ out/ --allow new-warnings --slower-by 25

Folders and journals are judged again, both by this hil, so that what differs is the unit; a report.json is taken
as it stands. Exit code: that of the first outcome in this list that was found and blocks, else 0.

  10 new-failures        fails, and did not in the baseline
  11 errors              could not be judged in the new run
  12 incomplete-run      the new run was cut short, or its journal is torn
  13 flaky               passes at one time and not at another: neither a new failure nor fixed
  14 newly-unexercised   exercised in the baseline and not any more, skipped and not applicable included
  15 newly-inconclusive  decided in the baseline and not any more
  16 slower              a measured time grew by more than chance and clocks explain (99 % confidence)
  17 new-warnings        a SHOULD or MAY is violated that was not in the baseline
  18 unsound-baseline    the baseline cannot be read, was cut short, or has errors
  19 no-baseline         there is none
  20 nothing-comparable  the runs have no scenario and unit in common
  21 timing-undecided    a repeated time has too few values, or too scattered ones
Told, and blocking only with --block:
  22 new-and-failing     fails, but its scenario or requirement is new: no regression
  23 still-failing       fails as it did in the baseline
  24 newly-waived        a requirement is waived that was not in the baseline
  25 changed-catalogue   requirements were added, removed or changed
  26 fixed               failed in the baseline and passes";
