//! The command line of a process or hook, with every placeholder replaced.

use crate::{Values, substitute::substitute, values::VARIABLE_PREFIX};
use hil_unit::{UnitError, UnitFile};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// Everything needed to start a program.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    directory: PathBuf,
}

impl Launch {
    /// A command of the unit file; `what` names it in errors.
    pub(crate) fn new(
        what: &str,
        command: &[String],
        file: &UnitFile,
        unit_directory: &Path,
        values: &Values,
    ) -> Result<Launch, UnitError> {
        let expand = |name: String, text: &str| {
            substitute(text, values).map_err(|unknown| UnitError::BadArgument {
                name,
                problem: unknown.to_string(),
            })
        };
        let mut words = command
            .iter()
            .enumerate()
            .map(|(at, word)| expand(format!("{what}, word {}", at + 1), word));
        let program = words.next().unwrap_or_else(|| {
            Err(UnitError::BadArgument {
                name: what.to_owned(),
                problem: "is empty".to_owned(),
            })
        })?;
        let arguments = words.collect::<Result<Vec<_>, _>>()?;
        let mut environment: Vec<_> = values
            .environment()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        for (name, value) in &file.environment {
            environment.push((name.clone(), expand(format!("environment.{name}"), value)?));
        }
        let directory = match &file.working_directory {
            None => unit_directory.to_owned(),
            Some(text) => unit_directory.join(expand("working_directory".to_owned(), text)?),
        };
        Ok(Launch {
            program: resolved(program, unit_directory),
            arguments,
            environment,
            directory,
        })
    }

    /// The command: own process group, nothing to read, output captured; inherited variables that look like ours
    /// are removed.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(VARIABLE_PREFIX) {
                command.env_remove(name);
            }
        }
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    /// Why it could not be started.
    pub(crate) fn failed(&self, error: &std::io::Error) -> UnitError {
        let place = if self.directory.is_dir() {
            String::new()
        } else {
            format!(" (there is no folder {})", self.directory.display())
        };
        UnitError::Lab(format!("cannot start `{}`: {error}{place}", self.program))
    }
}

/// A program with a `/` in its name stands relative to the unit file; any other is looked for in `PATH`.
fn resolved(program: String, unit_directory: &Path) -> String {
    if program.contains('/') {
        unit_directory.join(program).display().to_string()
    } else {
        program
    }
}
