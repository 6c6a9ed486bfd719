//! `hil completions`.

use super::print;
use crate::{args::Arguments, exit::Exit};
use clap::CommandFactory;
use clap_complete::{Shell, generate};

pub(crate) fn execute(shell: Shell) -> Exit {
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), "hil", &mut script);
    print(&String::from_utf8_lossy(&script));
    Exit::Pass
}
