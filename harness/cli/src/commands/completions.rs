//! `hil completions`.

use super::{fail, print};
use crate::{args::Arguments, exit::Exit, library::Library};
use clap::{CommandFactory, builder::PossibleValuesParser};
use clap_complete::{Shell, generate};

pub(crate) fn execute(shell: Shell) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    // Shells offer the ids; what is wrong about another one is for the command itself to say.
    let ids = PossibleValuesParser::new(library.catalogue.requirements.into_keys());
    let mut command = Arguments::command().mut_subcommand("explain", |explain| {
        explain.mut_arg("id", |id| id.value_parser(ids))
    });
    let mut script = Vec::new();
    generate(shell, &mut command, "hil", &mut script);
    print(&String::from_utf8_lossy(&script));
    Exit::Pass
}
