//! `report.json`: the summary with the id of its schema.

use hil_trace::{Counts, RunSummary, SweepTable};
use serde::Serialize;

/// The member `schema` of every report of this form.
pub const SCHEMA: &str = "hil-report/1";

/// The JSON schema (draft 2020-12) of `report.json`.
pub const SCHEMA_TEXT: &str = include_str!("../schema/report.schema.json");

/// The summary as indented JSON with schema id, counts, exit code and sweeps first. Reads back as a [`RunSummary`].
/// Fails only on a number JSON has no form for.
pub fn json(summary: &RunSummary) -> Result<String, serde_json::Error> {
    let counts = summary.counts();
    let mut text = serde_json::to_string_pretty(&File {
        schema: SCHEMA,
        exit_code: summary.exit_code(),
        counts,
        sweeps: summary.sweeps(),
        summary,
    })?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct File<'a> {
    schema: &'static str,
    exit_code: u8,
    counts: Counts,
    sweeps: Vec<SweepTable>,
    #[serde(flatten)]
    summary: &'a RunSummary,
}
