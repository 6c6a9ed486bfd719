//! Arguments of what checks and writes files: `hil lint`, `init`, `schema`.

use clap::{Args, ValueEnum};
use hil_wire::Protocol;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    /// Scenario files, folders of them, unit.yaml files, files of waivers or profiles; the embedded suites if none is given
    pub(crate) files: Vec<PathBuf>,
    /// Also start the adapters of unit files, and check what they say of themselves
    #[arg(long, requires = "files")]
    pub(crate) adapter: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The protocol the unit speaks
    pub(crate) protocol: Protocol,
    /// What runs it
    #[arg(long, default_value = "process", value_parser = ["process", "adapter", "remote", "sim"])]
    pub(crate) driver: String,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Which files it is for
    #[arg(value_enum, default_value_t = SchemaOf::Scenario)]
    pub(crate) of: SchemaOf,
}

/// Files with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Scenario files
    Scenario,
    /// unit.yaml
    Unit,
    /// A file of waivers
    Waivers,
    /// report.json
    Report,
    /// What `hil list requirements --json` prints
    Requirements,
}
