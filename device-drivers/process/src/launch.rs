//! The command line of a process or hook, with every placeholder replaced.

use crate::{Values, measure::sha256_of_file, substitute::substitute, values::VARIABLE_PREFIX};
use hil_unit::{UnitError, UnitFile};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// Everything needed to start a program.
#[derive(Clone, Debug)]
pub struct Launch {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    directory: PathBuf,
}

impl Launch {
    /// A command of the unit file; `what` names it in errors.
    pub fn new(
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
    pub fn command(&self) -> Command {
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

    /// Hex SHA-256 of the program and of every file among its arguments, by path: below the unit file's folder relative to
    /// it. Files of the state folder belong to the instance, not to what is tested.
    pub(crate) fn measured(&self, unit_directory: &Path, state_directory: &Path) -> BTreeMap<String, String> {
        let program = match self.program.contains('/') {
            true => Some(PathBuf::from(&self.program)),
            false => in_path(&self.program),
        };
        let arguments = self
            .arguments
            .iter()
            .map(|argument| self.directory.join(argument));
        let files = program.into_iter().chain(arguments);
        let files = files.filter(|path| path.is_file() && !path.starts_with(state_directory));
        let measured = files.filter_map(|path| {
            let digest = sha256_of_file(&path)?;
            let name = path.strip_prefix(unit_directory).unwrap_or(&path);
            let parts = name
                .components()
                .filter(|part| !matches!(part, Component::CurDir));
            Some((parts.collect::<PathBuf>().display().to_string(), digest))
        });
        measured.collect()
    }

    /// Why it could not be started.
    pub fn failed(&self, error: &std::io::Error) -> UnitError {
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

/// The first file of that name in `PATH`.
fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
