//! `hil`: typed arguments, resolved to settings, handed to one file per command; exit codes in one place.

mod adapters;
mod args;
mod commands;
mod evidence;
mod exit;
mod files;
mod judged;
mod library;
mod places;
mod profiles;
mod units;
mod waivers;

use clap::Parser;
use exit::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes; printing fails only if the terminal is gone.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::CommandLine.into()
            } else {
                Exit::Pass.into()
            };
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("HIL_LOG"))
        .with_writer(std::io::stderr)
        .init();
    commands::execute(arguments.command).into()
}
