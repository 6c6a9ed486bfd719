//! Requirements for programs.

use super::{Dossier, Explanation};
use serde::Serialize;

/// The member `schema` of every list of requirements of this form.
pub const REQUIREMENTS_SCHEMA: &str = "hil-requirements/1";

/// The JSON schema (draft 2020-12) of `hil list requirements --json`.
pub const REQUIREMENTS_SCHEMA_TEXT: &str = include_str!("../../schema/requirements.schema.json");

/// A list of requirements as indented JSON. `tool`: `hil` and its version; `catalogue_sha256`: hex.
pub fn requirements_json(
    dossiers: &[Dossier<'_>],
    tool: &str,
    catalogue_sha256: &str,
) -> Result<String, serde_json::Error> {
    indented(&File {
        schema: REQUIREMENTS_SCHEMA,
        tool,
        catalogue_sha256,
        requirements: dossiers,
    })
}

/// One requirement, explained, as indented JSON: a member of that list with `source`, `reproduce` and `findings`.
pub fn explanation_json(explanation: &Explanation<'_>) -> Result<String, serde_json::Error> {
    indented(explanation)
}

fn indented(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct File<'a> {
    schema: &'static str,
    tool: &'a str,
    catalogue_sha256: &'a str,
    requirements: &'a [Dossier<'a>],
}
