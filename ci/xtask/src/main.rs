//! Checks that need the workspace's own metadata.

mod dependency_directions;

use std::process::ExitCode;

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let result = match task.as_str() {
        "dependency-directions" => dependency_directions::check(),
        other => Err(vec![format!("no task `{other}`; there is dependency-directions")]),
    };
    match result {
        Ok(summary) => {
            print(&summary);
            ExitCode::SUCCESS
        }
        Err(problems) => {
            problems.iter().for_each(|problem| print(problem));
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout)] // printing is what a task is for
fn print(text: &str) {
    println!("{text}");
}
