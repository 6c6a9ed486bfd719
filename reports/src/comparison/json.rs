//! A comparison for programs.

use super::ComparisonReport;
use hil_trace::{Comparison, Outcome};
use serde::Serialize;

/// The comparison as indented JSON, after its schema id, its exit code and every outcome with its own.
/// Fails only on a number JSON has no form for.
pub fn comparison_json(report: &ComparisonReport<'_>) -> Result<String, serde_json::Error> {
    let outcome = |outcome: Outcome| Found {
        name: outcome.name(),
        exit_code: outcome.exit_code(),
        blocks: report.blocking.contains(&outcome),
    };
    let mut text = serde_json::to_string_pretty(&File {
        schema: "hil-comparison/1",
        exit_code: report.exit_code(),
        outcomes: report.comparison.outcomes().into_iter().map(outcome).collect(),
        comparison: report.comparison,
    })?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct File<'a> {
    schema: &'static str,
    exit_code: u8,
    outcomes: Vec<Found>,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

#[derive(Serialize)]
struct Found {
    name: &'static str,
    exit_code: u8,
    blocks: bool,
}
