//! The matrix of a selftest: on a terminal, as a page, as JSON.

mod page;
mod terminal;

use hil_trace::{DefectLine, DefectOutcome, SelftestMatrix, Verdict};
use serde::Serialize;

pub use page::selftest_html;
pub use terminal::selftest_text;

/// The matrix as indented JSON with its schema id and verdict first. Fails only on a number JSON has no form for.
pub fn selftest_json(matrix: &SelftestMatrix) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct File<'a> {
        schema: &'static str,
        passed: bool,
        detected: usize,
        #[serde(flatten)]
        matrix: &'a SelftestMatrix,
    }
    let mut text = serde_json::to_string_pretty(&File {
        schema: "hil-selftest/1",
        passed: matrix.verdict() == Verdict::Pass,
        detected: matrix.detected(),
        matrix,
    })?;
    text.push('\n');
    Ok(text)
}

/// Such as `310 of 312 defects detected by their own requirement with 10 seeds; clean units tripped nothing`.
pub(crate) fn sentence(matrix: &SelftestMatrix) -> String {
    let alarms: usize = matrix.clean.iter().map(|run| run.alarms.len()).sum();
    let seeds = match matrix.seeds.len() {
        1 => format!("with seed {}", matrix.seeds.first().copied().unwrap_or_default()),
        number => format!("with each of {number} seeds"),
    };
    let defects = format!(
        "{} of {} defects detected by their own requirement {seeds}",
        matrix.detected(),
        matrix.defects.len()
    );
    match (matrix.clean.is_empty(), alarms) {
        (true, _) => defects,
        (false, 0) => format!("{defects}; clean units tripped nothing"),
        (false, 1) => format!("{defects}; 1 false alarm on clean units"),
        (false, alarms) => format!("{defects}; {alarms} false alarms on clean units"),
    }
}

/// Why a defect was not caught, with the first seed where it was not; `None` if it was.
pub(crate) fn missed(line: &DefectLine) -> Option<String> {
    line.runs.iter().find_map(|run| match &run.outcome {
        DefectOutcome::Detected { .. } => None,
        DefectOutcome::Missed { tried } => Some(format!(
            "seed {}: {} does not fail in {}",
            run.seed,
            line.primary,
            tried.join(", ")
        )),
        DefectOutcome::NotExercised => Some(format!(
            "seed {}: no scenario passes {} on a clean unit",
            run.seed, line.primary
        )),
        DefectOutcome::NotRun => Some(format!("seed {}: not run", run.seed)),
    })
}
