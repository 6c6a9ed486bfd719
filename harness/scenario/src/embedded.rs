//! The files of `scenarios/` built into the binary.

use include_dir::{Dir, include_dir};

static SUITES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios/suites");
static REQUIREMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios/requirements");
static VOCABULARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios/vocabulary");

/// Every scenario of the built-in suites: path below the suites, such as `edge-poll/acks-lost.yaml`, and text; in the
/// order of paths.
pub fn embedded_suites() -> Vec<(String, String)> {
    yaml_files(&SUITES)
}

pub(crate) fn vocabulary() -> Vec<(String, String)> {
    below("scenarios/vocabulary", yaml_files(&VOCABULARY))
}

pub(crate) fn requirements() -> Vec<(String, String)> {
    below("scenarios/requirements", yaml_files(&REQUIREMENTS))
}

/// `scenarios/timing.yaml`: path and text.
pub(crate) fn timing() -> (String, String) {
    let text = include_str!("../../../scenarios/timing.yaml");
    ("scenarios/timing.yaml".to_owned(), text.to_owned())
}

/// `scenarios/exercise.yaml`: path and text.
pub(crate) fn exercise() -> (String, String) {
    let text = include_str!("../../../scenarios/exercise.yaml");
    ("scenarios/exercise.yaml".to_owned(), text.to_owned())
}

fn below(folder: &str, files: Vec<(String, String)>) -> Vec<(String, String)> {
    files
        .into_iter()
        .map(|(path, text)| (format!("{folder}/{path}"), text))
        .collect()
}

fn yaml_files(directory: &Dir<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(directory, &mut found);
    found.sort();
    found
}

fn collect(directory: &Dir<'_>, found: &mut Vec<(String, String)>) {
    for file in directory.files() {
        let path = file.path();
        if let (true, Some(text)) = (crate::directory::is_yaml(path), file.contents_utf8()) {
            found.push((crate::directory::slashed(path), text.to_owned()));
        }
    }
    directory.dirs().for_each(|inner| collect(inner, found));
}
